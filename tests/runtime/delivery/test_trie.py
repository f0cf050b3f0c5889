"""The trie of topic patterns."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from choreia.runtime.delivery.trie import PatternTrie
from choreia.runtime.events.topic import TopicPattern

SEGMENTS = st.sampled_from(["a", "b", "c"])
TYPES = st.lists(SEGMENTS, min_size=1, max_size=6).map(".".join)
PATTERNS = st.lists(st.one_of(SEGMENTS, st.sampled_from(["*", "#"])), min_size=1, max_size=6).map(
    ".".join
)
EMPTY_NODES = 2


def naive(pattern: Sequence[str], segments: Sequence[str]) -> bool:
    if not pattern:
        return not segments
    if pattern[0] == "#":
        return naive(pattern[1:], segments) or (bool(segments) and naive(pattern, segments[1:]))
    if not segments or pattern[0] not in ("*", segments[0]):
        return False
    return naive(pattern[1:], segments[1:])


def trie_of(*patterns: str) -> PatternTrie[str]:
    trie: PatternTrie[str] = PatternTrie()
    for pattern in patterns:
        trie.add(TopicPattern(pattern), pattern)
    return trie


@settings(max_examples=300)
@given(st.lists(PATTERNS, max_size=12, unique=True), st.lists(TYPES, min_size=1, max_size=4))
def test_it_finds_what_the_definition_says(patterns: list[str], types: list[str]) -> None:
    trie = trie_of(*patterns)
    for type in types:
        expected = [p for p in patterns if naive(p.split("."), type.split("."))]
        assert sorted(trie.matching(type)) == sorted(expected)


class TrieMachine(RuleBasedStateMachine):
    """Adds and removes, against a list of pairs."""

    def __init__(self) -> None:
        super().__init__()
        self.trie: PatternTrie[int] = PatternTrie()
        self.held: list[tuple[str, int]] = []

    @rule(pattern=PATTERNS, value=st.integers(0, 3))
    def add(self, pattern: str, value: int) -> None:
        new = not self.has(pattern, value)
        assert self.trie.add(TopicPattern(pattern), value) is new
        if new:
            self.held.append((pattern, value))

    @rule(pattern=PATTERNS, value=st.integers(0, 3))
    def remove_any(self, pattern: str, value: int) -> None:
        self.remove(pattern, value)

    @rule(data=st.data())
    def remove_one_that_is_there(self, data: st.DataObject) -> None:
        if self.held:
            self.remove(*data.draw(st.sampled_from(self.held)))

    @rule(type=TYPES)
    def ask(self, type: str) -> None:
        expected = [v for p, v in self.held if naive(p.split("."), type.split("."))]
        assert sorted(self.trie.matching(type)) == sorted(expected)

    @invariant()
    def nodes_lead_somewhere(self) -> None:
        kinds = {TopicPattern(pattern) for pattern, _ in self.held}
        exact = {kind for kind in kinds if kind.exact}
        paths = {kind.segments[:n] for kind in kinds - exact for n in range(1, 7)}
        assert self.trie.nodes == EMPTY_NODES + len(exact) + len(paths)

    def has(self, pattern: str, value: int) -> bool:
        return any(TopicPattern(p) == TopicPattern(pattern) and v == value for p, v in self.held)

    def remove(self, pattern: str, value: int) -> None:
        there = self.has(pattern, value)
        assert self.trie.remove(TopicPattern(pattern), value) is there
        self.held = [
            (p, v)
            for p, v in self.held
            if not (TopicPattern(p) == TopicPattern(pattern) and v == value)
        ]


TestTrieMachine = TrieMachine.TestCase


def test_values_of_one_pattern_come_in_order_of_addition() -> None:
    trie: PatternTrie[int] = PatternTrie()
    for value in (3, 1, 2):
        assert trie.add(TopicPattern("a.*"), value)
    assert not trie.add(TopicPattern("a.*"), 1)
    assert trie.matching("a.b") == [3, 1, 2]
    trie.remove(TopicPattern("a.*"), 1)
    assert trie.matching("a.b") == [3, 2]


def test_the_same_value_twice_is_held_once() -> None:
    trie: PatternTrie[int] = PatternTrie()
    assert trie.add(TopicPattern("a"), 1)
    assert not trie.add(TopicPattern("a"), 1)
    assert trie.matching("a") == [1]
    assert trie.remove(TopicPattern("a"), 1)
    assert trie.matching("a") == []


def test_removing_what_is_not_there_changes_nothing() -> None:
    trie = trie_of("a.*", "b")
    assert not trie.remove(TopicPattern("a.*"), "other")
    assert not trie.remove(TopicPattern("a.#"), "a.#")
    assert not trie.remove(TopicPattern("b"), "other")
    assert not trie.remove(TopicPattern("b.b.b.*"), "other")
    assert trie.matching("a.x") == ["a.*"]


def test_nothing_is_left_when_all_are_removed() -> None:
    trie: PatternTrie[int] = PatternTrie()
    patterns = [TopicPattern(text) for text in ("a.b", "a.*.#", "#", "a.*.b", "*") for _ in "xyz"]
    for value, pattern in enumerate(patterns):
        trie.add(pattern, value)
    for value, pattern in enumerate(patterns):
        assert trie.remove(pattern, value)
    assert trie.nodes == EMPTY_NODES


class Counting(str):
    """A segment that counts how often it is looked up."""

    lookups = 0

    def __hash__(self) -> int:
        Counting.lookups += 1
        return super().__hash__()

    def __eq__(self, other: object) -> bool:
        return super().__eq__(other)


class CountingType(str):
    def split(self, *_: object, **__: object) -> list[str]:
        return [Counting(segment) for segment in str.split(self, ".")]


def lookups(trie: PatternTrie[str], type: str) -> int:
    Counting.lookups = 0
    trie.matching(CountingType(type))
    return Counting.lookups


def test_the_cost_does_not_grow_with_patterns_that_do_not_match() -> None:
    few = trie_of("a.*", "#.b", "a.b")
    many = trie_of(
        "a.*",
        "#.b",
        "a.b",
        *(f"other{n}.*" for n in range(5_000)),
        *(f"#.other{n}" for n in range(5_000)),
        *(f"#.other{n}.#.b" for n in range(5_000)),
        *(f"exact.{n}" for n in range(5_000)),
    )
    assert few.matching("a.b") != []
    assert sorted(few.matching("a.b")) == sorted(many.matching("a.b"))
    assert lookups(many, "a.b") == lookups(few, "a.b") > 0


@pytest.mark.parametrize("pattern", [["#", "a"], ["#", "a", "b"], ["#", "*"], ["*", "#", "a"]])
def test_a_bomb_costs_at_most_its_length_times_that_of_the_type(pattern: list[str]) -> None:
    bomb = pattern * 40
    type = ".".join(["a", "b"] * 63 + ["c"])
    trie = trie_of(".".join(bomb))
    # a walk that branches would make billions of lookups, and more
    assert 0 < lookups(trie, type) <= 3 * len(bomb) * 127


def test_a_segment_that_only_leads_to_the_next_many_is_not_tried_everywhere() -> None:
    trie = trie_of(".".join(["#", "a"] * 40))
    type = ".".join(["a"] * 127)
    assert trie.matching(type)
    assert 0 < lookups(trie, type) <= 127 + 40 * 10


def test_the_last_place_of_a_segment_counts_too() -> None:
    trie = trie_of("#.a", "#.a.#", "#.a.#.a")
    assert sorted(trie.matching("a.a.a.a")) == ["#.a", "#.a.#", "#.a.#.a"]
    assert sorted(trie.matching("a.a.a.b")) == ["#.a.#"]


def test_thousands_of_bombs_end() -> None:
    bits = [format(number, "012b").replace("0", "a").replace("1", "b") for number in range(2_000)]
    bombs = [".".join(f"#.{letter}" for letter in letters) + ".#" for letters in bits]
    type = ".".join(["a", "b"] * 63)
    found = trie_of(*bombs, *(f"{bomb}.c" for bomb in bombs)).matching(type)
    assert sorted(found) == sorted(bombs)


def test_a_very_long_pattern_needs_no_deep_stack() -> None:
    text = ".".join(["*"] * 20_000 + ["a"])
    trie = trie_of(text)
    assert trie.matching("a.b") == []
    assert trie.remove(TopicPattern(text), text)
    assert trie.nodes == EMPTY_NODES
