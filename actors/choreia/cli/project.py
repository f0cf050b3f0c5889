"""What a project has settled for its commands: ``[tool.choreia]`` in its ``pyproject.toml``.

The file is looked for from the current folder upwards, and the nearest one is taken, as other tools
do. In ``[tool.choreia]`` itself stand the options that mean the same to every command; what is one
command's stands in a table of its own, ``[tool.choreia.run]`` or ``[tool.choreia.demo.orders]``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final, cast

import click

FILE: Final = "pyproject.toml"
SHARED: Final = ("store", "system", "output")
"""Options of `[tool.choreia]` itself."""
OF_ITS_OWN: Final = ("check",)
"""Commands whose table is for something else than options, which they read themselves."""
Words = Sequence[str]
"""The names of a command: `("demo", "orders")`."""


class Project:
    """One file. Keys may be written with ``-`` or with ``_``."""

    def __init__(self, file: Path, settings: Mapping[str, object]) -> None:
        self.file = file
        self._settings = settings

    def own(self, words: Words, option: str) -> object:
        """What a command's table says of an option; None: nothing."""
        if words[0] in OF_ITS_OWN:
            return None
        return _spelled_loosely(self._table(words)).get(option)

    def shared(self, option: str) -> object:
        """What all commands are told."""
        if option not in SHARED:
            return None
        value = _spelled_loosely(self._settings).get(option)
        if value is not None and not isinstance(value, str):
            raise self._wrong((), f"{option} must be text")
        return value

    def check(self, words: Words, known: Collection[str], commands: Collection[str]) -> None:
        """Raises `click.UsageError` if a command's table has what it does not know."""
        if words and words[0] in OF_ITS_OWN:
            return
        for key, value in _spelled_loosely(self._table(words)).items():
            if isinstance(value, Mapping):
                if key not in commands:
                    raise self._wrong(words, f"{key!r} is no command")
            elif key not in known:
                there = ", ".join(sorted(known)) or "none"
                raise self._wrong(words, f"{key!r} is no option; there are: {there}")

    def place(self, words: Words) -> str:
        """Where a command's settings stand."""
        return f"[{'.'.join(('tool', 'choreia', *words))}] in {self.file}"

    def _table(self, words: Words) -> Mapping[str, object]:
        table = self._settings
        for number, word in enumerate(words, 1):
            inner = table.get(word, {})
            if number == 1 and word in SHARED and not isinstance(inner, Mapping):
                return {}  # the option of all commands, not the command `store`
            if not isinstance(inner, Mapping):
                raise self._wrong(words[: number - 1], f"{word!r} must be a table")
            table = cast("Mapping[str, object]", inner)
        return table

    def _wrong(self, words: Words, what: str) -> click.UsageError:
        return click.UsageError(f"{self.place(words)}: {what}")


def project() -> Project | None:
    """The project that the current folder belongs to, if it is one. Raises `click.UsageError`."""
    return _read(Path.cwd())


@cache
def _read(folder: Path) -> Project | None:
    for one in (folder, *folder.parents):
        file = one / FILE
        if not file.is_file():
            continue
        try:
            content = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise click.UsageError(f"{file} cannot be read: {error}") from error
        return Project(file, _inside(_inside(content, "tool", file), "choreia", file))
    return None


def _inside(table: Mapping[str, object], key: str, file: Path) -> Mapping[str, object]:
    inner = table.get(key, {})
    if not isinstance(inner, Mapping):
        raise click.UsageError(f"{file}: {key!r} must be a table")
    return cast("Mapping[str, object]", inner)


def _spelled_loosely(table: Mapping[str, object]) -> Mapping[str, object]:
    return {key.replace("_", "-"): value for key, value in table.items()}
