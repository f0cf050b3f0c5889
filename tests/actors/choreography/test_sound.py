"""Choreographies as people write them, in which nothing is wrong; and those in which it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from choreia.runtime.insight.checks import report

if TYPE_CHECKING:
    from tests.actors.choreography.conftest import Written

HELPERS = """
    PAID = "T.paid"

    def close(teller, why, type="T.closed"):
        teller.emit(type, {"why": why})

    class Base(Agent):
        def say(self, type, payload=None):
            self.emit(type, payload or {})

        def both(self, *types):
            for type in types:
                self.say(type)

    class Till(Base):
        external = ("T.placed",)

        @on("T.placed")
        def take(self, event):
            self.both(PAID) if event.payload else self.say(type=f"T.{'un'}paid")
            self.both(PAID, "T.noted")

    class Desk(Base):
        terminal = ("T.closed", "T.dropped")

        @on("T.paid")
        @on("T.noted")
        def end(self, event):
            close(self, "paid")

        @on("T.unpaid")
        def drop(self, event):
            types = {"a": "T.dropped"}
            self.emit(types[event.payload["why"]], {})

    def build(system):
        system.spawn(Till)
        system.spawn(Desk)
"""
AGAIN = """
    class Jobs(Agent):
        external = ("T.submitted",)
        terminal = ("T.done",)

        @on("T.submitted")
        def work(self, event):
            self.emit("T.done")
            self.after(5, "T.submitted")

    def build(system):
        system.spawn(Jobs)
"""
APPROVAL = """
    class Review(Agent):
        external = ("T.asked", "T.approved")
        terminal = ("T.published",)

        @on("T.asked")
        def ask(self, event):
            self.awaits("T.approved")

        @on("T.approved")
        def publish(self, event):
            self.emit("T.published")

    def build(system):
        system.spawn(Review)
"""
QUIET_UNDOING = """
    class Stock(SagaParticipant):
        external = ("T.asked",)
        compensate_on = ("T.refused",)

        @step("T.asked", emits="T.reserved", compensate="release", deadline=60)
        def reserve(self, event): ...

        def release(self, event): ...

    class Shipping(SagaParticipant):
        terminal = ("T.shipped",)

        @pivot("T.reserved", emits="T.shipped", fails="T.refused")
        def ship(self, event): ...

    def build(system):
        system.spawn(Stock)
        system.spawn(Shipping)
"""

PAGES = """
    class Reader(Agent):
        terminal = ("T.read",)

        @every(30)
        async def read(self, event):
            async for page in self.pages():
                yield "T.read", {"page": page}
            for line in self.lines():
                self.emit("T.read", {"line": line})

        async def pages(self):
            yield 1

        def lines(self):
            for number in range(3):
                yield number

    def build(system):
        system.spawn(Reader)
"""


@pytest.mark.parametrize("source", [HELPERS, AGAIN, APPROVAL, QUIET_UNDOING, PAGES])
def test_nothing_is_found_where_nothing_is_wrong(written: Written, source: str) -> None:
    told = report(written(source))

    assert [f"{one.id} {one.what}" for one in told.findings] == []
    # A helper that a subclass inherits and does not call is not followed.
    assert told.vague == ()


def test_a_bound_is_of_its_own_topic_alone(written: Written) -> None:
    source = """
    class Loop(Agent):
        external = ("T.begun",)

        @on("T.begun")
        @on("T.far", max_hops=5)
        @on("T.near"BOUND)
        def turn(self, event):
            self.emit("T.far")
            self.emit("T.near")

    def build(system):
        system.spawn(Loop)
    """
    ids = [
        [one.id for one in report(written(source.replace("BOUND", bound))).findings]
        for bound in ("", ", max_hops=9")
    ]

    assert ids == [["C06"], []]


def test_where_anything_may_be_emitted_nothing_is_said_to_be_never_emitted(
    written: Written,
) -> None:
    source = """
    import random

    class Dice(Agent):
        external = ("T.thrown",)
        EMITS

        @on("T.thrown")
        def throw(self, event):
            self.emit(random.choice(["T.won", "T.lost"]))

    class Bank(Agent):
        @on("T.won")
        def pay(self, event): ...

    def build(system):
        system.spawn(Dice)
        system.spawn(Bank)
    """
    unsure = report(written(source.replace("EMITS", "")))
    sure = report(written(source.replace("EMITS", 'emits = ("T.lost",)')))

    assert [one.id for one in unsure.findings] == []
    assert [title for title, _ in unsure.vague] == ["dice.throw"]
    assert [one.id for one in sure.findings] == ["C01", "C02"]
    assert sure.vague == ()


def test_what_is_no_event_type_is_told_and_breaks_nothing(written: Written) -> None:
    source = """
    class Clerk(Agent):
        external = ("T.placed",)

        @on("T.placed")
        def open(self, event):
            self.emit("<script>alert(1)</script>")
            self.emit("T.*")
            self.emit(f"to do.{event.id}")
            self.emit("x" * 0 or "x.\\x1b[2J")
            self.emit("")

    def build(system):
        system.spawn(Clerk, name="clerk")
    """
    findings = report(written(source)).findings

    assert {one.id for one in findings} == {"C11"}
    assert sorted(one.place.line for one in findings) == [10, 11, 12, 13, 14]
    assert not any("\x1b" in one.what + one.event for one in findings)


def test_a_function_that_calls_itself_with_ever_longer_texts_is_read_to_an_end(
    written: Written,
) -> None:
    source = """
    class Clerk(Agent):
        external = ("T.placed",)

        @on("T.placed")
        def open(self, event):
            self.more("T.a")

        def more(self, type):
            self.emit(type)
            self.more(type + ".b")

    def build(system):
        system.spawn(Clerk, name="clerk")
    """
    [clerk] = written(source).players
    [reaction] = [one for one in clerk.reactions if one.name == "open"]

    assert reaction.open
    assert 2 < len(reaction.says) < 100
