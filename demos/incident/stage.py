"""Letting the story run, from outside: time passes, people answer, and somebody watches."""

from __future__ import annotations

from collections.abc import Callable

from choreia import ActorSystem, Event
from choreia.actors.crashing import crash
from choreia.actors.requests import Listener
from choreia.demos.incident.books import Books
from choreia.demos.incident.cast import FIXER
from choreia.demos.incident.events import ActionProposed
from choreia.demos.incident.faults import Fault
from choreia.demos.incident.people import People

LOOK = 0.1
"""Seconds between two looks, at most."""


def play(
    system: ActorSystem,
    books: Books,
    people: People,
    longest: float,
    look: Callable[[], None] = lambda: None,
) -> None:
    """Wait until the story is complete, or `longest` seconds are over.

    The same on both dispatchers: waiting for an event lets virtual time pass, too.
    """
    until = system.clock.monotonic() + longest
    with system.listen(ActionProposed) as proposals:
        while not books.complete and system.clock.monotonic() < until:
            proposed = _hear(proposals)
            if proposed is not None:
                if books.fault is Fault.CRASH:
                    crash(system, FIXER)
                people.hear(proposed)
            people.speak()
            look()


def _hear(news: Listener) -> Event | None:
    try:
        return news.next(timeout=LOOK)
    except TimeoutError:
        return None
