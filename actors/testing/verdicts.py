"""The end of a test: what it left behind, and whether that was expected or allowed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from choreia.actors.testing.allowing import KINDS, Fault
from choreia.actors.testing.recording import Record
from choreia.runtime.delivery.deadletter import DeadLetter, name_error
from choreia.runtime.delivery.failure import Failure
from choreia.runtime.events.display import plain

_HEADINGS = {
    "dead_letters": "dead letters that nobody expected",
    "handler_errors": "errors of handlers and hooks",
    "in_flight": "still in flight",
    "leaked_agents": "agents that do not end",
}
_WAYS = {
    "dead_letters": (
        "to allow them: allow(dead_letters=True), or a type, an agent, a reason, a class of "
        'errors; or expect("event.dead_lettered")'
    ),
    "handler_errors": (
        "to allow them: allow(handler_errors=True), or a type, an agent, a class of errors"
    ),
    "in_flight": "to allow it: allow(in_flight=True), or an agent; or advance() until it is done",
    "leaked_agents": "to allow them: allow(leaked_agents=True), or an agent",
}

_Key = tuple[str, str]
"""An agent's name and an event's id: one delivery."""


def dead_letter_faults(letters: Iterable[DeadLetter], record: Record) -> list[Fault]:
    """The dead letters, save those of which the test expected to hear."""
    expected = _expected(record)
    return [_of_letter(letter) for letter in letters if _delivery(letter) not in expected]


def handler_faults(
    failures: Iterable[Failure], letters: Sequence[DeadLetter], record: Record
) -> list[Fault]:
    """What was raised, save where a dead letter tells of it, or told of it and was expected."""
    told = _expected(record) | {_delivery(letter) for letter in letters}
    last = {id(letter.error) for letter in letters}

    def is_told(failure: Failure) -> bool:
        if id(failure.error) in last:
            return True
        return failure.event is not None and (failure.agent, failure.event.id) in told

    return [_of_failure(failure) for failure in failures if not is_told(failure)]


def _expected(record: Record) -> set[_Key]:
    """The deliveries that the test expected to end as dead letters: it asked for the event."""
    return {
        (str(event.payload.get("agent")), str(event.payload.get("event_id")))
        for event in record.expected()
        if event.type == "event.dead_lettered"
    }


def in_flight_faults(lines: Iterable[str]) -> list[Fault]:
    return [Fault("in_flight", line, line.partition(":")[0]) for line in lines]


def tell(faults: Sequence[Fault]) -> str:
    """All faults in one text, by kind, each with the way to allow it."""
    lines = [f"the test left {len(faults)} {'fault' if len(faults) == 1 else 'faults'} behind"]
    for kind in KINDS:
        of_kind = [fault for fault in faults if fault.kind == kind]
        if of_kind:
            lines += ["", f"{_HEADINGS[kind]}:"]
            lines += [f"  {fault.text}" for fault in of_kind[:10]]
            lines += [f"  … and {len(of_kind) - 10} more"] * (len(of_kind) > 10)
            lines.append(f"  ({_WAYS[kind]})")
    return "\n".join(lines)


def _delivery(letter: DeadLetter) -> _Key:
    return letter.agent, "" if letter.event is None else letter.event.id


def _of_letter(letter: DeadLetter) -> Fault:
    what = "a told message" if letter.event is None else letter.event.type
    tries = f" after {letter.attempts} attempts" if letter.attempts > 1 else ""
    why = "" if letter.error is None else f": {plain(name_error(letter.error), 200)}"
    return Fault(
        "dead_letters",
        f"{what} at {letter.agent} ({letter.reason}{tries}){why}",
        letter.agent,
        "" if letter.event is None else letter.event.type,
        letter.reason,
        letter.error,
    )


def _of_failure(failure: Failure) -> Fault:
    over = "" if failure.event is None else f" over {failure.event.type}"
    tried = f", attempt {failure.attempt}" if failure.attempt > 1 else ""
    return Fault(
        "handler_errors",
        f"{failure.agent} in {failure.where}{over}{tried}: {plain(name_error(failure.error), 200)}",
        failure.agent,
        "" if failure.event is None else failure.event.type,
        "",
        failure.error,
    )
