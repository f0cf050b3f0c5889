"""Ids: increasing when made, repeatable when derived."""

from __future__ import annotations

import os
import random
import re
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreia.runtime.errors import InvalidAgent
from choreia.runtime.events import identity
from choreia.runtime.events.identity import (
    Deriver,
    IdSource,
    agent_did,
    check_name,
    check_node,
    is_native,
    kebab,
    next_id,
)

NATIVE = re.compile(r"[0-9a-f]{32}")
NOON = 1_700_000_000.123
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


def source(now: float = NOON, seed: int = 0) -> IdSource:
    return IdSource(lambda: now, random.Random(seed).getrandbits)


# -- made --------------------------------------------------------------------------------------


def test_an_id_is_milliseconds_and_random_digits() -> None:
    id = source().next()
    assert NATIVE.fullmatch(id)
    assert int(id[:12], 16) == int(NOON * 1000)


def test_a_seeded_source_repeats_itself() -> None:
    one, same, other = source(seed=1), source(seed=1), source(seed=2)
    ids = [one.next() for _ in range(3)]
    assert ids == [same.next() for _ in range(3)]
    assert ids != [other.next() for _ in range(3)]


@given(st.lists(st.floats(-1e4, 2.8e11), min_size=2, max_size=20), st.integers(0, 2**80 - 1))
def test_ids_increase_whatever_the_clock_and_the_dice_do(times: list[float], dice: int) -> None:
    clock = iter(times)
    made = IdSource(lambda: next(clock), lambda bits: dice % 2**bits)
    ids = [made.next() for _ in times]
    assert ids == sorted(set(ids))
    assert all(NATIVE.fullmatch(id) for id in ids)


def test_ids_increase_across_threads() -> None:
    made = source()

    def many(_: int) -> list[str]:
        return [made.next() for _ in range(2_000)]

    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            batches = list(pool.map(many, range(8)))
    finally:
        sys.setswitchinterval(switch)
    assert all(batch == sorted(batch) for batch in batches)
    assert len({id for batch in batches for id in batch}) == 16_000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_makes_other_ids_and_takes_no_lock_along() -> None:
    reading, writing = os.pipe()
    with identity._default._lock:  # pyright: ignore[reportPrivateUsage]
        child = os.fork()
        if child == 0:
            os.write(writing, next_id().encode())
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        theirs = pipe.read()
    os.waitpid(child, 0)
    assert NATIVE.fullmatch(theirs)
    assert theirs[12:] != next_id()[12:]


# -- derived -----------------------------------------------------------------------------------


def test_a_derived_id_keeps_the_time_of_its_cause() -> None:
    parent = source().next()
    effect = Deriver("did:choreia:local:a").buffered(parent, 0.0, 0)
    assert NATIVE.fullmatch(effect)
    assert effect[:12] == parent[:12]
    assert effect != parent


@pytest.mark.parametrize("parent", ["order-17", "A" * 32, "0" * 31, "0" * 33, "x" + "0" * 31, "ü"])
def test_a_foreign_cause_gives_its_timestamp(parent: str) -> None:
    deriver = Deriver("a")
    deriver.buffered("0" * 32, 0.0, 0)  # a native one before must not colour it
    expected = f"{int(NOON * 1000):012x}"
    assert deriver.buffered(parent, NOON, 0)[:12] == expected
    assert deriver.early(parent, NOON, "t", b"{}", 0)[:12] == expected


@pytest.mark.parametrize("timestamp", [-62_135_596_800.0, -0.5, 253_402_300_799.0])
def test_times_beyond_48_bits_and_before_1970_still_make_an_id(timestamp: float) -> None:
    assert NATIVE.fullmatch(Deriver("a").buffered("foreign", timestamp, 0))


PARTS = st.tuples(TEXTS, st.integers(0, 10_000))


@given(TEXTS, PARTS, TEXTS, PARTS)
def test_a_buffered_id_is_a_function_of_agent_cause_and_place(
    agent: str, part: tuple[str, int], other_agent: str, other_part: tuple[str, int]
) -> None:
    id = Deriver(agent).buffered(part[0], 1.0, part[1])
    other = Deriver(other_agent).buffered(other_part[0], 1.0, other_part[1])
    assert id == Deriver(agent).buffered(part[0], 1.0, part[1])
    assert (id[12:] == other[12:]) is ((agent, part) == (other_agent, other_part))


EARLY = st.tuples(TEXTS, TEXTS, st.binary(max_size=20), st.integers(0, 100))


@given(EARLY, EARLY)
def test_an_early_id_is_a_function_of_what_is_said(
    said: tuple[str, str, bytes, int], other: tuple[str, str, bytes, int]
) -> None:
    deriver = Deriver("a")
    id = deriver.early(said[0], 1.0, *said[1:])
    assert id == Deriver("a").early(said[0], 1.0, *said[1:])
    assert (id[12:] == deriver.early(other[0], 1.0, *other[1:])[12:]) is (said == other)


def test_buffered_and_early_ids_never_meet() -> None:
    deriver = Deriver("a")
    assert deriver.buffered("p", 1.0, 0) != deriver.early("p", 1.0, "", b"", 0)


def test_places_are_told_apart_beyond_the_prepared_ones() -> None:
    deriver = Deriver("a")
    assert len({deriver.buffered("p", 1.0, place) for place in range(200)}) == 200


def test_derived_ids_stay_what_they_were() -> None:
    # Stored events are found again by these: a change here breaks every log on disk.
    deriver = Deriver("did:choreia:local:a")
    parent = "01a20319ac05ff949cfee8be5083281b"
    early = deriver.early(parent, 1.0, "order.created", b"{}", 0)
    assert deriver.buffered(parent, 1.0, 0) == "01a20319ac05ad629e52fec78573af49"
    assert early == "01a20319ac05feaca28bdf469fed756c"


def test_native_ids_are_recognised() -> None:
    assert is_native(next_id())
    assert not is_native("order-17")
    assert not is_native("F" * 32)


# -- names -------------------------------------------------------------------------------------


def test_an_agent_is_a_did() -> None:
    assert agent_did("local", "order-book") == "did:choreia:local:order-book"
    with pytest.raises(InvalidAgent, match="agent name"):
        agent_did("local", "a.b")
    with pytest.raises(InvalidAgent, match="node name"):
        agent_did("a:b", "x")


@pytest.mark.parametrize("name", ["", "a.b", "a b", "ü", "*", "#", "a\n", "x" * 129, None, 7])
def test_an_agents_name_is_one_segment_of_a_topic(name: object) -> None:
    with pytest.raises(InvalidAgent, match="agent name"):
        check_name(name)


def test_host_names_serve_as_nodes() -> None:
    assert check_node("eu-1.example.org") == "eu-1.example.org"
    for wrong in ("", "a:b", "a/b", "x" * 129, None):
        with pytest.raises(InvalidAgent, match="node name"):
            check_node(wrong)


@pytest.mark.parametrize(
    ("class_name", "name"),
    [
        ("OrderBook", "order-book"),
        ("HTTPServer2", "http-server2"),
        ("A", "a"),
        ("ABC", "abc"),
        ("Inventory", "inventory"),
        ("_Private", "private"),
        ("Order_Book", "order-book"),
        ("<lambda>", "lambda"),
        ("Büro", "buro"),
        ("事件", "agent"),
        ("_", "agent"),
    ],
)
def test_a_class_name_becomes_an_agents_name(class_name: str, name: str) -> None:
    assert kebab(class_name) == name


@given(st.text(max_size=300))
def test_every_class_name_becomes_a_valid_name(class_name: str) -> None:
    assert check_name(kebab(class_name))
