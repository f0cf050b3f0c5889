"""``python -m choreia`` is the `choreia` command."""

from __future__ import annotations

from choreia.cli import main

main()
