"""A system that is looked at: its socket, from its beginning to its end."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from choreia.actors.inspecting.control import Control
from choreia.actors.inspecting.desk import Desk
from choreia.actors.inspecting.options import Inspection
from choreia.actors.inspecting.sampler import Sampler
from choreia.actors.inspecting.stories import Stories
from choreia.runtime.inspection import real
from choreia.runtime.inspection.frames import Fields
from choreia.runtime.inspection.meter import Meter
from choreia.runtime.inspection.places import SUFFIX, folder
from choreia.runtime.inspection.server import Server

if TYPE_CHECKING:
    from choreia.actors.cases import Board
    from choreia.actors.guard import Guard
    from choreia.actors.presence import Presence
    from choreia.actors.roster import Roster
    from choreia.actors.system import ActorSystem

LONGEST = 200
"""Characters of a command line."""
_numbers = count(1)


def serve(
    system: ActorSystem,
    given: Inspection,
    roster: Roster,
    presence: Presence,
    guard: Guard,
    board: Board,
    facts: Fields,
) -> Server:
    """Serve whoever looks at `system`, until the server is stopped.

    `facts`: what it says of itself, besides. Raises `InspectionInsecure`.
    """
    meter = Meter()
    sampler = Sampler(roster, presence, guard, meter, given.redact)
    desk = Desk(
        roster,
        sampler,
        Stories(board, given.redact),
        Control(system, roster, sampler, allowed=given.control),
        {**_process(), "node": roster.engine.node, **facts},
        given.redact,
    )
    path = given.path or folder() / f"{os.getpid()}-{next(_numbers)}{SUFFIX}"
    server = Server(path, desk, meter)
    server.start()
    return server


def _process() -> Fields:
    return {
        "version": version("choreia"),
        "pid": os.getpid(),
        "uid": os.getuid(),
        "python": platform.python_version(),
        "program": _program(sys.argv)[:LONGEST],
        "started": real.now(),
    }


def _program(arguments: list[str]) -> str:
    """As it was typed, more or less."""
    if not arguments:
        return ""
    path = Path(arguments[0])
    name = path.parent.name if path.name == "__main__.py" else path.name  # python -m NAME
    return " ".join([name, *arguments[1:]])
