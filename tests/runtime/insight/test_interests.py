"""Interests as a store keeps them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreia.runtime.errors import StoreDamaged
from choreia.runtime.insight.interests import decode, encode, versions
from choreia.runtime.insight.story import Ask, Interest
from choreia.runtime.stores.unit import KeptInterest

NAMES = st.text("abc-.*#", min_size=1, max_size=6)
TEXTS = st.lists(NAMES, max_size=3).map(tuple)
FILTERS = st.none() | st.dictionaries(NAMES, st.integers() | st.text("xyz é"), max_size=2)
INTERESTS = st.builds(
    Interest,
    agent=NAMES,
    asks=st.lists(st.builds(Ask, NAMES, FILTERS, st.text("ab")), max_size=3).map(tuple),
    since=st.integers(0, 9),
    kind=st.sampled_from(["agent", "subscription"]),
    passive=st.booleans(),
    durable=st.booleans(),
    key=st.none() | NAMES,
    cls=st.text("AB"),
    emits=st.none() | TEXTS,
    terminal=TEXTS,
    external=TEXTS,
)


@given(INTERESTS)
def test_what_is_kept_is_what_was_declared(interest: Interest) -> None:
    kept = KeptInterest(interest.agent, interest.since, encode(interest), interest.durable)
    assert decode(kept) == interest


def test_the_value_does_not_name_the_agent() -> None:
    one, other = Interest("one", (Ask("a.b"),)), Interest("other", (Ask("a.b"),), since=5)
    assert encode(one) == encode(other)


def test_fields_of_a_later_version_are_passed_over() -> None:
    kept = KeptInterest("a", 1, b'{"asks":[{"pattern":"x","new":1}],"more":[]}')
    assert decode(kept) == Interest("a", (Ask("x"),), since=1)


@pytest.mark.parametrize(
    "value", [b"{", b"[]", b"{}", b'{"asks":[{}]}', b'{"asks":[{"pattern":"x","filter":3}]}']
)
def test_what_is_no_interest_is_refused(value: bytes) -> None:
    with pytest.raises(StoreDamaged, match="what 'shop' subscribes to since position 7"):
        decode(KeptInterest("shop", 7, value))


def test_each_version_ends_where_the_next_begins() -> None:
    first, second = b'{"asks":[{"pattern":"one"}]}', b'{"asks":[{"pattern":"two"}]}'
    kept = [
        KeptInterest("a", 0, first),
        KeptInterest("b", 2, first, durable=False),
        KeptInterest("a", 5, second),
        KeptInterest("b", 6, b"", durable=False),
        KeptInterest("b", 8, second, durable=False),
    ]
    assert [(one.agent, one.since, one.until, one.asks[0].pattern) for one in versions(kept)] == [
        ("a", 0, 5, "one"),
        ("b", 2, 6, "one"),
        ("a", 5, None, "two"),
        ("b", 8, None, "two"),
    ]


def test_a_version_that_was_for_nothing_is_left_out() -> None:
    value = b'{"asks":[]}'
    kept = [KeptInterest("a", 3, value), KeptInterest("a", 3, b'{"asks":[],"key":"type"}')]
    assert [one.key for one in versions(kept)] == ["type"]
