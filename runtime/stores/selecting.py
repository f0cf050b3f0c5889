"""What stores share in reading: selections, and paging through a log."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from choreia.runtime.errors import InvalidStore
from choreia.runtime.events.event import Event
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.events.topic import TopicPattern
from choreia.runtime.stores.base import EventStore, Selection, When

PAGE = 512
"""Events that `read` takes from the medium at a time."""

Page = Callable[[int, int, Selection], list[Recorded]]


def selection_of(
    pattern: str | Sequence[str], source: str | None, correlation_id: str | None
) -> Selection:
    """A checked `Selection`. Raises `InvalidPattern`."""
    patterns = (pattern,) if isinstance(pattern, str) else tuple(pattern)
    for one in patterns:
        TopicPattern(one)
    return Selection(patterns, source, correlation_id)


def reading(
    page: Page, after: int, limit: int | None, selection: Selection, up_to: int | None
) -> Iterator[Recorded]:
    """Page through a log. Raises `InvalidStore` at once for numbers that make no sense."""
    for name, value in (("after", after), ("limit", limit), ("up_to", up_to)):
        if value is not None:
            _check_number("read", name, value)
    return _pages(page, after, limit, selection, up_to)


def check_cases(before: int | None, limit: int) -> None:
    """Raise `InvalidStore` for numbers that make no sense."""
    if before is not None:
        _check_number("cases", "before", before)
    _check_number("cases", "limit", limit)


def _check_number(of: str, name: str, value: object) -> None:
    if type(value) is not int or value < 0:
        raise InvalidStore(f"{of}({name}={value!r}): give a whole number, 0 or more")


def _pages(
    page: Page, after: int, limit: int | None, selection: Selection, up_to: int | None
) -> Iterator[Recorded]:
    left = limit
    while left is None or left > 0:
        wanted = PAGE if left is None else min(PAGE, left)
        found = page(after, wanted, selection)
        for recorded in found:
            if up_to is not None and recorded.position > up_to:
                return
            yield recorded
        if len(found) < wanted:
            return
        after = found[-1].position
        if left is not None:
            left -= len(found)


def events_of(store: EventStore, agent_id: str, up_to: When | None, after: int) -> Iterator[Event]:
    """What `agent_id` has said behind position `after`, up to a moment."""
    last = position_of(store, up_to)
    selection = Selection(source=agent_id)
    return (recorded.event for recorded in _pages(store.page, after, None, selection, last))


def check_moment(moment: object) -> None:
    """Raise `InvalidStore` for what is no moment of any log."""
    match moment:
        case datetime() if moment.tzinfo is None:
            raise InvalidStore(
                f"{moment!r} has no time zone, so nobody knows which moment it is: give it one, "
                "such as datetime(…, tzinfo=UTC)"
            )
        case None | str() | datetime():
            return
        case float() if not math.isnan(moment):
            return
        case int() if moment >= 0 and not isinstance(moment, bool):
            return
        case _:
            raise InvalidStore(
                f"{moment!r} is no moment of a log: give a datetime with a time zone, Unix seconds "
                "as a float, a position (an int, 0 or more), or the id of an event"
            )


def position_of(store: EventStore, moment: When | None) -> int:
    """The last position that belongs to a moment; of None the head. Raises `InvalidStore`."""
    check_moment(moment)
    match moment:
        case None:
            return store.head
        case datetime():
            return store.position_at(moment.timestamp())
        case float():
            return store.position_at(moment)
        case int():
            return min(moment, store.head)
        case str():
            found = store.find(moment)
    if found is None:
        raise InvalidStore(f"there is no event of the id {moment!r} in this store")
    return found.position


def matcher(selection: Selection) -> Callable[[Recorded], bool]:
    """Whether an event is selected, for stores that look at each."""
    patterns = None
    if "#" not in selection.patterns:
        patterns = [TopicPattern(pattern) for pattern in selection.patterns]
    known: dict[str, bool] = {}

    def type_matches(type: str) -> bool:
        if patterns is None:
            return True
        if type not in known:
            known[type] = any(pattern.matches(type) for pattern in patterns)
        return known[type]

    def matches(recorded: Recorded) -> bool:
        event = recorded.event
        if selection.live is not None and recorded.live is not selection.live:
            return False
        if selection.source is not None and event.source != selection.source:
            return False
        case = selection.correlation_id
        if case is not None and event.metadata.correlation_id != case and event.id != case:
            return False
        return type_matches(event.type)

    return matches
