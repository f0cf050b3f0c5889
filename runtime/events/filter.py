"""`Filter`: content filters, which select events by what they hold.

They are data, so they can be written down, sent, compared and shown:
``{"payload.priority": {"$gte": "high"}, "payload.domain": "financial"}``. The operators have
MongoDB's meaning (see `query` and `operators`), save that

- words of one scale compare by rank (`scale`), and ``$prefix $suffix $contains`` exist;
- objects are equal whatever the order of their keys, as in JSON;
- an array is met by one of its elements wherever it stands: also at the end of a numeric
  segment, and as an element that `$elemMatch` tests.

Paths begin with ``payload.`` or ``metadata.`` (in the wire's spelling or in snake case, with
extensions by their name), or are ``type``, ``source``, ``timestamp`` or ``id``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

import attrs

from choreia.runtime.events import fieldpath
from choreia.runtime.events.clause import Clause, Mismatch, first_failure
from choreia.runtime.events.operand import copy_mapping
from choreia.runtime.events.payload import Json, thaw
from choreia.runtime.events.query import (
    LOGICAL,
    Budget,
    all_of,
    compile_query,
    is_operators,
)

if TYPE_CHECKING:
    from choreia.runtime.events.event import Event


@attrs.frozen(init=False, repr=False, weakref_slot=False)
class Filter:
    """A checked, compiled content filter. Frozen; equal when the same thing is said.

    >>> cheap = Filter({"payload.amount": {"$lte": 1000}})
    >>> cheap.matches(Event(type="order.created", source="shop", payload={"amount": 5}))
    True

    The mapping is copied. An empty one selects every event. Raises `InvalidFilter`, which
    names the place and the fault. Matching never raises, whatever the event holds.
    """

    _normal: str = attrs.field()
    _mapping: dict[str, Json] = attrs.field(eq=False)
    _clauses: tuple[Clause[Event], ...] = attrs.field(eq=False)
    predicate: Callable[[Event], bool] = attrs.field(eq=False)
    """The compiled form: what `matches` calls. For who calls it a million times."""

    def __init__(self, mapping: Mapping[str, object]) -> None:
        copy = copy_mapping(mapping)
        clauses = compile_query(copy, fieldpath.of_event, "", Budget())
        set_field = object.__setattr__
        set_field(self, "_normal", json.dumps(_normal(copy), sort_keys=True))
        set_field(self, "_mapping", copy)
        set_field(self, "_clauses", tuple(clauses))
        set_field(self, "predicate", all_of([clause.holds for clause in clauses]))

    @property
    def mapping(self) -> dict[str, Json]:
        """What was written, as a copy."""
        return thaw(self._mapping)

    def matches(self, event: Event) -> bool:
        """Tell whether `event` is selected."""
        return self.predicate(event)

    def explain(self, event: Event) -> Mismatch | None:
        """The first clause that does not hold of `event`; None when it is selected."""
        return first_failure(self._clauses, event)

    def __repr__(self) -> str:
        return f"Filter({self._mapping!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return Filter, (self._mapping,)


def _normal(query: Mapping[str, Json]) -> dict[str, object]:
    """The same query with what is optional written out, for comparison."""
    normal: dict[str, object] = {}
    for key, value in query.items():
        if key in LOGICAL:
            normal[key] = [_normal(part) for part in cast("list[Mapping[str, Json]]", value)]
        else:
            normal[fieldpath.canonical(key)] = value if is_operators(value) else {"$eq": value}
    return normal
