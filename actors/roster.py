"""The agents of one system, by name: taken on and let go."""

from __future__ import annotations

import threading
from collections import deque
from itertools import count
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote

from choreia.actors.gone import Gone
from choreia.runtime.delivery.cell import Cell
from choreia.runtime.delivery.engine import Engine, stopped_error
from choreia.runtime.errors import DuplicateName, UnknownAgent

if TYPE_CHECKING:
    from choreia.actors.record import Record
    from choreia.runtime.events.event import Event
    from choreia.runtime.insight.story import Interest

PAST = 1_000
"""Agents that are gone, and of which it is remembered what they listened to."""
RESERVED = frozenset({"system", "outside"})
"""Names that stand for the runtime itself, and for whoever publishes from outside."""


class Roster:
    """Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._lock = threading.Lock()
        self._by_name: dict[str, Cell] = {}
        self._by_id: dict[str, Cell] = {}
        self._names: set[str] = set()
        self._closed = False
        self.gone = Gone()
        self.past: deque[tuple[Interest, Event | None, Event | None]] = deque(maxlen=PAST)
        """What agents listened to that are gone, and between which events."""
        self.next_number = count(1).__next__

    def reserve(self, name: str) -> None:
        """Take `name` before the agent is there. Raises `DuplicateName`."""
        with self._lock:
            if name in RESERVED:
                raise DuplicateName(f"the name {name!r} is the runtime's own", name=name)
            taken = self._by_name.get(name)
            if taken is not None and taken.kind == "system":
                raise DuplicateName(
                    f"the name {name!r} is that of an agent of the runtime's own: give yours "
                    "another, spawn(…, name=…)",
                    name=name,
                )
            if name in self._names:
                raise DuplicateName(
                    f"there is an agent named {name!r} already: give this one another, "
                    "spawn(…, name=…)",
                    name=name,
                )
            self._names.add(name)

    def free(self, name: str) -> None:
        """The agent that `name` was reserved for did not come about."""
        with self._lock:
            self._names.discard(name)

    def close(self) -> None:
        """The system stops: take on nobody more."""
        with self._lock:
            self._closed = True

    def add(self, cell: Cell) -> None:
        """Take on. Raises `SystemStopped` when it is too late."""
        with self._lock:
            if self._closed:
                raise stopped_error()
            self._by_name[cell.name] = cell
            self._by_id[cell.id] = cell

    def add_member(self, cell: Cell) -> None:
        """Take on a member of a family, also of a system that stops: it has something to do."""
        with self._lock:
            self._by_name[cell.name] = cell
            if cell.id not in self._by_id:  # else it is that of its group
                self._by_id[cell.id] = cell

    def remove_member(self, cell: Cell) -> None:
        """It sleeps, or is gone."""
        with self._lock:
            if self._by_name.get(cell.name) is cell:
                del self._by_name[cell.name]
                self.gone.add(cell)
            if self._by_id.get(cell.id) is cell:
                del self._by_id[cell.id]

    def remove(self, cell: Cell) -> None:
        """Out of the lists, and out of routing."""
        if cell.kind == "member":
            self.remove_member(cell)
            return
        table = self.engine.bus.table
        for subscription in cast("Record", cell.owner).subscriptions:
            table.remove(subscription)
        with self._lock:
            if self._by_name.get(cell.name) is cell:
                del self._by_name[cell.name]
                del self._by_id[cell.id]
                self.gone.add(cell)
                self._names.discard(cell.name)

    def remember(self, cell: Cell) -> None:
        """It is about to leave: what it listened to, as long as events of then are remembered."""
        from choreia.actors.interests import KINDS, interest_of

        cases = self.engine.cases
        if cases is not None and cell.kind in KINDS and not self.engine.refusing:
            record = cast("Record", cell.owner)
            self.past.append((interest_of(cell), record.since, cases.last()))

    def cell(self, name: str) -> Cell:
        """The agent of that name; of a keyed one the member of that key, woken if need be, as in
        ``orders:o-1``. Raises `UnknownAgent`."""
        cell = self._by_name.get(name) or self._woken(name)
        if cell is None:
            some = ", ".join(sorted(self._by_name)[:10])
            raise UnknownAgent(f"no agent named {name!r} is alive; there are: {some}", name=name)
        return cell

    def _woken(self, name: str) -> Cell | None:
        front, _, key = name.partition(":")
        cell = self._by_name.get(front)
        family = None if cell is None or not key else cast("Record", cell.owner).family
        return None if family is None else family.member(unquote(key))

    def parts(self, name: str, *, paused: bool | None = None) -> list[Cell]:
        """The agent of that name; with the members that are there, if it is a family. `paused`:
        whether those that are woken from now on are to be."""
        cell = self.cell(name)
        family = cast("Record", cell.owner).family
        if family is None or family.front is not cell:
            return [cell]
        if paused is not None:
            family.pause(paused)
        return [*family.members(), *([cell] if family.front_works else [])]

    def belongs(self, id: str) -> bool:
        """Whether an id is that of an agent here, or of a member of one, awake or not."""
        if id in self._by_id:
            return True
        front, _, key = id.rpartition(":")
        return bool(key) and front in self._by_id

    def there(self, name: str) -> Cell | None:
        """The agent of that name, if it is awake."""
        return self._by_name.get(name)

    def by_id(self, id: str) -> Cell | None:
        return self._by_id.get(id)

    def all(self) -> list[Cell]:
        """In the order they were spawned."""
        with self._lock:
            return list(self._by_name.values())
