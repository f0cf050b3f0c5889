"""What an expectation takes, what fits it, and what is refused because nothing ever would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import ANY

import pytest
from attrs import frozen
from dirty_equals import HasLen, IsFloat, IsInt, IsPartialDict, IsPositive, IsStr

from choreia import Event, InvalidFilter, InvalidPattern, InvalidPayload, event_type
from choreia.actors.testing.matching import Expectation


@event_type("parcel.sent")
@frozen
class ParcelSent:
    to: str
    grams: int = 100


@event_type("parcel.lost")
@frozen
class ParcelLost:
    to: str


PARCEL = Event("parcel.sent", "post", ParcelSent("Ada"))
ORDER = Event(
    "order.placed", "shop", {"order": 7, "price": 1.5, "items": [{"name": "tea"}, {"name": "mug"}]}
)


def fits(event: Event, type: object, payload: Any = None, filter: Any = None) -> bool:
    return Expectation.of(type, payload, filter).judge(event).fits


def test_a_type_is_a_pattern() -> None:
    assert fits(ORDER, "order.placed")
    assert fits(ORDER, "#")
    assert not fits(ORDER, "order")


def test_a_type_is_a_class_or_an_instance() -> None:
    assert fits(PARCEL, ParcelSent)
    assert fits(PARCEL, ParcelSent("Ada"))
    assert not fits(PARCEL, ParcelSent("Ada", 200))
    assert not fits(PARCEL, ParcelLost)
    assert not fits(PARCEL, ParcelLost("Ada"))


def test_a_payload_is_compared_as_a_whole() -> None:
    items = [{"name": "tea"}, {"name": "mug"}]
    assert fits(ORDER, "order.placed", {"price": 1.5, "items": items, "order": 7})
    assert not fits(ORDER, "order.placed", {"order": 7})
    assert not fits(ORDER, "order.placed", {})
    assert fits(Event("a", "b"), "a", {})


def test_tuples_are_lists_as_when_they_are_published() -> None:
    items = ({"name": "tea"}, {"name": "mug"})
    assert fits(ORDER, "order.placed", {"order": 7, "price": 1.5, "items": items})


@pytest.mark.parametrize(
    "payload",
    [
        IsPartialDict(order=7),
        IsPartialDict,
        HasLen(3),
        ANY,
        {"order": IsInt, "price": IsFloat(gt=1), "items": ANY},
        {"order": IsPositive(), "price": ANY, "items": [{"name": IsStr}, {"name": "mug"}]},
    ],
)
def test_whatever_equals_the_payload_fits(payload: object) -> None:
    assert fits(ORDER, "order.placed", payload)


@pytest.mark.parametrize(
    "payload",
    [
        IsPartialDict(order=8),
        HasLen(2),
        IsStr,
        {"order": IsStr, "price": ANY, "items": ANY},
        {"order": ANY, "price": ANY, "items": [{"name": IsInt}, ANY]},
    ],
)
def test_whatever_does_not_equal_it_does_not(payload: object) -> None:
    assert not fits(ORDER, "order.placed", payload)


def test_a_class_is_compared_and_not_called() -> None:
    # Called with an event, it would be an instance, and so true.
    assert not fits(ORDER, "order.placed", IsStr)


def test_a_function_is_asked_about_the_event() -> None:
    asked: list[Event] = []

    def is_seven(event: Event) -> bool:
        asked.append(event)
        return bool(event.payload["order"] == 7)

    assert fits(ORDER, "order.*", is_seven)
    assert not fits(ORDER.evolve(payload={"order": 8}), "order.*", is_seven)
    assert not fits(PARCEL, "order.*", is_seven)
    assert [event.type for event in asked] == ["order.placed", "order.placed"]


def test_a_function_that_raises_says_neither_yes_nor_no() -> None:
    judgement = Expectation.of("order.placed", lambda event: 1 / 0).judge(ORDER)
    assert judgement.raised
    assert judgement.faults == ("the lambda raised ZeroDivisionError: division by zero",)


def test_what_it_raises_is_told_without_what_a_terminal_obeys() -> None:
    def rude(event: Event) -> bool:
        raise ValueError("\x1b[2J")

    [fault] = Expectation.of("order.placed", rude).judge(ORDER).faults
    assert fault == "rude() raised ValueError: [2J"


def test_a_filter_must_let_it_through() -> None:
    assert fits(ORDER, "order.*", None, {"payload.order": {"$gte": 7}})
    assert not fits(ORDER, "order.*", None, {"payload.order": {"$gt": 7}})
    both = Expectation.of("order.*", {"order": 7}, {"source": "market"}).judge(ORDER)
    assert both.faults == (
        "payload.price: not expected, got 1.5",
        "payload.items: not expected, got [{'name': 'tea'}, {'name': 'mug'}]",
        "filter: source must be {'$eq': 'market'}, found 'shop'",
    )


@pytest.mark.parametrize("type", [7, None, Event, ORDER, dict, {"order": 7}, "order.", "{name}"])
def test_what_is_no_topic_is_refused(type: object) -> None:
    with pytest.raises(InvalidPattern):
        Expectation.of(type)


def _is_seven(event: Event) -> bool:
    return True


async def _is_seven_async(event: Event) -> bool:
    return False


@pytest.mark.parametrize(
    ("payload", "hint"),
    [
        ("tea", "a payload is a mapping"),
        ([7], "a payload is a mapping"),
        (True, "a payload is a mapping"),
        (dict, "no payload equals this class"),
        (ParcelSent, "no payload equals this class"),
        (_is_seven_async, "would always be true"),
    ],
)
def test_what_no_payload_can_ever_be_is_refused(payload: object, hint: str) -> None:
    with pytest.raises(InvalidPayload, match=hint):
        Expectation.of("order.placed", payload)


def test_an_instance_brings_its_payload() -> None:
    with pytest.raises(InvalidPayload, match="ParcelSent brings its payload along"):
        Expectation.of(ParcelSent("Ada"), {"to": "Ada"})


def test_a_filter_is_checked_where_it_is_written() -> None:
    with pytest.raises(InvalidFilter):
        Expectation.of("order.placed", None, {"payload.order": {"$near": 7}})


@pytest.mark.parametrize(
    ("payload", "filter", "text"),
    [
        (None, None, "order.placed"),
        ({"order": IsInt()}, None, "order.placed with {'order': IsInt()}"),
        (IsPartialDict(order=7), None, "order.placed with IsPartialDict(order=7)"),
        (_is_seven, None, "order.placed that _is_seven() says yes to"),
        (lambda event: True, None, "order.placed that the lambda says yes to"),
        (None, {"source": "shop"}, "order.placed where {'source': 'shop'}"),
        ({"token": "abc"}, None, "order.placed with {'token': '***'}"),
    ],
)
def test_it_says_what_it_expects(payload: Any, filter: Any, text: str) -> None:
    expectation = Expectation.of("order.placed", payload, filter)
    expectation.judge(ORDER)  # of which the text knows nothing
    assert expectation.text == text


def test_a_payload_of_another_type_is_recognised() -> None:
    assert Expectation.of("order.paid", ORDER.payload).has_payload_of(ORDER)
    assert not Expectation.of("order.paid", {"order": 8}).has_payload_of(ORDER)
    assert not Expectation.of("order.paid").has_payload_of(ORDER)
    never: Callable[[Event], bool] = lambda event: 1 / 0 > 0  # noqa: E731
    assert not Expectation.of("order.paid", never).has_payload_of(ORDER)
