"""Whether a filter can match what is declared: a schema instead of an event.

It says no only where that is certain: the field is not there, or is of another type, or none of
the values that it can have is among those that are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from choreia.runtime.events.event import Event
from choreia.runtime.events.filter import Filter
from choreia.runtime.events.topic import TopicPattern
from choreia.runtime.insight.choreography import Schema
from choreia.runtime.insight.schemas import alternatives, kind, properties, values

_KINDS: Mapping[type, tuple[str, ...]] = {
    bool: ("boolean",),
    int: ("integer", "number"),
    float: ("integer", "number"),
    str: ("string",),
}
_ORDERING = ("$gt", "$gte", "$lt", "$lte")
_TEXTUAL = ("$prefix", "$suffix", "$regex")


def can_match(filter: Mapping[str, object], type: str, schema: Schema | None) -> bool:
    """Whether an event of that type (or pattern), with a payload of that schema, can pass."""
    return first_impossible(filter, type, schema) is None


def first_impossible(filter: Mapping[str, object], type: str, schema: Schema | None) -> str | None:
    """The path (or ``$or``) of a clause that can never hold; None if there is none."""
    for path, condition in filter.items():
        if path == "$and":
            for part in cast("Sequence[Mapping[str, object]]", condition):
                inner = first_impossible(part, type, schema)
                if inner is not None:
                    return inner
        elif path == "$or":
            parts = cast("Sequence[Mapping[str, object]]", condition)
            if not any(can_match(part, type, schema) for part in parts):
                return path
        elif path == "type":
            if not _type_can(condition, type):
                return path
        elif not _payload_can(schema, path, condition):
            return path
    return None


def may_have(schema: Schema, path: str) -> bool:
    """Whether a payload of that schema may have something at ``payload.…``."""
    root, _, rest = path.partition(".")
    return root != "payload" or bool(_reached(schema, rest.split(".")))


def _type_can(condition: object, type: str) -> bool:
    pattern = TopicPattern(type)
    wanted = _wanted(condition)
    if pattern.exact:
        return Filter({"type": condition}).matches(Event(type=type, source="x"))
    return wanted is None or any(isinstance(one, str) and pattern.matches(one) for one in wanted)


def _payload_can(schema: Schema | None, path: str, condition: object) -> bool:
    root, *segments = path.split(".")
    if root != "payload" or schema is None:
        return True
    found = _reached(schema, segments)
    if any(_can(one, condition) for one in found):
        return True
    if found and not _may_lack(schema, segments):
        return False
    # Nothing is there, or may be: what holds of nothing, holds.
    return Filter({"payload.x": condition}).matches(Event(type="x", source="x"))


def _may_lack(schema: Schema, segments: Sequence[str]) -> bool:
    """Whether nothing may stand there: in a list, or in a dict, or in what is one of several. (A
    field of a class is there, with its default if with nothing else.)"""
    here = alternatives(schema)
    for segment in segments:
        if any(kind(one) != "object" or segment not in properties(one) for one in here):
            return True
        here = [inner for one in here for inner in _step(one, segment)]
    return False


def _reached(schema: Schema, segments: Sequence[str]) -> list[Schema]:
    """The schemas of what may stand at the end of a path; {} for anything."""
    here = alternatives(schema)
    for segment in segments:
        here = [inner for one in here for inner in _step(one, segment)]
    return here


def _step(schema: Schema, segment: str) -> Iterable[Schema]:
    known = kind(schema)
    if known == "array":
        items = cast("Schema", schema.get("items", {}))
        if segment.isdecimal():
            return alternatives(items)
        return _step(items, segment) if items else [{}]
    if known is None and "enum" not in schema:
        return [{}]
    if known != "object":
        return []
    if segment in properties(schema):
        return alternatives(properties(schema)[segment])
    rest = schema.get("additionalProperties")
    return alternatives(cast("Schema", rest)) if isinstance(rest, Mapping) else []


def _can(schema: Schema, condition: object) -> bool:
    """Whether some value of a schema (without alternatives) can meet a condition."""
    known = values(schema)
    if known is not None:
        test = Filter({"payload.x": condition})
        return any(
            test.matches(Event(type="x", source="x", payload={"x": value})) for value in known
        )
    what = kind(schema)
    if what is None:
        return True
    if what == "array":  # an element can meet it, or the array itself
        items = cast("Schema", schema.get("items", {}))
        whole = isinstance(condition, Mapping) and {"$size", "$all", "$elemMatch", "$contains"} & {
            *cast("Mapping[str, object]", condition)
        }
        return bool(whole) or any(_can(one, condition) for one in alternatives(items))
    if not isinstance(condition, Mapping) or not _is_operators(condition):
        return _is_of(what, condition)
    operators = cast("Mapping[str, object]", condition)
    each = all(_one_can(what, name, operand) for name, operand in operators.items())
    return each and not _empty_range(what, operators)


def _one_can(what: str, operator: str, operand: object) -> bool:
    if operator in _ORDERING or operator == "$eq":
        return _is_of(what, operand)
    if operator == "$in":
        return any(_is_of(what, one) for one in cast("Sequence[object]", operand))
    if operator in _TEXTUAL or operator == "$contains":
        return what == "string" and isinstance(operand, str)
    if operator in ("$size", "$all", "$elemMatch"):
        return False
    if operator == "$exists":
        return bool(operand)
    return True  # what is negated is met by nearly everything


def _is_of(what: str, value: object) -> bool:
    if value is None:
        return what == "null"
    kinds = _KINDS.get(value.__class__)
    if kinds is None:
        return what == ("array" if isinstance(value, list) else "object")
    return what in kinds


def _empty_range(what: str, operators: Mapping[str, object]) -> bool:
    """Whether it is to be more than it is to be less than."""
    if what not in ("integer", "number"):
        return False
    low = [cast("float", operators[one]) for one in ("$gt", "$gte", "$eq") if one in operators]
    high = [cast("float", operators[one]) for one in ("$lt", "$lte", "$eq") if one in operators]
    if not low or not high:
        return False
    strict = "$gt" in operators or "$lt" in operators
    return max(low) > min(high) or (strict and max(low) == min(high))


def _is_operators(condition: Mapping[object, object]) -> bool:
    return any(isinstance(key, str) and key.startswith("$") for key in condition)


def _wanted(condition: object) -> list[object] | None:
    """The values one of which it is to be; None: that is not all it says."""
    if not isinstance(condition, Mapping):
        return [condition]
    operators = cast("Mapping[str, object]", condition)
    if "$in" in operators:
        return list(cast("Sequence[object]", operators["$in"]))
    return [operators["$eq"]] if "$eq" in operators else None
