"""A link stands for all that an event says, and for all that came before it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from choreia import Event
from choreia.runtime.events.recorded import ERASED, LIVE
from choreia.runtime.stores.chain import ORIGIN, digest_of, link

SAID: Mapping[str, Any] = {
    "type": "order.placed",
    "source": "shop",
    "payload": {"n": 1},
    "id": "one",
    "timestamp": 5.0,
    "metadata": {
        "correlationId": "case",
        "causationId": "cause",
        "hops": 1,
        "causes": ["x"],
        "tenant": "a",
    },
    "extra": {"unknown": 1},
}


def linked(
    before: bytes = ORIGIN,
    position: int = 1,
    at: float = 2.0,
    flags: int = 0,
    body: bytes = b'{"n":1}',
    **changed: Any,
) -> bytes:
    event = Event(**{**SAID, **changed})
    return link(before, position, at, flags, event, digest_of(body))


def metadata(**changed: Any) -> dict[str, Any]:
    return {"metadata": {**SAID["metadata"], **changed}}


def test_a_link_and_a_digest_are_32_bytes_and_always_the_same() -> None:
    assert len(linked()) == len(digest_of(b"{}")) == len(ORIGIN) == 32
    assert linked() == linked()


@pytest.mark.parametrize(
    "changed",
    [
        {"before": bytes(31) + b"\1"},
        {"position": 2},
        {"at": 2.5},
        {"flags": LIVE},
        {"body": b'{"n":2}'},
        {"type": "order.paid"},
        {"source": "shop2"},
        {"id": "two"},
        {"timestamp": 5.5},
        metadata(correlationId=None),
        metadata(causationId="case"),
        metadata(hops=2),
        metadata(causes=[]),
        metadata(causes=["x", "y"]),
        metadata(tenant="b"),
        metadata(version="1.0.1"),
        {"extra": {}},
    ],
    ids=str,
)
def test_whatever_changes_changes_the_link(changed: dict[str, Any]) -> None:
    assert linked(**changed) != linked()


def test_what_moves_from_one_field_to_another_changes_it_too() -> None:
    assert linked(id="ab", type="c") != linked(id="a", type="bc")
    swapped = metadata(correlationId="cause", causationId="case")
    assert linked(**swapped) != linked()


def test_erasing_does_not_change_it() -> None:
    assert linked(flags=ERASED, payload={}) == linked(), "the digest stands for what was said"
    assert linked(flags=LIVE | ERASED, payload={}) == linked(flags=LIVE)


def test_the_order_of_keys_does_not_matter_in_metadata() -> None:
    # A store may keep them in another; what came in which order says nothing.
    one, other = {"a": 1, "b": {"c": 1, "d": 2}}, {"b": {"d": 2, "c": 1}, "a": 1}
    assert linked(extra=one) == linked(extra=other)


def test_a_change_anywhere_changes_every_later_link() -> None:
    def chain(*names: str) -> list[bytes]:
        links = [ORIGIN]
        for position, name in enumerate(names, 1):
            links.append(linked(links[-1], position, id=name))
        return links[1:]

    whole = chain("a", "b", "c", "d")
    changed = chain("a", "x", "c", "d")
    assert whole[0] == changed[0]
    assert not set(whole[1:]) & set(changed[1:])
    assert not set(chain("b", "a", "c", "d")) & set(whole), "nor may two change places"
    assert chain("a", "c", "d")[-1] not in whole
