"""Event types and topic patterns."""

from __future__ import annotations

import copy
import itertools
import pickle
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreia.runtime.errors import ChoreiaError, InvalidEvent, InvalidPattern, InvalidType
from choreia.runtime.events.topic import TopicPattern, check_type

# Few letters and short texts, so that patterns and types meet often.
SEGMENTS = st.sampled_from(["a", "b", "c"])
TYPES = st.lists(SEGMENTS, min_size=1, max_size=6).map(".".join)
PATTERNS = st.lists(st.one_of(SEGMENTS, st.sampled_from(["*", "#"])), min_size=1, max_size=7).map(
    ".".join
)


def naive(pattern: list[str], segments: list[str]) -> bool:
    """What the words of the definition say, and nothing else."""
    if not pattern:
        return not segments
    first, *rest = pattern
    if first == "#":
        return any(naive(rest, segments[taken:]) for taken in range(len(segments) + 1))
    return bool(segments) and first in ("*", segments[0]) and naive(rest, segments[1:])


class Kind(StrEnum):
    CREATED = "order.created"


@pytest.mark.parametrize("type", ["a", "order.created", "A-1_b.0", "-._", "x" * 255])
def test_good_types_come_back(type: str) -> None:
    assert check_type(type) == type
    assert check_type(type) == type  # and again, from the cache


def test_equal_types_become_one_string() -> None:
    first, second = ("".join(["one.", "string"]) for _ in range(2))
    assert first is not second
    assert check_type(first) is check_type(second)


def test_a_member_of_an_enumeration_becomes_its_text() -> None:
    checked = check_type(Kind.CREATED)
    assert type(checked) is str
    assert checked == "order.created"
    assert type(TopicPattern(Kind.CREATED).pattern) is str


@pytest.mark.parametrize(
    ("type", "fault"),
    [
        ("", "segment 1 is empty"),
        ("a..b", "segment 2 is empty"),
        (".a", "segment 1 is empty"),
        ("a.", "segment 2 is empty"),
        ("order created", r"segment 1, 'order created', has ' ' at character 6"),
        ("order.crèated", r"segment 2, 'crèated', has 'è' at character 3"),
        ("a.b\n", r"segment 2, 'b\\n', has '\\n' at character 2"),
        ("a.\u202eb", r"has '\\u202e' at character 1"),
        ("a.*", r"segment 2, '\*', has '\*' at character 1, and wildcards are for subscriptions"),
        ("#", "wildcards are for subscriptions"),
    ],
)
def test_bad_types_are_refused_naming_segment_and_character(type: str, fault: str) -> None:
    with pytest.raises(InvalidType, match=fault) as caught:
        check_type(type)
    assert "A-Z a-z 0-9 _ -" in str(caught.value)
    assert caught.value.type == type
    assert isinstance(caught.value, (ChoreiaError, InvalidEvent))


@pytest.mark.parametrize("value", [None, 1, b"a", ["a"], {"a": 1}])
def test_what_is_no_string_is_no_type(value: object) -> None:
    with pytest.raises(InvalidType, match=f"is a string, not {type(value).__name__}"):
        check_type(value)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(InvalidPattern, match=f"is a string, not {type(value).__name__}"):
        TopicPattern(value)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_the_limit_holds_also_for_a_type_accepted_before_under_a_larger_one() -> None:
    long = "limit." + "x" * 300
    assert check_type(long, 400) == long
    with pytest.raises(InvalidType, match=r"has 306 characters; at most 255 are allowed"):
        check_type(long)
    with pytest.raises(InvalidType, match=r"at most 5 are"):
        check_type("limit.five", limit=5)


def test_messages_stay_short() -> None:
    with pytest.raises(InvalidType) as caught:
        check_type("x" * 100_000)
    assert len(str(caught.value)) < 300
    with pytest.raises(InvalidPattern) as refused:
        TopicPattern("x" * 100_000 + " ")
    assert len(str(refused.value)) < 600


def test_the_cache_of_accepted_types_is_bounded() -> None:
    from choreia.runtime.events import topic

    accepted: dict[str, str] = vars(topic)["_accepted"]
    for number in range(20_000):
        check_type(f"bounded.{number}")
    assert len(accepted) <= 8192
    assert check_type("bounded.1") == "bounded.1"


@pytest.mark.parametrize(
    ("pattern", "type", "selected"),
    [
        ("task.completed", "task.completed", True),
        ("task.completed", "task.completed.twice", False),
        ("task.*", "task.completed", True),
        ("task.*", "task", False),
        ("task.*", "task.a.b", False),
        ("agent.*.memory", "agent.x.memory", True),
        ("#", "anything.at.all", True),
        ("task.#", "task", True),
        ("task.#", "task.a.b", True),
        ("#.failed", "failed", True),
        ("#.failed", "a.b.failed", True),
        ("#.failed", "failed.b", False),
        ("a.#.z", "a.z", True),
        ("a.#.z", "a.b.c.z", True),
        ("a.#.z.#", "a.b.z.c", True),
        ("#.*", "a", True),
        ("*.#.*", "a", False),
        ("*.#.*", "a.b.c", True),
        ("A.b", "a.b", False),
    ],
)
def test_patterns_select(pattern: str, type: str, selected: bool) -> None:
    assert TopicPattern(pattern).matches(type) is selected


