"""What a test expects an event to be, and how far an event is from it.

Everything is checked where it is written. An expectation that no event could ever meet is refused:
in an `expect_no` it would be a check that cannot fail.
"""

from __future__ import annotations

import builtins
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import cast

import attrs

from choreia.actors.testing.differing import differences
from choreia.actors.testing.own import meant
from choreia.runtime.delivery.deadletter import name_error
from choreia.runtime.errors import InvalidPattern, InvalidPayload
from choreia.runtime.events.display import brief, plain
from choreia.runtime.events.event import Event
from choreia.runtime.events.filter import Filter
from choreia.runtime.events.schema import type_of, unstructure
from choreia.runtime.events.topic import TopicPattern

Filtering = Mapping[str, object] | Filter | None
Predicate = Callable[[Event], object]


@attrs.frozen
class Judgement:
    """What an expectation makes of one event."""

    type_fits: bool
    faults: tuple[str, ...] = ()
    """What of payload and filter does not hold, a line each."""
    raised: bool = False
    """Whether it could not be told, because the predicate raised."""

    @property
    def fits(self) -> bool:
        return self.type_fits and not self.faults


@attrs.frozen(eq=False)
class Expectation:
    """A type, perhaps a payload, perhaps a filter. Make one by `of`."""

    pattern: TopicPattern
    payload: object
    """What the payload must equal, or a `predicate`; None: anything."""
    filter: Filter | None
    text: str
    """The expectation in words. Made first: what equals anything of a kind (dirty-equals) shows
    itself, once it was compared, as what it was compared with."""

    @classmethod
    def of(cls, type: object, payload: object = None, filter: Filtering = None) -> Expectation:
        """What `expect` was given, checked. Raises `InvalidPattern`, `InvalidPayload` and
        `InvalidFilter`."""
        pattern, content = _topic(type)
        if content is not None and payload is not None:
            raise InvalidPayload(
                f"an instance of {builtins.type(type).__name__} brings its payload along: leave "
                "the other one out"
            )
        content = _checked(payload) if content is None else content
        compiled = Filter(filter) if isinstance(filter, Mapping) else filter
        return cls(pattern, content, compiled, _in_words(pattern, content, compiled))

    @property
    def predicate(self) -> Predicate | None:
        """The payload, if that is a function to be asked; a class is none, and is compared."""
        if callable(self.payload) and not isinstance(self.payload, builtins.type):
            return cast("Predicate", self.payload)
        return None

    def judge(self, event: Event) -> Judgement:
        """Asks the predicate, so call it once per event."""
        if not meant(self.pattern, event):
            return Judgement(type_fits=False)
        faults, raised = self._payload_faults(event)
        return Judgement(True, (*faults, *self._filter_faults(event)), raised)

    def has_payload_of(self, event: Event) -> bool:
        """Whether `event` has the payload that was expected, whatever its type. A predicate is not
        asked: it was written for events of another type."""
        return self.payload is not None and event.payload == self.payload

    def _payload_faults(self, event: Event) -> tuple[tuple[str, ...], bool]:
        predicate = self.predicate
        if predicate is None:
            # As in `assert event.payload == expected`: plain JSON on the left leaves it to what has
            # an `__eq__` of its own on the right, at whatever depth.
            if self.payload is None or event.payload == self.payload:
                return (), False
            return differences(event.payload, self.payload), False
        try:
            held = bool(predicate(event))
        except Exception as error:
            return (f"{_name(predicate)} raised {plain(name_error(error), 200)}",), True
        return () if held else (f"{_name(predicate)} says no",), False

    def _filter_faults(self, event: Event) -> tuple[str, ...]:
        mismatch = None if self.filter is None else self.filter.explain(event)
        if mismatch is None:
            return ()
        found = " and ".join(brief(value, 60) for value in mismatch.found) or "nothing"
        return (f"filter: {mismatch.path} must be {brief(mismatch.condition)}, found {found}",)


def _topic(type: object) -> tuple[TopicPattern, object]:
    """The pattern, and the payload that is given with it, if it is an instance."""
    if isinstance(type, str):
        return TopicPattern(type), None
    declared = type_of(type)
    if declared is None:
        raise InvalidPattern(
            f"{brief(type)} is nothing to expect: give a pattern such as 'order.*', a class "
            "declared with @event_type, or an instance of one"
        )
    return TopicPattern(declared[0]), None if isinstance(type, builtins.type) else unstructure(type)


def _checked(payload: object) -> object:
    """`payload`, unless no payload can ever equal it."""
    if inspect.iscoroutinefunction(payload):
        raise InvalidPayload(f"{_name(payload)} is `async def`: its coroutine would always be true")
    if isinstance(payload, (str, bytes, bool, int, float, list, tuple, set, frozenset)):
        raise InvalidPayload(
            f"payload={brief(payload)}: a payload is a mapping; give one, something that equals "
            "one, or a function of the event"
        )
    if isinstance(payload, type) and type(payload).__eq__ is type.__eq__:
        raise InvalidPayload(
            f"payload={payload.__name__}: no payload equals this class; give a mapping, or a "
            "function of the event"
        )
    return _as_published(payload)


def _as_published(value: object) -> object:
    """Publishing makes lists of tuples, so a tuple in what is expected would equal nothing."""
    if isinstance(value, Mapping):
        fields = cast("Mapping[object, object]", value)
        return {key: _as_published(item) for key, item in fields.items()}
    if isinstance(value, (list, tuple)):
        return [_as_published(item) for item in cast("Sequence[object]", value)]
    return value


def _in_words(pattern: TopicPattern, payload: object, filter: Filter | None) -> str:
    words = [str(pattern)]
    if isinstance(payload, type) or not callable(payload):
        words += [] if payload is None else [f"with {plain(brief(payload, 200))}"]
    else:
        words.append(f"that {_name(payload)} says yes to")
    if filter is not None:
        words.append(f"where {plain(brief(filter.mapping, 200))}")
    return " ".join(words)


def _name(function: object) -> str:
    name = str(getattr(function, "__name__", type(function).__name__))
    return "the lambda" if name == "<lambda>" else f"{name}()"
