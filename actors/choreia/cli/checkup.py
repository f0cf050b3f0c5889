"""What `choreia doctor` looks at, one thing after another. Each finding says what to do."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Final, Literal

import attrs

from choreia.cli.colour import colour
from choreia.runtime.errors import ChoreiaError
from choreia.runtime.events.display import plain
from choreia.runtime.inspection.finding import systems
from choreia.runtime.inspection.places import SUFFIX, folder, prepare, sockets

State = Literal["ok", "warn", "bad"]
PYTHON: Final = (3, 11)
SQLITE: Final = (3, 24)
"""What stores need: ON CONFLICT … DO UPDATE."""
WIDTH, HEIGHT = 80, 24
_FLOOR = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?>=([0-9.]+)(?:\s*;\s*(.*))?$")


@attrs.frozen
class Finding:
    """How one thing stands."""

    about: str
    state: State
    said: str
    advice: str = ""
    """What to do; empty when there is nothing to do."""


def python() -> Iterator[Finding]:
    said = f"{platform.python_version()} at {sys.executable}"
    if sys.version_info[:2] >= PYTHON:
        yield Finding("python", "ok", said)
    else:
        yield Finding(
            "python", "bad", said, f"install Python {'.'.join(map(str, PYTHON))} or newer"
        )


def dependencies() -> Iterator[Finding]:
    """What Choreia says that it needs, against what is installed."""
    try:
        wanted = metadata.requires("choreia") or []
    except metadata.PackageNotFoundError:
        yield Finding("packages", "warn", "choreia is not installed", "pip install choreia")
        return
    good: list[str] = []
    for line in sorted(wanted):
        read = _FLOOR.match(line.replace("'", '"'))
        if read is None:  # another requirement than a floor: pip sees to it
            continue
        name, floor, condition = read.groups()
        found, extra = _installed(name), "extra" in (condition or "")
        if found is None and not extra:
            yield Finding(name, "bad", "not installed", f'pip install "{name}>={floor}"')
        elif found is not None and numbers(found) < numbers(floor):
            state: State = "warn" if extra else "bad"
            yield Finding(
                name, state, f"{found}, needed is {floor}", f'pip install "{name}>={floor}"'
            )
        elif found is not None and not extra:
            good.append(f"{name} {found}")
    if good:
        yield Finding("packages", "ok", ", ".join(good))


def sqlite() -> Iterator[Finding]:
    if sqlite3.sqlite_version_info >= SQLITE:
        yield Finding("sqlite", "ok", sqlite3.sqlite_version)
    else:
        floor = ".".join(map(str, SQLITE))
        yield Finding(
            "sqlite",
            "bad",
            f"{sqlite3.sqlite_version}, needed is {floor}",
            "install a newer Python",
        )


def places() -> Iterator[Finding]:
    """Where sockets are, and who answers there."""
    where = folder()
    try:
        prepare(where)
        before = {path.name for path in where.glob(f"*{SUFFIX}")}
        living = sockets(where)
    except (ChoreiaError, OSError) as error:
        yield Finding(
            "sockets", "bad", plain(str(error), 300), "until then, nobody can look at your systems"
        )
        return
    yield Finding("sockets", "ok", f"{where} is private")
    gone = before - {path.name for path in living}
    if gone:
        yield Finding("stale sockets", "ok", f"{len(gone)} of systems that are gone: removed")
    answering = {one.path for one in systems()}
    for path in living:
        if path not in answering:
            yield Finding(
                "systems",
                "warn",
                f"{path.name} does not answer",
                "its process hangs, has as many clients as it takes, or is of another version",
            )
    yield Finding("systems", "ok", f"{len(answering)} running")


def terminal() -> Iterator[Finding]:
    if not sys.stdout.isatty():
        yield Finding("terminal", "ok", "standard output is none: no colours, no screen")
        return
    encoding = sys.stdout.encoding or "none"
    if encoding.lower().replace("-", "") == "utf8":
        yield Finding("encoding", "ok", encoding)
    else:
        yield Finding(
            "encoding", "warn", f"{encoding}: symbols are shown in ASCII", "export LANG=C.UTF-8"
        )
    yield _colours()
    size = shutil.get_terminal_size()
    said = f"{size.columns} columns, {size.lines} lines"
    if size.columns >= WIDTH and size.lines >= HEIGHT:
        yield Finding("size", "ok", said)
    else:
        yield Finding("size", "warn", said, f"{WIDTH} x {HEIGHT} show more")


def _colours() -> Finding:
    if os.environ.get("NO_COLOR"):
        return Finding("colours", "ok", "none, since NO_COLOR is set")
    if colour() is False:
        return Finding("colours", "warn", "none: TERM=dumb", "export TERM=xterm-256color")
    return Finding("colours", "ok", os.environ.get("COLORTERM") or os.environ.get("TERM") or "some")


def store(where: str) -> Iterator[Finding]:
    """Whether a store can be read."""
    from choreia.actors.keeping import open_store, shown_store

    shown = plain(str(shown_store(where)), 120)
    if "://" not in where and not Path(where).exists():
        yield Finding("store", "warn", f"{shown} is not there", "`choreia run … --store` makes it")
        return
    try:
        found = open_store(where, "full", 0, readonly=True)
        try:
            info = found.info()
        finally:
            found.close()
    except ChoreiaError as error:
        yield Finding("store", "bad", shown, plain(str(error), 300))
        return
    yield Finding("store", "ok", f"{shown}: {info.head:,} events")


def numbers(version: str) -> tuple[int, ...]:
    """A version to compare by: ``1.10.0rc1`` is ``(1, 10)``, as ``1.10`` is."""
    read = [int(part) for part in re.findall(r"\d+", re.split(r"[A-Za-z+-]", version)[0])]
    while read and not read[-1]:
        read.pop()
    return tuple(read)


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
