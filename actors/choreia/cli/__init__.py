"""The `choreia` command.

`app` is the tree of commands, `lazy` keeps one unloaded until it is named, and `failures`
turns what went wrong into a message and an exit code. What a command does lives with what it
runs: `choreia.demos.NAME.command`, `choreia.bench.command`.
"""

from __future__ import annotations

from choreia.cli.app import main as main
