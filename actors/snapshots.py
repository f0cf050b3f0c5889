"""Snapshots: states as JSON, so that an agent need not fold its whole history to begin.

A snapshot is only an abbreviation. One that was made of another state class is ignored, and one is
only kept if what is read back equals what was written: a class that cannot be kept so is folded
anew each time, and that is said once.
"""

from __future__ import annotations

import logging
from typing import cast

import orjson

from choreia.actors.fingerprint import fingerprint
from choreia.runtime.errors import ChoreiaError
from choreia.runtime.events.structuring import structurer, unstructurer
from choreia.runtime.stores.unit import Snapshot

log = logging.getLogger("choreia.state")


PATIENCE = 10
"""States of a class that cannot be kept, one after the other, before no more are tried."""


class Snapshots:
    """Of one state class."""

    def __init__(self, state_class: type, every: int | None, version: str) -> None:
        self._class = state_class
        self._version = version
        self._code: str | None = None
        self._told: set[str] = set()
        self._failed = 0
        self.every = every
        """Events between two; None: there are none."""

    @property
    def code(self) -> str:
        """Worked out when it is first needed: by then the class is complete."""
        if self._code is None:
            self._code = fingerprint(self._class, self._version)
        return self._code

    def freeze(self, state: object) -> bytes | None:
        """`state` as JSON; None if it would not be the same when it is read back."""
        if self.every is None:
            return None
        try:
            body = orjson.dumps(unstructurer(self._class)(state))
            if self._read(body) == state and self.code:
                self._failed = 0
                return body
            why = "what is read back is not equal to what was written"
        except Exception as error:  # of the user's own classes and hooks
            why = f"{type(error).__name__}: {error}"
        self._failed += 1
        if self._failed >= PATIENCE:
            self.every = None
            name = self._class.__name__
            log.info("%s is kept in no snapshots, and folded anew each time: %s", name, why)
        return None

    def thaw(self, snapshot: Snapshot | None) -> object | None:
        """The state of a snapshot; None if there is none, or none of this class."""
        if snapshot is None or self.every is None:
            return None
        name = self._class.__name__
        if snapshot.code != self.code:
            self._say(
                f"{name} is another class than its snapshots were made of: they are ignored, and "
                "its states folded anew"
            )
            return None
        try:
            return self._read(snapshot.state)
        except (ChoreiaError, ValueError, TypeError) as error:
            self._say(f"a snapshot of {name} cannot be read, and is ignored: {error}")
            return None

    def _read(self, body: bytes) -> object:
        return cast("object", structurer(self._class)(orjson.loads(body), self._class))

    def _say(self, text: str) -> None:
        """Once: there may be thousands of agents of the class."""
        if text not in self._told:
            self._told.add(text)
            log.warning("%s", text)
