"""Whatever a field has in it, reading it gives something that can be shown."""

from __future__ import annotations

import pytest

from choreia.runtime.inspection.reading import (
    amount_of,
    count_of,
    flag_of,
    number_of,
    part_of,
    rows_of,
    text_of,
    words_of,
)

WRONG = [None, True, "7", [7], {"a": 7}, float("nan"), float("inf")]


@pytest.mark.parametrize("value", WRONG)
def test_what_is_no_number_is_none(value: object) -> None:
    assert number_of({"n": value}, "n") is None
    assert amount_of({"n": value}, "n") == 0
    assert count_of({"n": value}, "n") == 0


def test_numbers_are_kept_within_what_can_be_written() -> None:
    assert number_of({"n": 10**400}, "n") == 1e18
    assert count_of({"n": 10**400}, "n") == 10**18
    assert count_of({"n": -3}, "n") == 0
    assert count_of({"n": 2.9}, "n") == 2
    assert amount_of({"n": -0.5}, "n") == 0


def test_there_is_a_default_for_what_is_missing() -> None:
    assert text_of({}, "t") == ""
    assert text_of({"t": 5}, "t", "?") == "?"
    assert number_of({}, "n") is None
    assert part_of({"p": []}, "p") == {}
    assert rows_of({"r": {}}, "r") == []
    assert words_of({}, "w") == []
    assert flag_of({"f": 1}, "f") is False


def test_of_a_list_only_what_was_expected_is_taken() -> None:
    said = {"list": [{"a": 1}, "word", 3, None, ["x"]]}
    assert rows_of(said, "list") == [{"a": 1}]
    assert words_of(said, "list") == ["word"]
