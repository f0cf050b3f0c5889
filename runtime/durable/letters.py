"""Dead letters that outlive the process: those of events stand in the store."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

import attrs

from choreia.runtime.delivery.deadletter import KEPT, DeadLetter, DeadLetters, name_error
from choreia.runtime.stores.unit import DropLetter, KeepLetter, Letter, Unit

if TYPE_CHECKING:
    from choreia.runtime.durable.bus import LogBus

Key = tuple[str, str]


def kept(letter: DeadLetter) -> Letter:
    """A dead letter of an event, as it is stored."""
    assert letter.event is not None
    return Letter(
        letter.agent,
        letter.event,
        letter.reason,
        letter.said if letter.error is None else name_error(letter.error),
        # A traceback may quote text that UTF-8 cannot hold.
        letter.traceback.encode("utf-8", "replace").decode(),
        letter.attempts,
        letter.time,
    )


def dead_letter(letter: Letter) -> DeadLetter:
    """The same, read from a store: the error is text by now."""
    return DeadLetter(
        event=letter.event,
        agent=letter.agent,
        error=None,
        traceback=letter.traceback,
        attempts=letter.attempts,
        reason=letter.reason,
        time=letter.time,
        said=letter.error,
    )


class StoreLetters(DeadLetters):
    """Letters of told messages are in memory, those of events in the store."""

    def __init__(self, bus: LogBus) -> None:
        super().__init__()
        self._bus = bus
        self._guard = threading.Lock()
        self._recent: OrderedDict[Key, DeadLetter] = OrderedDict()
        """Of this run, with the errors themselves, and what was done before them."""
        self._returning: set[Key] = set()
        """On their way back to their agents."""

    def add(self, letter: DeadLetter) -> None:
        if letter.event is None:
            super().add(letter)
            return
        self._bus.keep(Unit(changes=[KeepLetter(kept(letter))]))
        self.remember(letter)

    def remember(self, letter: DeadLetter) -> None:
        """It is in the store, or on its way."""
        if letter.event is None:
            return
        key = (letter.agent, letter.event.id)
        with self._guard:
            self._returning.discard(key)
            self._recent[key] = letter
            self._recent.move_to_end(key)
            if len(self._recent) > KEPT:
                self._recent.popitem(last=False)

    def handled(self, agent: str, event_id: str) -> None:
        """It was, after all."""
        with self._guard:
            self._recent.pop((agent, event_id), None)
            self._returning.discard((agent, event_id))

    def remove(self, letter: DeadLetter) -> bool:
        if letter.event is None:
            return super().remove(letter)
        key = (letter.agent, letter.event.id)
        found = [one for one in self._bus.store.letters(letter.agent) if one.event.id == key[1]]
        with self._guard:
            if not found or found[0].waiting or key in self._returning:
                return False
            self._returning.add(key)
        back = attrs.evolve(found[0], waiting=True, crashes=0)
        self._bus.keep(Unit(changes=[KeepLetter(back)]))
        return True

    def drop(self, agent: str, event_id: str) -> None:
        """Nobody wants it any more."""
        self.handled(agent, event_id)
        self._bus.keep(Unit(changes=[DropLetter(agent, event_id)]))

    def all(self) -> list[DeadLetter]:
        found = [
            self._recent.get((one.agent, one.event.id)) or dead_letter(one)
            for one in self._bus.store.letters()
            if not one.waiting and (one.agent, one.event.id) not in self._returning
        ]
        return sorted([*found, *super().all()], key=lambda letter: letter.time)
