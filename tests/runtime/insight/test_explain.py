"""Why an event reached whom it reached: every subscription, and what decided."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreia.runtime.errors import InvalidFormat, UnknownCase
from choreia.runtime.events.event import Event
from choreia.runtime.events.payload import Json
from choreia.runtime.events.recorded import ERASED, Recorded
from choreia.runtime.events.segments import Misfit
from choreia.runtime.insight.explain import Explanation, Fault, explain
from choreia.runtime.insight.explaining import as_json, as_text
from choreia.runtime.insight.matching import Listeners
from choreia.runtime.insight.story import Ask, Delivery, Interest, State, Story


def told(
    *interests: Interest,
    type: str = "order.placed",
    payload: dict[str, Json] | None = None,
    deliveries: tuple[Delivery, ...] = (),
    flags: int = 0,
) -> Explanation:
    event = Event(type, "urn:shop", payload or {}, id="e1")
    story = Story("e1", (Recorded(5, event, flags=flags),), interests, deliveries)
    return explain(story, "e1")


def test_who_got_it_comes_first_and_then_the_nearest(shop: Story) -> None:
    found = explain(shop, "e1")
    assert [one.agent for one in found.matched] == ["stock", "billing", "audit"]
    assert [one.agent for one in found.missed] == ["vip", "payment", "packing"]
    assert [one.handlers for one in found.matched] == [("reserve",), ("bill",), ("write",)]


def test_who_was_not_there_is_not_asked(shop: Story) -> None:
    agents = {one.agent for one in explain(shop, "e1").answers}
    assert not {"old", "new"} & agents


def test_a_delivery_tells_how_it_stands(shop: Story) -> None:
    states = {one.agent: one.delivery for one in explain(shop, "e3").answers}
    assert states["audit"] is not None
    assert (states["audit"].state, states["audit"].reason) == (State.DEAD, "failed")
    assert states["stock"] is None


def test_the_segment_that_does_not_fit() -> None:
    (answer,) = told(Interest("a", (Ask("order.paid"), Ask("stock.*")))).answers
    assert [miss.segment for miss in answer.misses] == [
        Misfit(2, "paid", "placed"),
        Misfit(1, "stock", "order"),
    ]


def test_the_clause_that_failed_and_on_which_value() -> None:
    said = {"payload.sum": {"$gte": 1, "$lt": 5}}
    (answer,) = told(Interest("a", (Ask("order.*", said, "h"),)), payload={"sum": 7}).answers
    (miss,) = answer.misses
    assert miss.fault == Fault("payload.sum", {"$lt": 5}, (7,), holds=False, around=())


def test_a_filter_that_failed_is_nearer_than_another_topic() -> None:
    asks = Ask("stock.gone"), Ask("order.*", {"payload.x": 1})
    (answer,) = told(Interest("a", asks)).answers
    assert [miss.fault is not None for miss in answer.misses] == [True, False]


def test_one_subscription_that_matches_is_enough() -> None:
    asks = Ask("order.*", {"payload.x": 1}, "one"), Ask("order.placed", None, "other")
    (answer,) = told(Interest("a", asks)).answers
    assert (answer.matched, answer.handlers, answer.misses) == (True, ("other",), ())


def test_what_has_no_key_is_not_for_a_keyed_agent() -> None:
    keyed = Interest("a", (Ask("order.*"),), key="payload.id")
    (answer,) = told(keyed).answers
    assert (answer.matched, answer.misses[0].key) == (False, "payload.id")
    assert told(keyed, payload={"id": 1}).matched


def test_of_what_was_erased_a_filter_cannot_be_asked() -> None:
    interests = Interest("a", (Ask("order.*", {"payload.x": None}),)), Interest("b", (Ask("#"),))
    found = told(*interests, flags=ERASED)
    assert [one.agent for one in found.matched] == ["b"]
    assert found.missed[0].misses[0].erased


def test_zero_matches_is_an_answer_with_what_comes_nearest() -> None:
    interests = Interest("a", (Ask("order.placd"),)), Interest("b", (Ask("zebra"),))
    found = told(*interests)
    assert (found.matched, found.nearest) == ((), ("order.placd",))
    said = as_text(found)
    assert "nobody was subscribed to it: it reached no agent, of 2" in said
    assert "What comes nearest: order.placd" in said


def test_nobody_got_it_though_the_type_was_subscribed_to() -> None:
    interests = Interest("a", (Ask("order.placed", {"payload.x": 1}),)), Interest("b", (Ask("z"),))
    found = told(*interests)
    assert found.nearest == ()
    assert "nobody got it: no subscription to its type let it through" in as_text(found)


def test_who_got_it_without_a_subscription_was_told() -> None:
    dead = Delivery("e1", "bob:7", State.DEAD, reason="unhandled")
    (answer,) = told(deliveries=(dead,)).answers
    assert (answer.agent, answer.kind, answer.matched) == ("bob:7", "told", True)


def test_a_member_answers_for_its_family() -> None:
    deliveries = (Delivery("e1", "orders:7", State.HANDLED),)
    (answer,) = told(Interest("orders", (Ask("#"),)), deliveries=deliveries).answers
    assert answer.delivery == deliveries[0]


def test_an_event_of_another_case_is_unknown(shop: Story) -> None:
    with pytest.raises(UnknownCase, match="no event e99 in the case e1") as caught:
        explain(shop, "e99")
    assert caught.value.id == "e99"


@pytest.mark.parametrize(
    ("filter", "line"),
    [
        ({"payload.sum": {"$lt": 5}}, "payload.sum is to be {'$lt': 5}, and is 7"),
        ({"payload.no": 5}, "payload.no is to be {'$eq': 5}, and is nothing"),
        ({"payload.sum": {"$not": {"$gt": 5}}}, "is not to be {'$gt': 5}, and is 7, in $not"),
        ({"$or": [{"payload.sum": 1}]}, "payload.sum is to be {'$eq': 1}, and is 7, in $or"),
        ({"payload.list.n": 9}, "is to be {'$eq': 9}, and is 1, 2, 3 and 1 more"),
        ({"payload.token": "VIP"}, "payload.token is to be '***', and is '***'"),
        ({"$nor": [{}]}, "$nor of [{}] does not hold"),
    ],
)
def test_a_fault_in_words(filter: dict[str, Json], line: str) -> None:
    listed: list[Json] = [{"n": n} for n in (1, 2, 3, 4)]
    payload: dict[str, Json] = {"sum": 7, "token": "hunter2", "list": listed}
    assert line in as_text(told(Interest("a", (Ask("#", filter),)), payload=payload))


def test_the_words_for_everything_else(shop: Story) -> None:
    assert as_text(explain(shop, "e1")).splitlines() == [
        "order.placed {'order': 7, 'token': '***'}, from outside",
        "event e1 in case e1",
        "  ✓ stock (reserve): handled",
        "  ✓ billing (bill): handled",
        "  ✓ audit (write): handled",
        "  · vip: order.placed: payload.token is to be '***', and is '***'",
        "  · payment: stock.reserved: segment 1 is 'order', not 'stock'",
        "  · packing: stock.*: segment 1 is 'order', not 'stock' (and 1 more that did not match)",
    ]


def test_many_who_subscribe_to_something_else_are_counted() -> None:
    found = told(*(Interest(f"a{n}", (Ask("x"),)) for n in range(50)))
    assert "… and 10 more who subscribe to something else" in as_text(found)
    assert len(json.loads(as_json(found))["subscribers"]) == 50


def test_what_a_program_reads() -> None:
    said = {"$or": [{"payload.sum": {"$lt": 5}}, {"payload.sum": 100}]}
    interests = (
        Interest("a", (Ask("order.*", said, "h"),)),
        Interest("b", (Ask("order", None, "h"),), key="payload.id"),
    )
    document: dict[str, Any] = json.loads(as_json(told(*interests, payload={"sum": 7})))
    assert (document["format"], document["matched"], document["event"]["id"]) == (1, 0, "e1")
    first, second = document["subscribers"]
    assert first["misses"][0]["filter"] == {
        "path": "payload.sum",
        "operator": "$lt",
        "wanted": 5,
        "found": [7],
        "holds": False,
        "inside": ["$or"],
    }
    assert second["misses"][0]["topic"] == {"segment": 2, "wanted": None, "found": "placed"}


def test_it_shows_itself(shop: Story) -> None:
    found = explain(shop, "e1")
    assert str(found) == as_text(found)
    assert found.show("json") == as_json(found)
    with pytest.raises(InvalidFormat, match="the formats text, json"):
        found.show("html")


def test_hostile_text_stays_text(hostile: Story) -> None:
    filtered = Interest("b", (Ask("order.paid", {"payload.x": hostile.correlation_id}),))
    story = attrs.evolve(hostile, interests=(*hostile.interests, filtered))
    for event_id in ("e1", "e2"):
        found = explain(story, event_id)
        said = as_text(found)
        assert all(line.isprintable() and len(line) <= 400 for line in said.splitlines())
        assert as_json(found).isascii()
        assert json.loads(as_json(found))["event"]["source"] == found.recorded.event.source


PATTERNS = st.sampled_from(["a.b", "a.*", "#", "*.b", "c"])
FILTERS = st.sampled_from(
    [None, {"payload.n": {"$gt": 1}}, {"payload.n": {"$not": {"$gt": 1}}}, {"payload.k": "x"}]
)


@given(
    st.lists(st.tuples(st.builds(Ask, PATTERNS, FILTERS), st.booleans()), max_size=5),
    st.sampled_from(["a.b", "a.c", "c", "d"]),
    st.dictionaries(st.sampled_from("nk"), st.integers(0, 3) | st.just("x")),
)
def test_it_says_matched_exactly_of_those_who_get_it(
    said: list[tuple[Ask, bool]], type: str, payload: dict[str, Json]
) -> None:
    interests = tuple(
        Interest(f"i{n}", (ask,), key="payload.k" if keyed else None)
        for n, (ask, keyed) in enumerate(said)
    )
    found = told(*interests, type=type, payload=payload)
    for_whom = {one.agent for one in Listeners(interests).of(found.recorded)}
    assert {one.agent for one in found.matched} == for_whom
    assert all(one.misses for one in found.missed)
