"""Making the events that an agent emits: checked, caused, and with an id that a retry repeats."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import isclass
from typing import Any

import attrs
import orjson

from choreia.runtime.errors import InvalidEvent, UndeclaredEvent
from choreia.runtime.events.event import Event, Metadata, make_event, make_metadata
from choreia.runtime.events.identity import Deriver, IdSource
from choreia.runtime.events.payload import EMPTY, FrozenDict, freeze
from choreia.runtime.events.schema import type_of, unstructure
from choreia.runtime.events.topic import TopicPattern, check_type
from choreia.runtime.events.upcasting import UPCAST, upcast

VERSION = "1.0.0"
_REMEMBERED = 4096

Occurrence = Callable[[str, bytes], int]
"""How often this attempt has said exactly this before."""


@attrs.frozen
class Declaration:
    """What a class of agents says it emits (`emits`); None: anything."""

    owner: str
    patterns: tuple[TopicPattern, ...] | None = None
    allowed: set[str] = attrs.field(factory=set[str], init=False, eq=False)
    """Types that have been checked: the hot path's one look-up. Bounded."""

    def check(self, type: str) -> str:
        """`type`, valid and declared; else `InvalidType` or `UndeclaredEvent`."""
        type = check_type(type)
        if self.patterns is not None and not any(p.matches(type) for p in self.patterns):
            declared = ", ".join(str(pattern.pattern) for pattern in self.patterns) or "nothing"
            raise UndeclaredEvent(
                f"{self.owner} emits {type!r} but declares emits = ({declared}); add it there, "
                "or emit a declared type",
                agent=self.owner,
                type=type,
            )
        if len(self.allowed) >= _REMEMBERED:
            self.allowed.clear()
        self.allowed.add(type)
        return type


def typed(type: object, payload: object) -> tuple[str, object, str]:
    """Type, payload and version of what was given: an instance, or a type and a payload."""
    if isinstance(type, str):
        declared = None if payload is None else type_of(payload)
        if declared is None:
            return type, EMPTY if payload is None else payload, VERSION
        if declared[0] != type:
            raise InvalidEvent(
                f"a {payload.__class__.__name__} is a {declared[0]!r}, not a {type!r}: give the "
                "instance alone, or the type it was declared with"
            )
        return type, unstructure(payload), declared[1]
    if isinstance(type, Mapping):
        raise InvalidEvent(
            "the type is missing: give it first, such as ('order.created', {\"order_id\": 1})"
        )
    declared = None if isinstance(type, Event) else type_of(type)
    if declared is None or payload is not None or isclass(type):
        raise InvalidEvent(
            f"cannot make an event of {type.__class__.__name__!r}: give a type and a payload, or "
            "an instance of a class declared with @event_type"
        )
    return declared[0], unstructure(type), declared[1]


class Emitter:
    """Makes one agent's emissions."""

    __slots__ = ("_deriver", "declaration", "ids", "inherit", "source")

    def __init__(
        self, source: str, declaration: Declaration, ids: IdSource, inherit: Sequence[str]
    ) -> None:
        self.source = source
        self.declaration = declaration
        self.ids = ids
        self.inherit = inherit
        # Made at the first emission: its two prepared hashes are most of an idle agent's size.
        self._deriver: Deriver | None = None

    def buffered(
        self, cause: Event | None, type: object, payload: object, index: int, timestamp: float
    ) -> Event:
        """The emission number `index` of the turn that handles `cause`."""
        # Plain and in one piece: this is a third of what an event costs from hand to hand.
        version = VERSION
        name: Any = type
        plain = payload.__class__ is dict or payload.__class__ is FrozenDict
        if not plain or type.__class__ is not str or type not in self.declaration.allowed:
            name, payload, version = typed(type, payload)
            self.declaration.check(name)
        frozen = freeze(payload)
        if cause is None:
            return self.original(name, frozen, version, timestamp)
        deriver = self._deriver or self._make_deriver()
        id = deriver.buffered(cause.id, cause.timestamp, index)
        meta = self.caused(cause, version)
        event = make_event(id, name, self.source, timestamp, frozen, meta)
        return upcast(event) if name in UPCAST else event

    def early(
        self, cause: Event, type: object, payload: object, occurrence: Occurrence, timestamp: float
    ) -> Event:
        """An emission that leaves at once; its id is derived from what it says."""
        name, payload, version = typed(type, payload)
        self.declaration.check(name)
        frozen = freeze(payload)
        said = orjson.dumps(frozen, option=orjson.OPT_SORT_KEYS)
        deriver = self._deriver or self._make_deriver()
        id = deriver.early(cause.id, cause.timestamp, name, said, occurrence(name, said))
        meta = self.caused(cause, version)
        return upcast(make_event(id, name, self.source, timestamp, frozen, meta))

    def original(self, type: str, payload: FrozenDict, version: str, timestamp: float) -> Event:
        """An emission that no event caused: it starts a correlation of its own."""
        id = self.ids.next()
        meta = make_metadata(id, None, version)
        return upcast(make_event(id, type, self.source, timestamp, payload, meta))

    def caused(self, cause: Event, version: str) -> Metadata:
        meta = cause.metadata
        extensions = meta.extensions
        if extensions:
            extensions = FrozenDict(
                {name: extensions[name] for name in self.inherit if name in extensions}
            )
        return make_metadata(
            meta.correlation_id or cause.id, cause.id, version, meta.hops + 1, (), extensions
        )

    def _make_deriver(self) -> Deriver:
        self._deriver = Deriver(self.source)
        return self._deriver
