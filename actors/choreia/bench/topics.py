"""The 1,000 patterns of the routing workloads, and types of which each matches 10 of them.

Five segments, `*` only: all that aiopubsub can say, and means the same there.
"""

from __future__ import annotations

from itertools import product
from typing import Final

SUBSCRIPTIONS: Final = 1_000
MATCHES: Final = 10

#: Types in circulation, as a system has that works: the last segment varies.
_TYPES: Final = 100


def patterns() -> list[str]:
    """The matching ones are spread evenly among those that do not match."""
    every = SUBSCRIPTIONS // MATCHES
    matching = _matching()
    return [matching[i // every] if i % every == 0 else _other(i) for i in range(SUBSCRIPTIONS)]


def _matching() -> list[str]:
    words = ("orders", "eu", "acme", "created")
    choices = product(*((word, "*") for word in words))
    return [".".join((*choice, "*")) for choice in choices][:MATCHES]


def _other(i: int) -> str:
    return (
        f"orders.us-{i}.*.created.*",
        f"service-{i}.*.*.*.*",
        f"service-{i}.eu.*.created.*",
        f"*.eu.acme.deleted-{i}.*",
    )[i % 4]


def event_types(count: int) -> list[str]:
    """`count` types, drawn in turn from a hundred."""
    return [f"orders.eu.acme.created.{i % _TYPES}" for i in range(count)]


def new_event_types(count: int) -> list[str]:
    """`count` types, no two alike."""
    return [f"orders.eu.acme.created.new-{i}" for i in range(count)]
