"""However a delivery ends, its case knows: never before, and at once.

Each scenario starts a case in a system, and brings it to its end. While a handler has an event of
it in hand, it is not over; afterwards nothing is in flight of it, and it stands as it should.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from choreia import (
    ActorSystem,
    Agent,
    CaseLimits,
    Event,
    GiveUp,
    MailboxFull,
    MemoryStore,
    Retry,
    RetryAfter,
    Unhandled,
    every,
    on,
)
from choreia.actors.cases import Case, Patience
from choreia.runtime.insight.verdict import Word
from choreia.runtime.stores.unit import Outcome, Unit

if TYPE_CHECKING:
    from tests.runtime.delivery.conftest import Make, Until

SOON = Retry(attempts=3, delay=0.001, jitter=0)
ONCE = Retry(attempts=1)

early: list[str] = []
"""Where a case was called over that was not."""
systems: list[ActorSystem] = []


class Acts(Agent):
    terminal = ("done",)
    retry = SOON

    def look(self) -> None:
        assert self.event is not None
        case = systems[-1].case(self.event)
        if case.verdict.over:
            early.append(f"{self.name} with {self.event.type}: {case.verdict}")


def go(system: ActorSystem, **options: Any) -> Event:
    event: Event = system.publish("go", **options)
    return event


# -- handlers ------------------------------------------------------------------------------------


class Plain(Acts):
    @on("go")
    def go(self, event: Event) -> None:
        self.look()
        self.emit("on")

    @on("on")
    def goes_on(self, event: Event) -> None:
        self.look()
        self.emit("done")


class Fails(Acts):
    @on("go")
    def go(self, event: Event) -> None:
        self.look()
        raise ValueError


class FailsOnce(Acts):
    tries = 0

    @on("go")
    def go(self, event: Event) -> None:
        self.look()
        self.tries += 1
        if self.tries == 1:
            raise ValueError
        self.emit("done")


class WaitsAWhile(FailsOnce):
    @on("go")
    def go(self, event: Event) -> None:
        self.look()
        self.tries += 1
        if self.tries == 1:
            raise RetryAfter(0.01)
        self.emit("done")


class GivesUp(Acts):
    @on("go")
    def go(self, event: Event) -> None:
        self.emit("done")  # which does not leave
        raise GiveUp("never")


class Awaits(Acts):
    @on("go")
    async def go(self, event: Event) -> None:
        await asyncio.sleep(0.001)
        self.look()
        self.emit("on")

    @on("on")
    async def goes_on(self, event: Event) -> None:
        self.emit("done")


class Generates(Acts):
    @on("go")
    def go(self, event: Event) -> Iterator[Any]:
        yield "on"
        self.look()
        yield "on"

    @on("on")
    def goes_on(self, event: Event) -> None:
        self.look()
        self.emit("done")


class Streams(Acts):
    @on("go")
    async def go(self, event: Event) -> AsyncIterator[Any]:
        yield "on"
        await asyncio.sleep(0.001)
        self.look()
        yield "done"


class IsCancelled(Acts):
    @on("go", cancel_on="stop")
    async def go(self, event: Event) -> None:
        await asyncio.sleep(3600)


class TakesTooLong(Acts):
    retry = ONCE

    @on("go", timeout=0.01)
    async def go(self, event: Event) -> None:
        await asyncio.sleep(3600)


class EmitsNow(Acts):
    @on("go")
    def go(self, event: Event) -> None:
        self.emit_now("on")
        systems[-1].publish("on")
        self.look()

    @on("on")
    def goes_on(self, event: Event) -> None:
        self.look()
        self.emit("done")


class EmitsNowAsync(Acts):
    @on("go")
    async def go(self, event: Event) -> None:
        await self.emit_now_async("on")
        self.look()

    @on("on")
    def goes_on(self, event: Event) -> None:
        self.look()
        self.emit("done")


class EmitsNowAndFails(EmitsNow):
    @on("go")
    def go(self, event: Event) -> None:
        self.emit_now("on")
        self.look()
        raise ValueError


class Circles(Acts):
    @on("go")
    def go(self, event: Event) -> None:
        self.look()
        self.emit("go")


class Bounded(Acts):
    @on("go", max_hops=3)
    def go(self, event: Event) -> None:
        self.emit("go")


class Leaves(Acts):
    @on("go")
    def go(self, event: Event) -> None:
        self.look()
        self.emit("done")
        self.stop()


class Returns(Acts):
    @on("go")
    def go(self, event: Event) -> object:
        return 7


class Sets(Acts):
    @on("go")
    def go(self, event: Event) -> None:
        self.after(0.01, "on")
        self.after(0.01, "never", key="cancelled")
        self.after(50, "never", key="replaced")
        self.after(0.01, "on", key="replaced")
        self.emit("next")

    @on("next")
    def next(self, event: Event) -> None:
        self.cancel("cancelled")
        self.look()

    @on("on")
    def goes_on(self, event: Event) -> None:
        self.look()
        self.emit("done")


class SetsAndFails(Acts):
    @on("go")
    def go(self, event: Event) -> None:
        self.after(3600, "never")
        raise ValueError


class Ticks(Plain):
    @every(0.001)
    def tick(self, event: Event) -> None:
        """Of no case."""


class Mourns(Fails):
    @on("event.dead_lettered")
    def mourn(self, event: Event) -> None:
        self.look()
        self.emit("done")


def one(agent: type[Agent], **options: Any) -> Scenario:
    def scenario(system: ActorSystem, until: Until) -> Event:
        system.spawn(agent, **options)
        return go(system)

    return scenario


# -- what others do to it ----------------------------------------------------------------------


def cancelled(system: ActorSystem, until: Until) -> Event:
    system.spawn(IsCancelled)
    event = go(system)
    until(system, lambda: system.inspect().agent("is-cancelled").state == "awaiting")
    assert not system.case(event).verdict.over
    system.publish("stop", correlation_id=event.id)
    return event


def killed(system: ActorSystem, until: Until) -> Event:
    system.spawn(Plain, durable=False)
    system.pause("plain")
    system.wait_idle(20)
    event = go(system)
    assert not system.case(event).verdict.over
    system.kill("plain")
    return event


def killed_in_the_middle(system: ActorSystem, until: Until) -> Event:
    system.spawn(IsCancelled, durable=False)
    event = go(system)
    until(system, lambda: system.inspect().agent("is-cancelled").state == "awaiting")
    system.kill("is-cancelled")
    return event


def stopped(system: ActorSystem, until: Until) -> Event:
    ref = system.spawn(Plain)
    system.wait_idle(20)
    event = go(system)
    system.wait_idle(20)
    ref.stop()
    return event


def restarted(system: ActorSystem, until: Until) -> Event:
    system.spawn(Fails, retry=Retry(attempts=3, delay=3600, max_delay=3600))
    event = go(system)
    until(system, lambda: system.inspect().agent("fails").state == "backoff")
    assert not system.case(event).verdict.over
    system.restart("fails")
    return event


def redelivered(system: ActorSystem, until: Until) -> Event:
    system.spawn(FailsOnce, retry=ONCE)
    event = go(system)
    system.wait_idle(20)
    assert system.case(event).verdict.word is Word.DIED
    [letter] = system.dead_letters()
    system.redeliver(letter)
    return event


def of_a_family(**options: Any) -> Scenario:
    def scenario(system: ActorSystem, until: Until) -> Event:
        system.spawn(Plain, **options)
        return system.publish("go", {"key": "k"})

    return scenario


class Keyed(Acts):
    key = "payload.key"

    @on("go")
    def go(self, event: Event) -> None:
        self.look()
        self.emit("on", dict(event.payload))

    @on("on")
    def goes_on(self, event: Event) -> None:
        self.look()
        self.emit("done")


def keyed(system: ActorSystem, until: Until) -> Event:
    system.spawn(Keyed, sleep_after=0.001)
    event: Event = system.publish("go", {"key": "k"})
    system.wait_idle(20)
    if system._dispatcher.simulated:
        system.advance(1)  # it sleeps
    system.publish("go", {"key": "k"}, correlation_id=event.id)
    return event


def of_no_key(system: ActorSystem, until: Until) -> Event:
    system.spawn(Keyed)
    return go(system)


def told(system: ActorSystem, until: Until) -> Event:
    ref = system.spawn(Plain)
    event: Event = system.publish("else")
    ref.tell(event)  # which it does not handle
    system.wait_idle(20)
    ref.tell(event)
    with pytest.raises(Unhandled):
        ref.ask(event, timeout=20)
    return event


class IsTold(Acts):
    """It does not listen; it has to be told."""

    @on("go", {"payload.secret": True})
    def go(self, event: Event) -> None:
        self.look()
        self.emit("done")

    def on_receive(self, message: object) -> object:
        return getattr(message, "event", message)


def asked_about(system: ActorSystem, until: Until) -> Event:
    """What has an event with it is not that event."""
    ref = system.spawn(IsTold)
    event = go(system)
    letter = Letter(event)
    assert ref.ask(letter, timeout=20) is event
    ref.tell(letter)
    answered = asyncio.run(tell_and_ask(ref, letter)) if not system._dispatcher.simulated else event
    assert answered is event
    return event


async def tell_and_ask(ref: Any, letter: Letter) -> object:
    await ref.tell_async(letter)
    return await ref.ask_async(letter, timeout=20)


@attrs.frozen
class Letter:
    event: Event


def unheard(system: ActorSystem, until: Until) -> Event:
    system.spawn(Plain)
    event: Event = system.publish("else")
    return event


def only_looked_at(system: ActorSystem, until: Until) -> Event:
    system.subscribe("go", lambda event: None, passive=True, name="looks")
    system.pause("looks")
    event = go(system)
    assert Case(system._board, event.id).wait(20).word is Word.DIED
    system.resume("looks")
    return event


def subscribed(system: ActorSystem, until: Until) -> Event:
    system.subscribe("go", lambda event: None)
    system.subscribe("go", lambda event: None, passive=True)
    system.spawn(Plain)
    return go(system)


# -- full mailboxes (they are so without a store) ----------------------------------------------


class Slow(Acts):
    @on("work")
    def work(self, event: Event) -> None:
        self.look()


class Floods(Acts):
    @on("go")
    def go(self, event: Event) -> None:
        for _ in range(4):
            self.emit("work")


def flooded(overflow: str) -> Scenario:
    def scenario(system: ActorSystem, until: Until) -> Event:
        system.spawn(Slow, mailbox=2, overflow=overflow)
        system.spawn(Floods)
        system.pause("slow")
        event = go(system)
        until(system, lambda: system.inspect().agent("slow").mailbox_size > 0)
        until(system, lambda: system.inspect().agent("floods").state in ("idle", "parked"))
        assert not system.case(event).verdict.over
        system.resume("slow")
        return event

    return scenario


def killed_while_parked(system: ActorSystem, until: Until) -> Event:
    system.spawn(Slow, mailbox=1)
    system.spawn(Floods)
    system.pause("slow")
    event = go(system)
    until(system, lambda: system.inspect().agent("floods").state == "parked")
    system.kill("floods")
    until(
        system, lambda: [one.name for one in system.inspect().agents if one.name == "floods"] == []
    )
    system.resume("slow")
    return event


def killed_while_others_wait(system: ActorSystem, until: Until) -> Event:
    system.spawn(Slow, mailbox=1)
    system.spawn(Floods)
    system.pause("slow")
    event = go(system)
    until(system, lambda: system.inspect().agent("floods").state == "parked")
    system.kill("slow")
    return event


def found_no_room(system: ActorSystem, until: Until) -> Event:
    """One that nobody got is of no case."""
    system.spawn(Slow, mailbox=1, overflow="reject")
    system.spawn(Slow, name="other")
    system.pause("slow")
    system.wait_idle(20)
    event: Event = system.publish("work")
    with pytest.raises(MailboxFull):
        system.publish("work", correlation_id=event.id)
    assert not system.try_publish("work", correlation_id=event.id)
    assert len(system.case(event).events) == 1
    system.resume("slow")
    return event


# -- the table -----------------------------------------------------------------------------------

Scenario = Callable[[ActorSystem, "Until"], Event]

DONE, DIED = Word.COMPLETED, Word.DIED

ALWAYS: dict[str, tuple[Scenario, Word]] = {
    "handled": (one(Plain), DONE),
    "a coroutine": (one(Awaits), DONE),
    "a generator": (one(Generates), DONE),
    "an async generator": (one(Streams), DONE),
    "failed": (one(Fails), DIED),
    "failed once": (one(FailsOnce), DONE),
    "waits a while": (one(WaitsAWhile), DONE),
    "gives up": (one(GivesUp), DIED),
    "returns something": (one(Returns), DIED),
    "takes too long": (one(TakesTooLong), DIED),
    "emits at once": (one(EmitsNow), DONE),
    "emits at once, awaiting": (one(EmitsNowAsync), DONE),
    "emits at once and fails": (one(EmitsNowAndFails), DONE),
    "leaves": (one(Leaves), DONE),
    "sets timers": (one(Sets), DONE),
    "sets timers and fails": (one(SetsAndFails), DIED),
    "ticks": (one(Ticks), DONE),
    "mourns": (one(Mourns), DONE),
    "too many hops": (one(Circles), DIED),
    "more hops than the handler takes": (one(Bounded), DIED),
    "on a thread of its own": (one(Plain, threaded=True), DONE),
    "live only": (one(Plain, durable=False), DONE),
    "a group": (of_a_family(group="plain", count=3), DONE),
    "keyed": (keyed, DONE),
    "of no key": (of_no_key, DIED),
    "cancelled": (cancelled, DIED),
    "killed": (killed, DIED),
    "killed in the middle": (killed_in_the_middle, DIED),
    "stopped": (stopped, DONE),
    "restarted": (restarted, DIED),
    "redelivered": (redelivered, DONE),
    "told": (told, DIED),
    "asked about": (asked_about, DIED),
    "unheard": (unheard, DIED),
    "only looked at": (only_looked_at, DIED),
    "subscribed": (subscribed, DONE),
}
IN_MEMORY: dict[str, tuple[Scenario, Word]] = {
    **{policy: (flooded(policy), DIED) for policy in ("park", "drop_newest", "drop_oldest")},
    **{policy: (flooded(policy), DIED) for policy in ("reject", "conflate")},
    "killed while parked": (killed_while_parked, DIED),
    "killed while others wait": (killed_while_others_wait, DIED),
    "found no room": (found_no_room, DIED),
}


class Hangs(Acts):
    retry = ONCE

    def __init__(self, hold: threading.Event) -> None:
        super().__init__()
        self.hold = hold

    @on("quick")
    def quick(self, event: Event) -> None:
        """Handled, and told of by the batch."""

    @on("go", timeout=0.2)
    def go(self, event: Event) -> None:
        self.look()
        self.hold.wait(60)


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    early.clear()
    yield
    systems.clear()


def check(system: ActorSystem, event: Event, word: Word) -> None:
    systems.append(system)
    verdict = Case(system._board, event.id).wait(20)
    system.wait_idle(20)
    assert not early
    after = system.case(event).verdict
    assert (verdict.word, after.word) == (word, word), after
    cases = system._engine.cases
    assert cases is not None
    for tally in cases.known():
        assert (tally.id, tally.count, tally.timers) == (tally.id, 0, 0)
    assert not any(one.state.value == "queued" and not one.passive for one in after.in_flight)


def play(make: Make, until: Until, scenario: Scenario, word: Word) -> None:
    system = make(limits=CaseLimits(hops=20))
    systems.append(system)
    check(system, scenario(system, until), word)


@pytest.mark.parametrize("name", ALWAYS)
def test_it_is_known(name: str, make: Make, until: Until) -> None:
    play(make, until, *ALWAYS[name])


@pytest.mark.parametrize("feed", ["memory"])
@pytest.mark.parametrize("name", IN_MEMORY)
def test_so_it_is_where_there_is_no_room(name: str, make: Make, until: Until) -> None:
    play(make, until, *IN_MEMORY[name])


def test_what_is_said_early_is_heard(make: Make) -> None:
    system = make()
    systems.append(system)
    system.spawn(EmitsNow)
    go(system)
    system.wait_idle(20)
    cases = system._engine.cases
    assert cases is not None
    assert "on" not in cases.unheard


# -- agents that hang ----------------------------------------------------------------------------


@pytest.fixture
def hold() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def hangs(system: ActorSystem, hold: threading.Event) -> tuple[list[Event], Event]:
    """Quick ones that are handled, and one that hangs, in one turn."""
    systems.append(system)
    system.spawn(lambda: Hangs(hold), name="hangs")
    system.pause("hangs")
    system.wait_idle(20)
    quick = [system.publish("quick") for _ in range(11)]
    event = go(system)
    system.resume("hangs")
    return quick, event


@pytest.mark.parametrize("mode", ["threads"])
def test_an_agent_is_taken_from_a_handler_that_hangs(make: Make, hold: threading.Event) -> None:
    system = make()
    quick, event = hangs(system, hold)
    check(system, event, Word.DIED)
    for one in quick:
        check(system, one, Word.DIED)
    assert [letter.reason for letter in system.dead_letters()] == ["stuck"]
    hold.set()


@pytest.mark.parametrize("mode", ["threads"])
@pytest.mark.parametrize("feed", ["memory"])
def test_who_waits_is_told_at_once_though_the_next_event_takes_long(
    make: Make, hold: threading.Event
) -> None:
    """Ends are told of by the batch, but not while anybody waits for one."""
    system = make(heartbeat=None)
    systems.append(system)

    class Dawdles(Acts):
        @on("quick")
        def quick(self, event: Event) -> None:
            """Nothing."""

        @on("go")
        def go(self, event: Event) -> None:
            hold.wait(60)

    system.spawn(Dawdles)
    system.pause("dawdles")
    system.wait_idle(20)
    for _ in range(8):
        system.publish("quick")
    quick = [system.publish("quick") for _ in range(3)]
    with Patience(system._board, quick[-1].id, None) as patience:
        go(system)
        system.resume("dawdles")
        while (verdict := patience.look()) is None:
            assert patience.gate.wait(10)
    assert verdict.word is Word.DIED
    hold.set()
    system.wait_idle(20)


# -- what is on its way to the disk ----------------------------------------------------------------


class SlowStore(MemoryStore):
    """It commits nothing while it is held up."""

    def __init__(self) -> None:
        super().__init__()
        self.free, self.asked = threading.Event(), threading.Event()
        self.free.set()

    def commit(self, units: Sequence[Unit], now: float) -> list[Outcome]:
        self.asked.set()
        self.free.wait(20)
        return super().commit(units, now)


@pytest.mark.parametrize("options", [{}, {"group": "g", "count": 1}], ids=["one", "a group"])
def test_who_began_to_wait_while_the_end_was_committed_is_told(options: dict[str, Any]) -> None:
    store, begun = SlowStore(), threading.Event()

    class Last(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            store.free.clear()
            store.asked.clear()
            begun.set()

    with ActorSystem(store=store, heartbeat=None) as system:
        system.spawn(Last, **options)
        event = go(system)
        try:
            assert begun.wait(20)  # what is committed from here on is the end
            assert store.asked.wait(20)
            with Patience(system._board, event.id, None) as patience:
                assert patience.look() is None
                store.free.set()
                while (verdict := patience.look()) is None:
                    assert patience.gate.wait(10)
        finally:
            store.free.set()
        assert verdict.word is Word.DIED