@given(PATTERNS, TYPES)
def test_matches_agrees_with_the_definition(pattern: str, type: str) -> None:
    assert TopicPattern(pattern).matches(type) == naive(pattern.split("."), type.split("."))


@given(PATTERNS, TYPES)
def test_the_shortest_form_selects_the_same(pattern: str, type: str) -> None:
    short = TopicPattern(pattern).segments
    assert naive(list(short), type.split(".")) == naive(pattern.split("."), type.split("."))
    wild = "".join(s if s in "*#" else "|" for s in short)
    assert "##" not in wild
    assert "#*" not in wild


@pytest.mark.parametrize(
    ("pattern", "segments"),
    [("a.b", ("a", "b")), ("#.#.#", ("#",)), ("#.*.a.#.*.#", ("*", "#", "a", "*", "#"))],
)
def test_segments_are_the_shortest_form(pattern: str, segments: tuple[str, ...]) -> None:
    assert TopicPattern(pattern).segments == segments
    assert TopicPattern(pattern).pattern == pattern


def test_patterns_that_select_the_same_are_equal() -> None:
    assert TopicPattern("#.#.*") == TopicPattern("*.#")
    assert hash(TopicPattern("#.#.*")) == hash(TopicPattern("*.#"))
    assert TopicPattern("a.*") != TopicPattern("a.#")
    assert len({TopicPattern("a"), TopicPattern("a"), TopicPattern("b")}) == 2


def test_exact_is_without_wildcards() -> None:
    assert TopicPattern("a.b").exact
    assert not TopicPattern("a.*").exact
    assert not TopicPattern("#").exact


def test_a_pattern_is_a_frozen_value() -> None:
    pattern = TopicPattern("task.#")
    with pytest.raises(AttributeError):
        pattern.pattern = "other"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    assert repr(pattern) == "TopicPattern(pattern='task.#')"
    assert str(pattern) == "task.#"
    for twin in (pickle.loads(pickle.dumps(pattern)), copy.deepcopy(pattern)):
        assert twin == pattern
        assert twin.matches("task.a.b")


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        ("", "segment 1 is empty"),
        ("task..done", "segment 2 is empty"),
        (
            "task.**",
            r"segment 2, '\*\*', has '\*' at character 1, and a wildcard must be a segment",
        ),
        (
            "task.do*",
            r"'do\*', has '\*' at character 3, and a wildcard must be a segment of its own",
        ),
        ("a.#b", "'#b', has '#' at character 1, and a wildcard must be a segment of its own"),
        ("a.>", "segment 2, '>', has '>' at character 1"),
        ("a b", "has ' ' at character 2"),
        ("a.b\n", r"has '\\n' at character 2"),
    ],
)
def test_bad_patterns_are_refused_naming_the_fault(pattern: str, fault: str) -> None:
    with pytest.raises(InvalidPattern, match=fault) as caught:
        TopicPattern(pattern)
    assert caught.value.pattern == pattern
    assert "'*' stands for one segment, '#' for zero or more" in str(caught.value)


# An exponential matcher would need longer than the universe for each of these.
LONG = ".".join(["a"] * 127)


@pytest.mark.parametrize(
    ("pattern", "selected"),
    [
        (".".join(["#"] * 10_000), True),
        (".".join(["#", "a"] * 60), True),
        (".".join(["#", "a"] * 60 + ["b"]), False),
        (".".join(["#", "*"] * 128), False),
        (".".join(["#", "*"] * 127), True),
        (".".join(["#", "a", "a", "#", "b"] * 25), False),
        (".".join(["#", "a"] * 5_000), False),
    ],
)
def test_a_bomb_of_wildcards_is_cheap(pattern: str, selected: bool) -> None:
    assert TopicPattern(pattern).matches(LONG) is selected


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        ("a.b", "a.b", True),
        ("a.b", "a.c", False),
        ("a.b", "a.*", True),
        ("a.*", "*.b", True),
        ("a.*", "b.*", False),
        ("a.#", "#.b", True),
        ("a.#", "a", True),
        ("#", "#.*", True),
        ("*", "*.*", False),
        ("*.#", "#.x.#.y", True),
        ("a.*.c", "a.#.d", False),
    ],
)
def test_patterns_overlap_when_some_type_is_selected_by_both(
    one: str, other: str, overlap: bool
) -> None:
    assert TopicPattern(one).overlaps(TopicPattern(other)) is overlap
    assert TopicPattern(other).overlaps(TopicPattern(one)) is overlap


_SEGMENTS = st.lists(st.sampled_from(["a", "b", "*", "#"]), min_size=1, max_size=4)


@given(_SEGMENTS, _SEGMENTS)
def test_patterns_overlap_just_when_a_short_type_shows_it(one: list[str], other: list[str]) -> None:
    first, second = TopicPattern(".".join(one)), TopicPattern(".".join(other))
    types = (".".join(type) for n in range(1, 9) for type in itertools.product("ab", repeat=n))

    shown = any(first.matches(type) and second.matches(type) for type in types)

    assert first.overlaps(second) is shown
