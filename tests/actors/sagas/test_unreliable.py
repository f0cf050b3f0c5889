"""Sagas under lost and doubled deliveries: no case is called over that is not, none is called so
late, and each delivery that was lost is named.

What is true of a case is found out here by looking: into mailboxes, hands, outboxes and timers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import count
from random import Random
from typing import cast

import attrs
import pytest

from choreia import (
    ActorSystem,
    Agent,
    Event,
    MemoryStore,
    SagaParticipant,
    StepFailed,
    on,
    pivot,
    step,
)
from choreia.actors.record import Record
from choreia.runtime.delivery.bus import Target
from choreia.runtime.delivery.cases import events_of
from choreia.runtime.delivery.cell import Cell
from choreia.runtime.delivery.subscription import Subscription
from choreia.runtime.events.event import case_of
from choreia.runtime.insight.verdict import Verdict, Word
from choreia.runtime.simulation.faults import Unreliable
from choreia.runtime.stores.base import EventStore

LOSE = DOUBLE = 0.05
SPARED = ("agent.", "system.", "event.", "case.")


class Stock(SagaParticipant):
    compensate_on = ("payment.declined", "shipping.failed", "order.cancelled")
    terminal = ("order.rejected",)

    @step("order.placed", emits="stock.reserved", fails="order.rejected", compensate="release")
    def reserve(self, event: Event) -> object:
        if event.payload["fails"] == "stock":
            raise StepFailed("there is none")
        return dict(event.payload)

    def release(self, event: Event) -> None:
        self.emit("stock.released")


class Payment(SagaParticipant):
    compensate_on = ("shipping.failed", "order.cancelled")

    @step(
        "stock.reserved",
        emits="payment.charged",
        fails="payment.declined",
        compensate="refund",
        deadline=20,
        awaits="bank.answered",
    )
    def charge(self, event: Event) -> None:
        if event.payload["fails"] == "payment":
            raise StepFailed("the card is refused")
        self.emit("bank.asked", dict(event.payload))

    @on("bank.answered")
    def answered(self, event: Event) -> None:
        self.emit("payment.charged", dict(event.payload))

    def refund(self, event: Event) -> None:
        self.emit("payment.refunded")


class Bank(Agent):
    @on("bank.asked")
    def asked(self, event: Event) -> None:
        self.after(1 + Random(event.id).random() * 4, "bank.answered", dict(event.payload))


class Shipping(SagaParticipant):
    compensate_on = ("order.cancelled",)
    terminal = ("order.shipped",)

    @pivot("payment.charged", emits="order.shipped", fails="shipping.failed")
    def ship(self, event: Event) -> object:
        if event.payload["fails"] == "shipping":
            raise StepFailed("the truck is gone")
        return {}


class Mailer(Agent):
    """Nothing follows from what it does, but it has to be done."""

    @on("order.*")
    async def write(self, event: Event) -> None:
        """Nothing, on the loop."""


class Observer(Agent):
    """What is on its way to it holds no case open, and if it is lost nobody minds."""

    passive = True

    @on("order.*")
    @on("payment.*")
    def note(self, event: Event) -> None:
        self.emit("observed")


@attrs.define
class Truth:
    """What is true of the cases of a system, and whether it says the same."""

    system: ActorSystem
    seed: int
    published: list[Event] = attrs.field(factory=list)
    looks: int = 0
    went_on: int = 0
    """Cases that were looked at while they went on."""

    def see(self, event: Event) -> None:
        self.published.append(event)

    # -- what is true ---------------------------------------------------------------------

    def cells(self) -> Iterator[Cell]:
        for cell in self.system._roster.all():
            if cell.kind in ("agent", "subscription"):
                yield cell

    def unfinished(self) -> set[str]:
        """Cases of which something is on its way, or will be."""
        found = {case_of(event) for cell in self.cells() for event in in_hands_of(cell)}
        if self.system._keeping is not None:
            found.update(case_of(timer.event) for timer in self.system.store.timers())
        return found

    def lost(self) -> dict[str, set[tuple[str, str]]]:
        """What never came to those that hold a case open: by the same dice, thrown anew."""
        found: dict[str, set[tuple[str, str]]] = {}
        ears = [
            (cell.name, cast("Record", cell.owner).subscriptions)
            for cell in self.cells()
            if cell.holding
        ]
        for event in self.published:
            if event.type.startswith(SPARED):
                continue
            for name, subscriptions in ears:
                if any(hears(one, event) for one in subscriptions) and self.loses(event, name):
                    found.setdefault(case_of(event), set()).add((event.id, name))
        return found

    def loses(self, event: Event, agent: str) -> bool:
        return Random(f"{self.seed} {event.id} {agent}").random() < LOSE

    # -- what the system says ---------------------------------------------------------------

    def look(self, event: Event | None = None) -> None:
        """Compare the two, now."""
        self.looks += 1
        going_on = self.unfinished()
        self.went_on += len(going_on)
        seen = {one.id: one.verdict for one in self.system.cases(limit=100)}
        for case in going_on:
            verdict = seen.get(case) or self.system.case(case).verdict
            assert not verdict.over, (case, verdict)
        if self.system._keeping is None or event is None:  # a store is told of ends by the batch
            for case in set(seen) - going_on:
                self.check_done_with(case, seen[case])

    def check_done_with(self, case: str, verdict: Verdict) -> None:
        """Nothing is in flight there any more, and that is known."""
        if verdict.over:
            assert verdict.word is not Word.DIED or verdict.lost, (case, verdict)
        else:  # who was to undo a step, or was asked, has not heard of it
            assert verdict.word in (Word.STUCK, Word.WAITING), (case, verdict)
            assert verdict.lost, (case, verdict)

    def check_the_end(self, sagas: int) -> Counter[Word]:
        assert self.unfinished() == set()
        lost = self.lost()
        summaries = self.system.cases(limit=2 * sagas)
        assert len(summaries) == sagas
        for one in summaries:
            verdict = one.verdict
            assert verdict.whole
            assert {(gone.event_id, gone.agent) for gone in verdict.lost} == lost.get(one.id, set())
            self.check_done_with(one.id, verdict)
        assert len(lost) > sagas / 20
        return Counter(one.verdict.word for one in summaries)


def in_hands_of(cell: Cell) -> Iterator[Event]:
    """What an agent has, or will say, or has said and not got rid of."""
    record = cast("Record", cell.owner)
    yield from (one.event for one in (record.timers or {}).values() if one.event is not None)
    yield from (event for feed, event in cell.outbox or () if feed.cell.holding)
    if cell.holding:
        yield from events_of([*(cell.mailbox.items or ()), cell.turn.held])
        if cell.turn.event is not None:
            yield cell.turn.event


def hears(subscription: Subscription[Target], event: Event) -> bool:
    filter = subscription.filter
    return subscription.pattern.matches(event.type) and (filter is None or filter.matches(event))


def run(sagas: int, seed: int, store: EventStore | None = None, looks: int = 40) -> Counter[Word]:
    """So many sagas; how many of them ended how."""
    random = Random(seed)
    system = ActorSystem(
        mode="simulated", seed=seed, store=store, heartbeat=None, remember=40 * sagas
    )
    truth = Truth(system, seed)
    try:
        for agent in (Stock, Payment, Bank, Shipping, Mailer, Observer):
            system.spawn(agent)
        system.wait_idle()
        system._engine.bus.taps = (truth,)
        Unreliable(LOSE, DOUBLE, seed).begin(system._engine)
        every = max(1, sagas // looks)
        looking = count(1)

        def look(event: Event) -> None:
            if next(looking) % (8 * every) == 0:  # in the midst of things
                truth.look(event)

        system.subscribe("#", look, passive=True, durable=None if store is None else False)
        cancelled: list[tuple[float, str]] = []
        for number in range(sagas):
            fails = random.choice(("", "", "", "stock", "payment", "shipping", "customer"))
            order = system.publish("order.placed", {"fails": fails})
            if fails == "customer":
                cancelled.append((system.clock.now() + random.random() * 5, order.id))
            system.advance(random.random() * 0.1)
            for when, case in [one for one in cancelled if one[0] <= system.clock.now()]:
                cancelled.remove((when, case))
                system.publish("order.cancelled", correlation_id=case)
            if number % every == 0:
                truth.look()
        for _, case in cancelled:
            system.publish("order.cancelled", correlation_id=case)
        for _ in range(10):
            system.advance(4)
            truth.look()
        words = truth.check_the_end(sagas)
        assert truth.looks > 2 * looks
        assert truth.went_on > 20 * looks
        return words
    finally:
        system.stop(drain=False)


def test_no_case_is_called_over_too_early_or_too_late() -> None:
    words = run(500, seed=1)
    assert min(words[Word.COMPLETED], words[Word.COMPENSATED], words[Word.DIED]) > 25


def test_nor_is_one_of_a_store() -> None:
    words = run(80, seed=2, store=MemoryStore())
    assert min(words[Word.COMPLETED], words[Word.COMPENSATED], words[Word.DIED]) > 5


@pytest.mark.soak
@pytest.mark.timeout(1_800)
def test_nor_is_one_of_ten_thousand() -> None:
    words = run(10_000, seed=3, looks=120)
    assert min(words[Word.COMPLETED], words[Word.COMPENSATED], words[Word.DIED]) > 500
