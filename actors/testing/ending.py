"""The end of a test: its system is stopped, and what it left behind fails it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import NoReturn

from choreia.actors.testing.allowing import Allowed, Fault
from choreia.actors.testing.explaining import Circumstances
from choreia.actors.testing.leaks import leaked
from choreia.actors.testing.session import Session
from choreia.actors.testing.verdicts import (
    dead_letter_faults,
    handler_faults,
    in_flight_faults,
    tell,
)
from choreia.runtime.errors import ExpectationFailed

Threads = frozenset[threading.Thread]


def check_end(session: Session, before: Threads, allowed: Allowed, where: Circumstances) -> None:
    """Stop the system. Raises `ExpectationFailed` for what is not `allowed`, all in one."""
    __tracebackhide__ = True
    in_flight = session.in_flight()
    letters, cells = session.system.dead_letters(), session.cells()
    faults = _left(
        [*dead_letter_faults(letters, session.record), *in_flight_faults(in_flight)], allowed
    )
    # Told as it was before the system stopped: that itself says much, and takes time.
    story = where.story() if faults else []
    # Waiting is over for what is in flight; else all may say their last words.
    session.stop(drain=not in_flight)
    # Only now: hooks run when agents stop, and may raise as well.
    failures = handler_faults(session.failures, letters, session.record)
    faults += _left([*failures, *leaked(before, cells)], allowed)
    if faults:
        _fail(faults, story or where.story())


def check_threads(before: Threads, allowed: Allowed) -> None:
    """The same for a test that has not used its harness."""
    __tracebackhide__ = True
    faults = _left(leaked(before, ()), allowed)
    if faults:
        _fail(faults, ())


def _left(faults: Iterable[Fault], allowed: Allowed) -> list[Fault]:
    return [fault for fault in faults if not allowed.covers(fault)]


def _fail(faults: Sequence[Fault], story: Sequence[str]) -> NoReturn:
    __tracebackhide__ = True
    text = "\n".join([tell(faults), *story])
    raise ExpectationFailed(text, faults=[fault.text for fault in faults])
