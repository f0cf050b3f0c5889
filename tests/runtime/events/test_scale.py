"""Ordered scales of words."""

from __future__ import annotations

import operator

import pytest

from choreia.runtime.errors import InvalidFilter
from choreia.runtime.events.event import Event
from choreia.runtime.events.filter import Filter
from choreia.runtime.events.scale import compare_words, register_scale

# Scales are the process's own: each test uses words that no other has.


def selected(condition: dict[str, str], *words: str) -> list[str]:
    chosen = Filter({"payload.x": condition})
    return [word for word in words if chosen.matches(Event("t", "s", {"x": word}))]


def test_the_scale_that_is_always_there() -> None:
    words = ("low", "normal", "medium", "high", "critical", "other")
    assert selected({"$gte": "high"}, *words) == ["high", "critical"]
    assert selected({"$gt": "medium"}, *words) == ["high", "critical"]
    assert selected({"$gte": "normal"}, *words) == ["normal", "medium", "high", "critical"]
    assert selected({"$lt": "normal"}, *words) == ["low"]


def test_a_registered_scale_is_compared_by_rank() -> None:
    words = ("bronze", "silver", "gold", "tin")
    register_scale("bronze", "silver", "gold")
    assert selected({"$gte": "silver"}, *words) == ["silver", "gold"]
    assert selected({"$lt": "gold"}, *words) == ["bronze", "silver"]


def test_words_of_one_rank() -> None:
    register_scale("draft", ("review", "proof"), "print")
    words = ("draft", "review", "proof", "print")
    assert selected({"$gte": "proof"}, *words) == ["review", "proof", "print"]
    assert selected({"$gt": "review"}, *words) == ["print"]


def test_a_filter_that_is_older_than_the_scale_knows_it() -> None:
    chosen = Filter({"payload.x": {"$gte": "older"}})
    young = Event("t", "s", {"x": "young"})
    assert chosen.matches(young)  # by spelling
    register_scale("young", "older")
    assert not chosen.matches(young)


def test_a_word_of_two_scales_is_ranked_with_the_word_it_is_compared_with() -> None:
    register_scale("shared", "up1", "up2")
    register_scale("down2", "down1", "shared")
    words = ("up1", "up2", "down1", "down2", "shared")
    assert selected({"$gte": "shared"}, *words) == ["up1", "up2", "shared"]
    assert selected({"$lt": "shared"}, *words) == ["down1", "down2"]
    assert selected({"$gt": "down1"}, *words) == ["shared"]


def test_of_two_scales_with_both_words_the_last_registered_counts() -> None:
    register_scale("east", "west")
    register_scale("west", "east")
    assert selected({"$gt": "east"}, "west") == []
    assert selected({"$gt": "west"}, "east") == ["east"]
    register_scale("east", "west")
    assert selected({"$gt": "east"}, "west") == ["west"]


def test_texts_off_the_scale_are_another_kind_of_thing() -> None:
    for condition in ("$gt", "$gte", "$lt", "$lte"):
        assert selected({condition: "high"}, "hig", "zebra", "") == []
    assert selected({"$gte": "banana"}, "critical", "apple") == ["critical"]  # by spelling


def test_compare_words_by_code_point() -> None:
    assert compare_words(operator.lt, "é")("z")
    assert compare_words(operator.lt, "a")("Z")
    assert not compare_words(operator.lt, "Z")("a")


@pytest.mark.parametrize(
    ("ranks", "fault"),
    [
        ((), "at least two ranks, lowest first, and got 0"),
        (("one",), "at least two ranks"),
        (("a", "b", "a"), "has the word 'a' twice"),
        (("a", ("b", "b")), "has the word 'b' twice"),
        (("a", ""), "rank 1 of a scale has ''"),
        (("a", 5), "a word, or a tuple of words of one rank, not 5"),
        (("a", ("b", 5)), "rank 1 of a scale has 5"),
        (("a", ()), r"a word, or a tuple of words of one rank, not \(\)"),
        ((["a", "b"], "c"), "a word, or a tuple of words of one rank"),
    ],
)
def test_a_bad_scale_is_refused(ranks: tuple[object, ...], fault: str) -> None:
    with pytest.raises(InvalidFilter, match=fault):
        register_scale(*ranks)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
