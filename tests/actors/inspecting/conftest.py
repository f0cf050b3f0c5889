"""A system that is looked at, and who looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from choreia import ActorSystem, Inspection
from choreia.runtime.inspection.client import Client

PATIENCE = 30.0
"""Seconds for what must come."""


@frozen
class Looked:
    """A system, and a client of it."""

    system: ActorSystem
    client: Client

    def call(self, verb: str, **args: object) -> Any:
        return self.client.call(verb, **args)

    def agent(self, name: str) -> Any:
        """Its row in a snapshot."""
        rows = self.call("snapshot")["agents"]
        return next(row for row in rows if row["name"] == name)


Look = Callable[..., Looked]


@pytest.fixture
def look(tmp_path: Path) -> Iterator[Look]:
    """Starts a system that is looked at: `look(control=True, store=…)`."""
    with ExitStack() as stack:

        def start(*, control: bool = False, redact: tuple[str, ...] = (), **options: Any) -> Looked:
            inspection = Inspection(tmp_path / "s.sock", control=control, redact=redact)
            system = stack.enter_context(ActorSystem(inspect=inspection, **options))
            client = stack.enter_context(Client(tmp_path / "s.sock", PATIENCE))
            return Looked(system, client)

        yield start
