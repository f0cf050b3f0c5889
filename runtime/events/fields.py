"""What each field of an event may hold, save its type (`topic`) and its payload (`payload`).

Each function returns the value, normalised, or raises `InvalidEvent` naming the field.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import cast

from choreia.runtime.errors import InvalidEvent
from choreia.runtime.events.limits import DEFAULT_LIMITS, MAX_HOPS, Limits
from choreia.runtime.events.payload import EMPTY, FrozenDict, freeze, join_path

DEFAULT_VERSION = "1.0.0"
# The years 1 to 9999: what RFC 3339, and so CloudEvents, can write down.
_EARLIEST, _LATEST = -62_135_596_800.0, 253_402_300_800.0
_VERSION = re.compile(r"(?:0|[1-9][0-9]{0,8})(?:\.(?:0|[1-9][0-9]{0,8})){2}")
# Fields with a place of their own on the wire, which extensions must not claim.
METADATA_FIELDS = frozenset({"correlationId", "causationId", "version", "hops", "causes"})
EVENT_FIELDS = frozenset(
    {"id", "type", "source", "timestamp", "payload", "metadata", "schemaVersion"}
)


def check_id(value: object, name: str = "id", limits: Limits = DEFAULT_LIMITS) -> str:
    """An id: any text that is not empty and not too long."""
    return _text(value, name, limits.id_length)


def check_optional_id(
    value: object, name: str = "id", limits: Limits = DEFAULT_LIMITS
) -> str | None:
    """An id, or None."""
    return None if value is None else _text(value, name, limits.id_length)


def check_source(value: object, limits: Limits = DEFAULT_LIMITS) -> str:
    """A source: any text that is not empty and not too long."""
    return _text(value, "source", limits.source_length)


def check_timestamp(value: object) -> float:
    """A time in Unix seconds, between the years 1 and 9999."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidEvent(f"timestamp is {_shown(value)}: give Unix seconds, as a number")
    if not _EARLIEST <= value < _LATEST:  # NaN fails this as well
        raise InvalidEvent(
            f"timestamp is {_shown(value)}: give Unix seconds between the years 1 and 9999 "
            "(are these milliseconds?)"
        )
    return float(value)


def check_version(value: object, name: str = "metadata.version") -> str:
    """A version of a payload's schema: ``MAJOR.MINOR.PATCH``."""
    if not isinstance(value, str) or not _VERSION.fullmatch(value):
        raise InvalidEvent(f"{name} is {_shown(value)}: give MAJOR.MINOR.PATCH, such as '1.0.0'")
    return str.__str__(value)


def ordered_version(version: str) -> tuple[int, ...]:
    """A checked version as numbers, which compare as versions do."""
    return tuple(map(int, version.split(".")))


def check_hops(value: object, name: str = "metadata.hops") -> int:
    """The length of a causal chain: 0 for what has no cause."""
    if type(value) is not int or not 0 <= value <= MAX_HOPS:
        raise InvalidEvent(f"{name} is {_shown(value)}: give a whole number from 0 to {MAX_HOPS:,}")
    return value


def check_causes(value: Iterable[object], limits: Limits = DEFAULT_LIMITS) -> tuple[str, ...]:
    """The further causes of a join, as a tuple of ids."""
    name = "metadata.causes"
    ids = check_cause_list(value, name, limits)
    return tuple(check_id(id, f"{name}[{index}]", limits) for index, id in enumerate(ids))


def check_cause_list(
    value: object, name: str, limits: Limits = DEFAULT_LIMITS
) -> list[object] | tuple[object, ...]:
    """What may hold the ids of causes: a list or tuple that is not too long."""
    if not isinstance(value, (list, tuple)):
        raise InvalidEvent(f"{name} is {_shown(value)}: give a list of event ids")
    ids = cast("list[object] | tuple[object, ...]", value)
    if len(ids) > limits.causes:
        raise InvalidEvent(f"{name} has {len(ids):,} ids, {limits.causes:,} are allowed")
    return ids


def check_extensions(value: Mapping[str, object], limits: Limits = DEFAULT_LIMITS) -> FrozenDict:
    """Metadata fields that others defined, frozen."""
    return _others(value, "metadata", METADATA_FIELDS, limits)


def check_extra(value: Mapping[str, object], limits: Limits = DEFAULT_LIMITS) -> FrozenDict:
    """Top-level wire fields that others defined, frozen."""
    return _others(value, "", EVENT_FIELDS, limits)


def _others(
    value: Mapping[str, object], name: str, own: frozenset[str], limits: Limits
) -> FrozenDict:
    if value is EMPTY:
        return EMPTY
    frozen = freeze(value, limits, name)
    claimed = own.intersection(frozen)
    if claimed:
        raise InvalidEvent(
            f"{join_path(name, sorted(claimed)[:1])} cannot be an extension, because the field "
            "has a place of its own"
        )
    return frozen


def _text(value: object, name: str, longest: int) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidEvent(f"{name} is {_shown(value)}: give a text that is not empty")
    if len(value) > longest:
        raise InvalidEvent(f"{name} has {len(value):,} characters, {longest:,} are allowed")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InvalidEvent(
                f"{name} is {_shown(value)}: it has a lone surrogate, which UTF-8 cannot hold"
            ) from None
    return str.__str__(value)


def _shown(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."
