"""Which system is meant: the only one there is, or one by its node, its process, or its socket."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs

from choreia.runtime.errors import (
    ChoreiaError,
    InspectionRefused,
    InspectionTimeout,
    NoSuchSystem,
    SeveralSystems,
)
from choreia.runtime.events.display import plain
from choreia.runtime.inspection.client import Client
from choreia.runtime.inspection.places import folder, sockets

PATIENCE: Final = 2.0
"""Seconds that a system has to say who it is, when all are asked."""
NAMED: Final = 20


@attrs.frozen
class Found:
    """A system that is running, and serves."""

    path: Path
    hello: Mapping[str, object]

    def __str__(self) -> str:
        node, pid = self.hello.get("node", "?"), self.hello.get("pid", "?")
        return plain(f"{node}, process {pid} ({self.hello.get('program', '?')})", 200)


@attrs.frozen
class Silent:
    """A system that is there, and does not say who it is: it hangs, or has its hands full."""

    path: Path
    reason: str

    @property
    def pid(self) -> str:
        """As its socket is named for it."""
        return self.path.name.partition("-")[0]

    def __str__(self) -> str:
        return plain(f"process {self.pid} ({self.path}): {self.reason}", 300)


def look() -> tuple[list[Found], list[Silent]]:
    """Those of this user that say who they are, and those that do not; the oldest first."""
    found: list[Found] = []
    silent: list[Silent] = []
    for path in sockets():
        try:
            with Client(path, PATIENCE) as client:
                found.append(Found(path, client.hello))
        except (InspectionTimeout, InspectionRefused) as error:
            silent.append(Silent(path, str(error)))
        except ChoreiaError:
            continue  # it has ended meanwhile, or is none of this protocol
    return found, silent


def systems() -> list[Found]:
    """Those of this user that say who they are, the oldest first."""
    return look()[0]


def find(which: str | None = None) -> Path:
    """The socket of the system that is meant: by a path, a process's number, or a node's name;
    None: the only one.

    Raises `NoSuchSystem` and `SeveralSystems`.
    """
    if which is not None and ("/" in which or which.endswith(".sock")):
        return Path(which)  # whoever connects finds out
    there, silent = look()
    meant: list[Found | Silent] = [one for one in there if which is None or which in _names(one)]
    if not meant:  # whoever connects is told why it says nothing
        meant = [one for one in silent if which in (None, one.pid)]
    if len(meant) == 1:
        return meant[0].path
    if meant:
        lines = [str(one) for one in meant]
        raise SeveralSystems(
            f"{len(meant)} systems could be meant: choose one by its process, --system PID. "
            f"There are: {'; '.join(lines[:NAMED])}",
            systems=lines,
        )
    if which is None:
        raise NoSuchSystem(
            f"no running system was found in {folder()}: start one with `choreia run` or `choreia "
            "demo`, or with ActorSystem(inspect=True); one at another path is named by --system"
        )
    others = "; ".join(map(str, [*there, *silent][:NAMED])) or "none"
    raise NoSuchSystem(f"no running system is called {plain(which, 80)!r}. There are: {others}")


def _names(one: Found) -> set[str]:
    return {str(one.hello.get("node")), str(one.hello.get("pid"))}
