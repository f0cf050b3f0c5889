"""How large things may be before they are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from choreia.runtime.errors import InvalidLimit

# orjson encodes at most 254 nested containers; an event wraps its payload in one more.
_DEEPEST = 250
# An Integer of CloudEvents 1.0 has 32 bits, so a longer chain could not be written down.
MAX_HOPS = 2**31 - 1
# The integers that every JSON reader takes exactly (RFC 8259 §6, RFC 7493 §2.2).
MAX_WIRE_INT = 2**53


_Check = Callable[[object, "attrs.Attribute[Any]", Any], None]


def _at_least(least: int) -> _Check:
    def check(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if type(value) is not int or value < least:
            raise InvalidLimit(
                f"{attribute.name}={value!r}: give a whole number that is at least {least}"
            )

    return check


def _spend(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
        raise InvalidLimit(f"{attribute.name}={value!r}: give a number from 0 up, or None")


def _depth(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if type(value) is not int or not 1 <= value <= _DEEPEST:
        raise InvalidLimit(f"{attribute.name}={value!r}: give a whole number from 1 to {_DEEPEST}")


@attrs.frozen
class Limits:
    """What one event may measure. What is larger is refused where it is made or decoded.

    Raises `InvalidLimit` for a number that makes no sense.
    """

    payload_bytes: int = attrs.field(default=1_048_576, validator=_at_least(2))
    """Largest payload, in bytes of its JSON."""
    payload_depth: int = attrs.field(default=64, validator=_depth)
    """Most containers inside each other; the payload itself is the first. At most 250."""
    type_length: int = attrs.field(default=255, validator=_at_least(1))
    """Longest event type, in characters."""
    id_length: int = attrs.field(default=255, validator=_at_least(32))
    """Longest event, correlation or causation id, in characters."""
    source_length: int = attrs.field(default=2_048, validator=_at_least(1))
    """Longest source, in characters (a ``did:key`` of a large key has some 600)."""
    causes: int = attrs.field(default=10_000, validator=_at_least(0))
    """Most ids in `Metadata.causes`."""

    @property
    def wire_bytes(self) -> int:
        """Most bytes that a decoder looks at; what it finds is then measured by the rest.

        JSON may spell a character in six, and there are a megabyte's worth of other fields.
        """
        return 6 * self.payload_bytes + 1_048_576


@attrs.frozen
class CaseLimits:
    """What one case (all events of one correlation) may use before it is dead-lettered.

    Raises `InvalidLimit` for a number that makes no sense.
    """

    hops: int = attrs.field(default=1_000, validator=_at_least(1))
    """Longest chain of causes: agents that feed each other stop here."""
    events: int | None = attrs.field(
        default=None, validator=attrs.validators.optional(_at_least(1))
    )
    """Most events; None is no limit."""
    spend: float | None = attrs.field(default=None, validator=_spend)
    """Most of what handlers report as spent (`self.spend(usd=…)`), in dollars; None is no limit."""

    @property
    def counted(self) -> bool:
        """Whether anything has to be counted for them."""
        return self.events is not None or self.spend is not None


DEFAULT_LIMITS = Limits()
