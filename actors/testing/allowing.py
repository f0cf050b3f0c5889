"""What a test may leave behind: what it allows, of four kinds of faults."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import attrs

from choreia.runtime.errors import ChoreiaError
from choreia.runtime.events.topic import TopicPattern

Allowance = bool | str | type[BaseException] | Iterable[str | type[BaseException]]
"""True: all of a kind. Else one or several of: an event's type or a pattern, an agent's name, a
dead letter's reason, a class of errors."""

KINDS = ("dead_letters", "handler_errors", "in_flight", "leaked_agents")


@attrs.frozen
class Fault:
    """Something that a test left behind."""

    kind: str
    """One of `KINDS`."""
    text: str
    """What it is, in one line."""
    agent: str = ""
    type: str = ""
    """Of the event in hand, if there is one."""
    reason: str = ""
    """Of the dead letter, if it is one."""
    error: BaseException | None = None


class Allowed:
    """All that one test has allowed so far."""

    def __init__(self) -> None:
        self._items: dict[str, list[str | type[BaseException]]] = {kind: [] for kind in KINDS}
        self._all: set[str] = set()

    def add(self, kind: str, allowance: Allowance) -> None:
        """Raises `ChoreiaError` for a kind that there is not, or what allows nothing."""
        if kind not in KINDS:
            raise ChoreiaError(f"allow {kind!r}: there is no such fault; there are {_list(KINDS)}")
        if allowance is True:
            self._all.add(kind)
        elif allowance is not False:
            self._items[kind] += [_checked(kind, item) for item in _each(allowance)]

    def covers(self, fault: Fault) -> bool:
        """Whether `fault` is none, then."""
        return fault.kind in self._all or any(_meant(x, fault) for x in self._items[fault.kind])


def _each(allowance: object) -> Iterable[object]:
    if isinstance(allowance, (str, type)):
        return (allowance,)
    return cast("Iterable[object]", allowance) if isinstance(allowance, Iterable) else (allowance,)


def _checked(kind: str, item: object) -> str | type[BaseException]:
    if isinstance(item, str):
        TopicPattern(item)  # a name and a reason are patterns too; raises for what is none
        return item
    if isinstance(item, type) and issubclass(item, BaseException):
        return item
    raise ChoreiaError(
        f"allow({kind}={item!r}): give True, an event's type or pattern, an agent's name, a "
        "reason, or a class of errors"
    )


def _meant(item: str | type[BaseException], fault: Fault) -> bool:
    if not isinstance(item, str):
        return isinstance(fault.error, item)
    if item in (fault.agent, fault.reason):
        return True
    return bool(fault.type) and TopicPattern(item).matches(fault.type)


def _list(words: Iterable[str]) -> str:
    return ", ".join(words)
