"""A case as JSON: what a seeded run gives is in ``tests/actors/test_cli_cases.py``."""

from __future__ import annotations

import json
from typing import Any

import attrs

from choreia.runtime.insight.caseform import Spent, case_form, list_form, spent
from choreia.runtime.insight.listing import summary
from choreia.runtime.insight.story import State, Story
from choreia.runtime.insight.verdict import judge
from choreia.runtime.stores.unit import CaseRecord


def document(told: Story, now: float | None = None) -> dict[str, Any]:
    shown = case_form(told, judge(told, now))
    assert shown.isascii()
    found: dict[str, Any] = json.loads(shown)
    return found


def test_what_is_in_flight_dead_and_lost_is_told_apart(shop: Story) -> None:
    first = shop.deliveries[0]
    more = (attrs.evolve(first, state=State.LOST), attrs.evolve(first, state=State.DEAD))
    said = document(attrs.evolve(shop, deliveries=(*shop.deliveries, *more)), 1_000.0)
    assert (said["case"], said["type"], said["events"]) == ("e1", "order.placed", 7)
    assert (said["verdict"], said["over"], said["began"], said["duration"]) == (
        "stuck",
        False,
        100.0,
        2.0,
    )
    (flying,) = said["in_flight"]
    assert (flying["type"], flying["agent"], flying["state"], flying["since"], flying["stuck"]) == (
        "payment.refused",
        "orders",
        "lagging",
        101.25,
        "for 899 s",
    )
    assert [one["state"] for one in said["lost"]] == ["lost"]
    assert [one["state"] for one in said["dead_letters"]] == ["dead_lettered"]
    assert said["waits"] == [{"what": "order.late", "agent": "orders:7", "until": 130.0}]


def test_an_outcome_shows_no_secret(shop: Story) -> None:
    ending = attrs.evolve(shop.interests[0], terminal=("order.placed",))
    said = document(attrs.evolve(shop, interests=(ending,)))
    assert said["outcome"]["payload"] == {"order": 7, "token": "***"}
    assert said["outcome"]["agent"] == "outside"


def test_what_is_undone_and_what_is_owed_are_named(shop: Story) -> None:
    records = (
        CaseRecord("x", "e1", "step:a", b'{"state":"compensated"}'),
        CaseRecord("x", "e1", "step:b", b'{"state":"done","owed":true}'),
    )
    said = document(attrs.evolve(shop, records=records))
    assert (said["compensated"], said["owed"]) == (["x.a"], ["x.b"])
    assert [one["name"] for one in said["steps"]] == ["a", "b"]


def test_what_agents_spent_is_summed_and_what_is_no_amount_is_nothing() -> None:
    values = [b'{"usd":0.1}', b'{"usd":0.2}', b'{"usd":0.3}', b"[]", b"no", b'{"usd":null}']
    records = [CaseRecord("x", "c", f"spend:e:{n}", value) for n, value in enumerate(values)]
    records += [CaseRecord("x", "c", "spending", b'{"usd":9}')]
    assert spent(Story("c", (), (), (), records=tuple(records))) == Spent(0.6, 6)


def test_hostile_text_is_kept_whole(hostile: Story) -> None:
    said = document(hostile)
    assert said["case"] == hostile.correlation_id
    assert said["dead_letters"][0]["error"] == hostile.deliveries[0].error


def test_a_case_of_which_nothing_is_known_is_told_too() -> None:
    told = Story("x", (), (), ())
    assert document(told)["outcome"] is None
    assert json.loads(list_form([summary(told)]))["cases"][0]["type"] == ""
