"""The `choreia` command.

`entry` is what the shell runs, `app` the tree of commands; `lazy` keeps one unloaded until it is
named, `settings` finds what was not said on the command line, and `failures` turns what went wrong
into a message and an exit code. A command is a module here, or lives with what it runs:
`choreia.demos.NAME.command`, `choreia.bench.command`.
"""

from __future__ import annotations

from choreia.cli.entry import main as main
