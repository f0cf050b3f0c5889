"""What each field of an event may hold."""

from __future__ import annotations

import math
from enum import StrEnum

import pytest

from choreia.runtime.errors import InvalidEvent
from choreia.runtime.events import fields
from choreia.runtime.events.limits import Limits
from choreia.runtime.events.payload import EMPTY, FrozenDict


class Known(StrEnum):
    ID = "order-1"


@pytest.mark.parametrize("wrong", ["", None, 7, b"x", "x" * 256, "\ud800", ["x"]])
def test_an_id_is_text_that_is_not_empty_nor_too_long(wrong: object) -> None:
    assert fields.check_id("x" * 255) == "x" * 255
    with pytest.raises(InvalidEvent, match=r"^the id"):
        fields.check_id(wrong, "the id")


def test_an_enumeration_becomes_its_text() -> None:
    assert type(fields.check_id(Known.ID)) is str


def test_an_optional_id_may_be_none() -> None:
    assert fields.check_optional_id(None) is None
    assert fields.check_optional_id("a") == "a"
    with pytest.raises(InvalidEvent):
        fields.check_optional_id("")


def test_a_source_is_any_text() -> None:
    assert fields.check_source("did:key:" + "z" * 600)
    assert fields.check_source("kitchen sink, 2nd floor")
    for wrong in ("", None, 5, "x" * 2049, "\udfff"):
        with pytest.raises(InvalidEvent, match="source"):
            fields.check_source(wrong)


@pytest.mark.parametrize("time", [0, 1_700_000_000, -0.5, 253_402_300_799.9, -62_135_596_800])
def test_a_timestamp_is_unix_seconds(time: float) -> None:
    checked = fields.check_timestamp(time)
    assert checked == time
    assert type(checked) is float


@pytest.mark.parametrize(
    "wrong",
    [True, "1", None, math.nan, math.inf, -math.inf, 1_700_000_000_000, 253_402_300_800, 10**400],
)
def test_no_other_timestamp_is_taken(wrong: object) -> None:
    with pytest.raises(InvalidEvent, match="timestamp"):
        fields.check_timestamp(wrong)


def test_milliseconds_are_recognised() -> None:
    with pytest.raises(InvalidEvent, match="milliseconds"):
        fields.check_timestamp(1_700_000_000_000)


@pytest.mark.parametrize("version", ["0.0.0", "1.0.0", "10.20.30", "999999999.0.0"])
def test_a_version_is_semantic(version: str) -> None:
    assert fields.check_version(version) == version


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "1",
        "1.0",
        "1.0.0.0",
        "01.0.0",
        "1.0.0-rc1",
        "v1.0.0",
        "1.0.0\n",
        "\u0661.0.0",
        "1" * 10 + ".0.0",
        1.5,
        None,
    ],
)
def test_no_other_version_is_taken(wrong: object) -> None:
    with pytest.raises(InvalidEvent, match=r"MAJOR\.MINOR\.PATCH"):
        fields.check_version(wrong)


@pytest.mark.parametrize("wrong", [-1, 2**31, 1.0, True, "1", None])
def test_hops_are_a_number_that_can_be_written_down(wrong: object) -> None:
    assert fields.check_hops(0) == 0
    assert fields.check_hops(2**31 - 1) == 2**31 - 1
    with pytest.raises(InvalidEvent, match="hops"):
        fields.check_hops(wrong)


def test_causes_are_a_list_of_ids() -> None:
    assert fields.check_causes(["a", "b"]) == ("a", "b")
    assert fields.check_causes(()) == ()
    with pytest.raises(InvalidEvent, match=r"causes\[1\]"):
        fields.check_causes(["a", ""])
    with pytest.raises(InvalidEvent, match="list of event ids"):
        fields.check_causes("abc")
    with pytest.raises(InvalidEvent, match="3 ids, 2 are allowed"):
        fields.check_causes(["a", "b", "c"], Limits(causes=2))


def test_extensions_are_frozen_and_claim_no_field() -> None:
    assert type(fields.check_extensions({"tenant": "a"})) is FrozenDict
    assert fields.check_extensions(EMPTY) is EMPTY
    with pytest.raises(InvalidEvent, match=r"metadata\.hops cannot be an extension"):
        fields.check_extensions({"hops": 1})
    with pytest.raises(InvalidEvent, match=r"metadata\.tenant"):
        fields.check_extensions({"tenant": {1}})


def test_extra_fields_claim_no_field_either() -> None:
    assert fields.check_extra({"version": 1, "new": []}) == {"version": 1, "new": []}
    with pytest.raises(InvalidEvent, match="payload cannot be an extension"):
        fields.check_extra({"payload": {}})


def test_a_hostile_value_does_not_make_a_hostile_message() -> None:
    with pytest.raises(InvalidEvent) as caught:
        fields.check_version("\x1b[2J" * 10_000)
    assert len(str(caught.value)) < 200
    assert "\x1b" not in str(caught.value)
