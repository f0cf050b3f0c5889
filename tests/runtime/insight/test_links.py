"""Who says what to whom."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from choreia.runtime.events.topic import TopicPattern
from choreia.runtime.insight.choreography import (
    Ask,
    Choreography,
    Payload,
    Player,
    Reaction,
    Saying,
)
from choreia.runtime.insight.links import Links, Patterns

_PATTERNS = st.lists(st.sampled_from(["a", "b", "*", "#"]), min_size=1, max_size=4).map(".".join)


@given(st.lists(_PATTERNS, max_size=6), _PATTERNS)
def test_patterns_are_found_as_if_each_were_looked_at(texts: list[str], text: str) -> None:
    pattern = TopicPattern(text)
    expected = {one for one in texts if TopicPattern(one).overlaps(pattern)}

    found = Patterns(texts).overlapping(text)

    assert set(found) == expected
    assert len(found) == len(expected)


def _heard(says: Saying, ask: Ask, *, emits: tuple[str, ...] = (), is_open: bool = False) -> bool:
    sayer = Player("sayer", reactions=(Reaction("say", (), (says,), open=is_open),), emits=emits)
    hearer = Player("hearer", reactions=(Reaction("hear", (ask,)),))
    links = Links(Choreography("two", (sayer, hearer)))
    return any(word.hearers for word in links.words)


SMALL = Payload("1.0.0", {"type": "object", "properties": {"size": {"enum": ["s"]}}}, "Small")


def test_wildcards_and_filters_are_resolved() -> None:
    assert _heard(Saying("a.b"), Ask("a.*"))
    assert _heard(Saying("a.#"), Ask("a.b.c"))
    assert not _heard(Saying("a.b"), Ask("b.#"))
    assert _heard(Saying("a", payload=SMALL), Ask("a", {"payload.size": "s"}))


def test_of_two_words_a_filter_lets_one_pass() -> None:
    large = Payload("1.0.0", {"type": "object", "properties": {"size": {"enum": ["l"]}}}, "Large")
    says = (Saying("a", payload=SMALL), Saying("a", payload=large))
    sayer = Player("sayer", reactions=(Reaction("say", (), says, begins=True),))
    hearer = Player("hearer", reactions=(Reaction("hear", (Ask("a", {"payload.size": "l"}),)),))
    links = Links(Choreography("two", (sayer, hearer)))

    heard = {word.payload.name for word in links.words if word.hearers and word.payload}
    assert heard == {"Large"}
    assert links.mute == []


def test_who_is_open_may_say_all_that_it_declares() -> None:
    assert _heard(Saying("x"), Ask("y"), emits=("x", "y"), is_open=True)
    assert not _heard(Saying("x"), Ask("y"), emits=("x", "y"))


def test_who_only_looks_on_reacts_to_nothing() -> None:
    passive = Player("p", passive=True, reactions=(Reaction("see", (Ask("#"),)),))
    sayer = Player("s", reactions=(Reaction("say", (), (Saying("a"),), begins=True),))
    [word] = Links(Choreography("two", (passive, sayer))).words

    assert word.hearers == []


def test_an_external_type_comes_from_outside_unless_who_declares_it_says_it() -> None:
    hearer = Player("h", reactions=(Reaction("hear", (Ask("in"),)),), external=("in",))
    sayer = Player(
        "s", reactions=(Reaction("say", (), (Saying("out"),), begins=True),), external=("out",)
    )
    links = Links(Choreography("two", (hearer, sayer)))

    assert [word.type for word in links.words if word.outside] == ["in"]
    assert links.outward.texts == ["out"]
