"""`choreia new`: a project that runs, and passes its test."""

from __future__ import annotations

import importlib.util
import keyword
import re
import sys
from pathlib import Path

import click

from choreia.cli.skeleton import FILES
from choreia.runtime.events.display import plain

_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")
_TAKEN = frozenset({"tests", "test", "choreia"})


@click.command("new")
@click.argument("name", metavar="NAME")
def command(name: str) -> None:
    """Begin a project called NAME, in a folder of that name: two agents, the function that brings
    them together, and a test.

    \b
      choreia new shop
      cd shop && choreia run shop.app

    Nothing that exists is written over.
    """
    _check(name)
    folder = Path(name)
    try:
        folder.mkdir()
    except FileExistsError:
        raise click.UsageError(
            f"{name} exists here already: choose another name, or another folder"
        ) from None
    except OSError as error:
        raise click.ClickException(f"{name} cannot be made here: {error.strerror}") from error
    for path, content in FILES.items():
        file = folder / path.replace("NAME", name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content.replace("NAME", name), encoding="utf-8")
        click.echo(file)
    click.echo(f"next: cd {name}; choreia run {name}.app; python -m pytest", err=True)


def _check(name: str) -> None:
    """That a package can be called so, and would not stand in front of another."""
    if not _NAME.fullmatch(name):
        wrong = "give small letters, digits and _, beginning with a letter, 50 at most"
    elif keyword.iskeyword(name) or keyword.issoftkeyword(name):
        wrong = "that is a word of Python's own"
    elif name in _TAKEN or name in sys.stdlib_module_names or _is_installed(name):
        wrong = "a package of that name is there already, and one would hide the other"
    else:
        return
    raise click.BadParameter(f"{plain(name, 80)!r}: {wrong}", param_hint="NAME")


def _is_installed(name: str) -> bool:
    """Whether a package is called so; a folder without code in it is none."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return False
    return spec is not None and spec.origin is not None
