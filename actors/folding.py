"""A state that is a fold of what an agent emits: `@applies`, and how it follows a turn."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import TypeVar

from choreia.actors.marks import MARK, AppliedTopic
from choreia.actors.snapshots import Snapshots
from choreia.runtime.errors import InvalidAgent
from choreia.runtime.events.event import Event
from choreia.runtime.events.schema import structure, type_of, upcast
from choreia.runtime.events.topic import TopicPattern
from choreia.runtime.stores.unit import Snapshot

F = TypeVar("F", bound=Callable[..., object])


def applies(topic: str | type) -> Callable[[F], F]:
    """Mark a method of a state class: it takes an event that `topic` selects, and returns the next
    state.

    `topic` is a pattern, or a class declared with ``@event_type``, an instance of which the method
    then gets. The state is frozen: the method makes a new one (``attrs.evolve(self, …)``).
    """
    if isinstance(topic, type):
        declared = type_of(topic)
        if declared is None:
            raise InvalidAgent(f"@applies({topic!r}): give a pattern, or an @event_type class")
        marked = AppliedTopic(TopicPattern(declared[0]), topic)
    elif isinstance(topic, str):
        marked = AppliedTopic(TopicPattern(topic), None)
    else:
        raise InvalidAgent("@applies needs a topic: write @applies('memory.updated')")

    def mark(method: F) -> F:
        setattr(method, MARK, (marked, *getattr(method, MARK, ())))
        return method

    return mark


class Applier:
    """What a state class does with events, in the order its methods are defined."""

    def __init__(self, state_class: type) -> None:
        """Raises `InvalidAgent` for a class that has no `@applies`, or needs arguments."""
        self.state_class = state_class
        self._methods: list[tuple[AppliedTopic, Callable[..., object]]] = []
        for base in reversed(state_class.__mro__):
            for name, value in vars(base).items():
                for topic in getattr(value, MARK, ()):
                    self._methods.append((topic, getattr(state_class, name)))
        if not self._methods:
            raise InvalidAgent(
                f"{state_class.__name__} has no method marked with @applies(…): nothing would "
                "change it"
            )
        self._by_type: dict[str, tuple[tuple[AppliedTopic, Callable[..., object]], ...]] = {}

    @property
    def patterns(self) -> list[TopicPattern]:
        return [topic.pattern for topic, _ in self._methods]

    def initial(self) -> object:
        """The state before anything has happened."""
        try:
            return self.state_class()
        except TypeError as error:
            raise InvalidAgent(
                f"{self.state_class.__name__}() cannot be made without arguments ({error}): give "
                "its fields defaults"
            ) from error

    def next(self, state: object, event: Event) -> object:
        """The state after `event`. Raises what the method raises, and `InvalidAgent` when it
        returns no state."""
        event = upcast(event)  # one from a store may be older than the state's class
        methods = self._by_type.get(event.type)
        if methods is None:
            methods = tuple(m for m in self._methods if m[0].pattern.matches(event.type))
            self._by_type[event.type] = methods
        for topic, method in methods:
            given: object = event
            if topic.payload_class is not None:
                given = structure(event, topic.payload_class)
            state = method(state, given)
            if not isinstance(state, self.state_class):
                raise InvalidAgent(
                    f"{getattr(method, '__qualname__', method)} returned a "
                    f"{type(state).__name__}: it must return the next {self.state_class.__name__}"
                )
        return state

    def fold(self, state: object, events: Iterable[Event]) -> object:
        for event in events:
            state = self.next(state, event)
        return state


WORTH = 256
"""Bytes of a snapshot for each of which an event must have come: a state that grows for ever is
written out less and less often, so that all snapshots together stay in proportion to the log."""


class StateFold:
    """The state of one instance. Implements `Fold`; for the thread that owns the turn."""

    __slots__ = ("_applier", "_buffered", "_due", "_since", "_snapshots", "begun", "kept", "state")

    def __init__(self, applier: Applier, snapshots: Snapshots) -> None:
        self._applier = applier
        self._snapshots = snapshots
        self.kept = self.state = applier.initial()
        """What is kept is safe from the handler that runs now. Frozen: anybody may read it."""
        self.begun = False
        """Whether it is what the agent has said so far."""
        self._buffered: list[Event] = []
        self._since = 0
        """Events since the last snapshot."""
        self._due = snapshots.every or 0

    def restore(self, snapshot: Snapshot | None) -> int:
        state = self._snapshots.thaw(snapshot)
        self._buffered.clear()
        self._since = 0
        if snapshot is None or state is None:
            self.kept = self.state = self._applier.initial()
            return 0
        self.kept = self.state = state
        return snapshot.position

    def resume(self, state: object) -> None:
        """Be what another instance has come to."""
        self.kept = self.state = state
        self.begun = True

    def begin(self, events: Iterable[Event]) -> None:
        state = self.kept
        for event in events:
            state = self._applier.next(state, event)
            self._since += 1
        self.kept = self.state = state
        self.begun = True

    def snapshot(self) -> tuple[str, bytes] | None:
        if self._since < self._due or self._snapshots.every is None:
            return None
        body = self._snapshots.freeze(self.kept)
        if body is None:
            return None
        self._since = 0
        self._due = max(self._snapshots.every, len(body) // WORTH)
        return self._snapshots.code, body

    def emitted(self, event: Event) -> None:
        self.state = self._applier.next(self.state, event)
        self._buffered.append(event)

    def said(self, event: Event) -> None:
        # It stands in the log before what is buffered, and a replay will see it so.
        self.kept = self._applier.next(self.kept, event)
        self.state = self._applier.fold(self.kept, self._buffered)
        self._since += 1

    def keep(self) -> None:
        self.kept = self.state
        self._since += len(self._buffered)
        self._buffered.clear()

    def undo(self) -> None:
        self.state = self.kept
        self._buffered.clear()


def state_class_of(agent_class: type, base: type) -> type | None:
    """What stands in the brackets of ``EventSourcedAgent[State]``."""
    for cls in agent_class.__mro__:
        for written in vars(cls).get("__orig_bases__", ()):
            origin = getattr(written, "__origin__", None)
            # Or in those of a class between, which is generic itself.
            if inspect.isclass(origin) and issubclass(origin, base):
                states = [one for one in written.__args__ if inspect.isclass(one)]
                if states:
                    return states[0]
    return None
