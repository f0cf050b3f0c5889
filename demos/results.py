"""Where a demo's result goes: a file, or standard output, as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import click

from choreia import DemoError
from choreia.runtime.events.display import plain

STDOUT = Path("-")


def write(target: Path, result: dict[str, object]) -> None:
    """Write `result` to `target`. Raises `DemoError` when that cannot be."""
    text = json.dumps(result, indent=2) + "\n"
    if target == STDOUT:
        click.echo(text, nl=False)
        return
    try:
        target.write_text(text)
    except OSError as error:
        raise DemoError(f"{plain(str(target))}: cannot be written: {error.strerror}") from None
