"""Whose dead letters a case has: those of families, and of whom it was not for by subscription."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from choreia import ActorSystem, Agent, Event, GiveUp, MemoryStore, on


class Account(Agent):
    key = "payload.account"

    @on("account.charged")
    def charge(self, event: Event) -> None:
        raise GiveUp("no money")


class Clerk(Agent):
    @on("account.closed")
    def close(self, event: Event) -> None: ...


@pytest.fixture(params=[None, MemoryStore])
def system(request: pytest.FixtureRequest) -> Iterator[ActorSystem]:
    made: Callable[[], MemoryStore] | None = request.param
    with ActorSystem(mode="simulated", store=made and made()) as system:
        yield system


@pytest.mark.parametrize("payload", [{"account": 3}, {}])
def test_of_a_keyed_agent_under_its_name(system: ActorSystem, payload: dict[str, int]) -> None:
    system.spawn(Account)
    system.publish("account.charged", payload, id="charge")
    system.wait_idle()

    verdict = system.case("charge").verdict
    assert [(one.agent, one.reason) for one in verdict.dead_letters] == [("account", "gave_up")]
    assert "dead letter of account" in verdict.reason
    assert "✓ account" in str(system.explain("charge"))
    assert "dead-lettered (gave_up" in str(system.explain("charge"))


def test_of_whom_it_was_told_directly() -> None:
    with ActorSystem(mode="simulated") as system:
        system.spawn(Clerk).tell(Event("account.charged", "urn:bank", {}, id="told"))
        system.wait_idle()

        [letter] = system.case("told").verdict.dead_letters
        assert (letter.agent, letter.reason) == ("clerk", "unhandled")
