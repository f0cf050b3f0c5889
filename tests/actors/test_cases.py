"""Cases from outside: verdicts, waiting for their end, and requests that are told at once."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import pytest

from choreia import (
    ActorSystem,
    Agent,
    CaseDied,
    CaseTimeout,
    ChoreiaError,
    Event,
    MemoryStore,
    RequestTimeout,
    UnknownCase,
    on,
)
from choreia.runtime.stores.base import EventStore

Mode = Literal["threads", "simulated"]


class Desk(Agent):
    retry = None
    terminal = ("done",)
    external = ("asked", "approved")

    @on("asked")
    def ask(self, event: Event) -> None:
        match event.payload["way"]:
            case "fails":
                raise ValueError("no")
            case "later":
                self.after(50, "next")
            case "approval":
                self.awaits("approved", "vetoed")
            case "silent":
                pass
            case _:
                self.emit("next")

    @on("next")
    @on("approved")
    def finish(self, event: Event) -> None:
        self.emit("done")


@pytest.fixture(params=["threads", "simulated"])
def mode(request: pytest.FixtureRequest) -> Mode:
    chosen: Mode = request.param
    return chosen


@pytest.fixture(params=["memory", "store"])
def store(request: pytest.FixtureRequest) -> EventStore | None:
    return MemoryStore() if request.param == "store" else None


def test_a_request_is_told_at_once_that_its_case_has_died(store: EventStore | None) -> None:
    with ActorSystem(mode="simulated", store=store) as system:
        system.spawn(Desk)
        for way, letters in (("fails", 1), ("silent", 0)):
            with pytest.raises(CaseDied, match="will come in correlation") as caught:
                system.request("asked", {"way": way}, until="done", timeout=3_600)
            assert len(caught.value.dead_letters) == letters
            assert str(caught.value.verdict.word) == "died"  # type: ignore[attr-defined]
            assert isinstance(caught.value, RequestTimeout)
        assert system.clock.monotonic() == 0


def test_a_case_that_ends_otherwise_is_not_waited_for(mode: Mode, store: EventStore | None) -> None:
    with ActorSystem(mode=mode, store=store) as system:
        system.spawn(Desk)
        with pytest.raises(CaseDied, match="completed") as caught:
            system.request("asked", {"way": "on"}, until="refused", timeout=60)
        assert [event.type for event in caught.value.seen if isinstance(event, Event)] == [
            "next",
            "done",
        ]


def test_an_answer_by_timer_or_from_outside_is_waited_for(store: EventStore | None) -> None:
    with ActorSystem(mode="simulated", store=store) as system:
        system.spawn(Desk)
        assert system.request("asked", {"way": "later"}, until="done", timeout=60).type == "done"
        assert system.clock.monotonic() == 50
        with pytest.raises(RequestTimeout) as caught:
            system.request("asked", {"way": "approval"}, until="done", timeout=60)
        assert not isinstance(caught.value, CaseDied)
        # Who asks for what comes from outside may get it from there.
        with pytest.raises(RequestTimeout) as caught:
            system.request("asked", {"way": "silent"}, until="approved", timeout=60)
        assert not isinstance(caught.value, CaseDied)


def test_a_request_that_awaits_is_told_as_well(mode: Mode, store: EventStore | None) -> None:
    async def main() -> None:
        async with ActorSystem(mode=mode, store=store) as system:
            system.spawn(Desk)
            with pytest.raises(CaseDied):
                await system.request_async("asked", {"way": "fails"}, until="done", timeout=60)
            asked = await system.publish_async("asked", {"way": "on"})
            verdict = await system.case(asked).wait_async(20)
            assert verdict.word == "completed"

    asyncio.run(main())


def test_many_requests_at_once_each_get_their_own_end(store: EventStore | None) -> None:
    with ActorSystem(workers=2, store=store) as system:
        system.spawn(Desk, mailbox=2)

        def ask(number: int) -> str:
            way = "on" if number % 2 else "silent"
            try:
                return system.request("asked", {"way": way}, until="done", timeout=60).type
            except CaseDied:
                return "died"

        with ThreadPoolExecutor(8) as pool:
            ends = list(pool.map(ask, range(100)))
    assert ends == ["done" if number % 2 else "died" for number in range(100)]


def test_waiting_for_the_end_of_a_case(mode: Mode, store: EventStore | None) -> None:
    with ActorSystem(mode=mode, store=store) as system:
        system.spawn(Desk)
        asked = system.publish("asked", {"way": "approval"})
        case = system.case(asked)
        with pytest.raises(CaseTimeout, match="desk waits for approved or vetoed") as caught:
            case.wait(timeout=0.2)
        assert str(caught.value.verdict.word) == "waiting"  # type: ignore[attr-defined]
        system.publish("approved", correlation_id=case.id)
        verdict = case.wait(timeout=20)
        assert (verdict.word, verdict.over) == ("completed", True)
        assert case.outcome is not None
        assert case.outcome.type == "done"
        assert [event.type for event in case.events] == ["asked", "approved", "done"]


def test_cases_are_listed_newest_first_and_by_verdict(mode: Mode, store: EventStore | None) -> None:
    with ActorSystem(mode=mode, store=store) as system:
        system.spawn(Desk)
        for way in ("on", "fails", "approval", "silent"):
            system.publish("asked", {"way": way}, id=way)
            system.wait_idle(20)
        listed = [(one.id, str(one.verdict.word)) for one in system.cases()]
        assert listed == [
            ("silent", "died"),
            ("approval", "waiting"),
            ("fails", "died"),
            ("on", "completed"),
        ]
        assert [one.id for one in system.cases("died")] == ["silent", "fails"]
        assert [one.id for one in system.cases("died", limit=1)] == ["silent"]
        with pytest.raises(ChoreiaError, match="choose one of"):
            system.cases("finished")
        with pytest.raises(ChoreiaError, match="limit=0"):
            system.cases(limit=0)
        with pytest.raises(UnknownCase):
            system.case("nothing of the kind")


def test_a_system_that_remembers_nothing_says_so() -> None:
    with ActorSystem(mode="simulated", remember=0) as system:
        system.spawn(Desk)
        asked = system.publish("asked", {"way": "silent"})
        with pytest.raises(ChoreiaError, match="remembers nothing"):
            system.case(asked)
        with pytest.raises(RequestTimeout) as caught:
            system.request("asked", {"way": "silent"}, until="done", timeout=9)
        assert not isinstance(caught.value, CaseDied)
        assert system.clock.monotonic() == 9
