"""A case as text: what a seeded run gives is in ``tests/actors/test_cli_cases.py``."""

from __future__ import annotations

import attrs

from choreia.runtime.insight.casetext import as_text
from choreia.runtime.insight.story import State, Story
from choreia.runtime.insight.verdict import judge
from choreia.runtime.stores.unit import CaseRecord

NOW = 103.5
DEAD = "dead-lettered (failed, 3 attempts): OSError: disk is full"


def lines(told: Story) -> list[str]:
    return as_text(told, judge(told), NOW).splitlines()


def test_all_that_holds_a_case_open_or_went_wrong_is_told(shop: Story) -> None:
    lost = attrs.evolve(shop.deliveries[0], state=State.LOST)
    dead = attrs.evolve(shop.deliveries[5], passive=False)
    told = attrs.evolve(shop, deliveries=(*shop.deliveries, lost, dead), whole=False)
    assert lines(told) == [
        "case e1: running, in flight: event e6 at orders (lagging)",
        "began      1970-01-01 00:01:40.000 with order.placed, 7 events in 2 s",
        "           what came before is not known any more",
        "waits for  order.late, at orders:7, until 1970-01-01 00:02:10.000",
        "in flight  payment.refused e6 at orders: not come to yet, for 2.25 s",
        f"dead       stock.reserved e3 at audit: {DEAD}",
        "lost       order.placed e1 at stock: lost",
    ]


def test_steps_are_told_with_what_can_be_undone_of_them(shop: Story) -> None:
    kept = {
        "a": b'{"state":"done","compensates":true}',
        "b": b'{"state":"done"}',
        "c": b'{"state":"failed","kind":"pivot"}',
        "d": b'{"state":"done","compensates":true,"owed":true}',
        "e": b'{"state":"compensated","compensates":true}',
    }
    records = tuple(CaseRecord("x", "e1", f"step:{name}", said) for name, said in kept.items())
    said = [line for line in lines(attrs.evolve(shop, records=records)) if line.startswith("step")]
    assert said == [
        "step       x.a: done, and can be undone",
        "step       x.b: done",
        "step       x.c: failed (pivot)",
        "step       x.d: done, its compensation is owed",
        "step       x.e: compensated",
    ]


def test_of_a_case_that_is_over_nothing_can_be_undone() -> None:
    done = CaseRecord("x", "c", "step:a", b'{"state":"done","compensates":true}')
    assert lines(Story("c", (), (), (), records=(done,)))[1:] == ["step       x.a: done"]


def test_a_case_of_which_nothing_is_known_is_shown_too() -> None:
    assert lines(Story("x", (), (), ())) == [
        "case x: died, nothing is in flight, and no event of a terminal type came"
    ]


def test_hostile_text_stays_on_its_line(hostile: Story) -> None:
    records = (CaseRecord(hostile.correlation_id, "e1", f"step:{hostile.correlation_id}", b"{}"),)
    told = lines(attrs.evolve(hostile, records=records))
    assert all(line.isprintable() and len(line) <= 400 for line in told)
    assert [line[:11].strip() for line in told[1:]] == [
        "began",
        "step",
        "waits for",
        "dead",
    ]


def test_of_very_many_some_are_shown_and_all_are_counted(broad: Story) -> None:
    late = tuple(attrs.evolve(one, state=State.LAGGING) for one in broad.deliveries)
    told = lines(attrs.evolve(broad, deliveries=late))
    assert sum(line.startswith("in flight") for line in told) == 40
    assert told[-1] == "           … and 160 more"
