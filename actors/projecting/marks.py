"""`@project`: which events a method of a projection writes into its tables."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import attrs

from choreia.actors.handlers import Topic, topic_of
from choreia.runtime.delivery.steps import Kind
from choreia.runtime.errors import InvalidAgent
from choreia.runtime.events.event import Event
from choreia.runtime.events.filter import Filter
from choreia.runtime.events.schema import structure, upcast
from choreia.runtime.events.topic import TopicPattern

F = TypeVar("F", bound=Callable[..., object])

_MARK = "__choreia_project__"


def project(
    topic: str | type, filter: Mapping[str, object] | Filter | None = None
) -> Callable[[F], F]:
    """Have a method of a `Projection` write the events that `topic` selects and `filter` lets
    through.

    `topic` is a pattern, or a class declared with ``@event_type``, an instance of which the method
    then gets. The method takes the database and the event: ``def created(self, db, event)``. What
    it raises is retried, and nothing of it is written. Raises `InvalidPattern`, `InvalidFilter` or
    `InvalidAgent` at once.
    """
    if inspect.isfunction(topic):
        raise InvalidAgent("@project needs a topic: write @project('order.created')")
    declared = topic_of(topic, filter)
    if declared.templated:
        raise InvalidAgent(f"@project({topic!r}): only an agent's @on can name attributes")

    def mark(method: F) -> F:
        setattr(method, _MARK, (declared, *getattr(method, _MARK, ())))
        return method

    return mark


@attrs.frozen
class Method:
    """A method that writes, and one of its topics."""

    name: str
    topic: Topic
    pattern: TopicPattern

    def wants(self, event: Event) -> bool:
        filter = self.topic.filter
        return self.pattern.matches(event.type) and (filter is None or filter.matches(event))

    def call(self, projection: object, db: Any, event: Event) -> None:
        """Raises `PayloadMismatch`, and whatever the method raises."""
        event = upcast(event)
        given: object = event
        if self.topic.payload_class is not None:
            given = structure(event, self.topic.payload_class)
        getattr(projection, self.name)(db, given)


def methods_of(cls: type) -> tuple[Method, ...]:
    """Those of base classes first, in the order they are defined. Raises `InvalidAgent`."""
    marks: dict[str, tuple[Topic, ...]] = {}
    for base in reversed(cls.__mro__):
        for name, value in vars(base).items():
            if topics := getattr(value, _MARK, ()):
                marks[name] = topics
    for name in marks:
        _check(cls, name)
    return tuple(
        Method(name, topic, topic.pattern(None))
        for name, topics in marks.items()
        for topic in topics
    )


def _check(cls: type, name: str) -> None:
    method = inspect.getattr_static(cls, name)
    if not inspect.isfunction(method) or Kind.of(method) is not Kind.PLAIN:
        raise InvalidAgent(
            f"{cls.__name__}.{name}: a method marked with @project must be a plain `def`: it runs "
            "in a transaction, and waits for nobody"
        )
    try:
        inspect.signature(method).bind(None, None, None)
    except TypeError:
        raise InvalidAgent(
            f"{cls.__name__}.{name}{inspect.signature(method)} must take self, the database and "
            "the event"
        ) from None


class Methods:
    """What a projection does with events."""

    def __init__(self, cls: type) -> None:
        self._methods = methods_of(cls)
        self.patterns = tuple(dict.fromkeys(one.pattern.pattern for one in self._methods))
        self.topics = tuple(one.topic for one in self._methods)

    def of(self, event: Event) -> tuple[Method, ...]:
        """Those that write `event`, each once, in the order they are defined."""
        found: dict[str, Method] = {}
        for one in self._methods:
            if one.name not in found and one.wants(event):
                found[one.name] = one
        return tuple(found.values())
