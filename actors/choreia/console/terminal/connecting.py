"""Finding the system that is meant, for the first time and again."""

from __future__ import annotations

import time
from collections.abc import Mapping

from choreia.console.terminal.link import AGAIN, Connect
from choreia.runtime.errors import InspectionTimeout, NoSuchSystem, SeveralSystems
from choreia.runtime.inspection.client import Client
from choreia.runtime.inspection.finding import find


def connector(which: str | None) -> Connect:
    """What connects to the system that `which` names (see `find`).

    One that was there before is looked for by its node, too: a process that is started again has
    another number, and meanwhile others may have come.
    """

    def connect(hello: Mapping[str, object] | None) -> Client:
        try:
            return Client(find(which))
        except (NoSuchSystem, SeveralSystems):
            if hello is None or _is_path(which):
                raise
            return Client(find(str(hello.get("node"))))

    return connect


def wait_for(connect: Connect) -> Client:
    """The connection, as soon as there is a system that answers."""
    while True:
        try:
            return connect(None)
        except (NoSuchSystem, InspectionTimeout):
            time.sleep(AGAIN)


def _is_path(which: str | None) -> bool:
    return which is not None and ("/" in which or which.endswith(".sock"))
