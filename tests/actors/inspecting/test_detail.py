"""One agent, looked at closely."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from choreia import Agent, Event, InspectionFailed, Retry, on

if TYPE_CHECKING:
    from tests.actors.inspecting.conftest import Look


class Clerk(Agent):
    capabilities = ("writing", "filing")
    specializations = ("tax",)
    emits = ("letter.written", "letter.late")
    retry = Retry(attempts=1)
    mailbox = 30

    def __init__(self, gate: threading.Event) -> None:
        super().__init__()
        self.gate = gate

    @on("letter.asked", filter={"payload.pages": {"$lte": 3}})
    def write(self, event: Event) -> None:
        self.emit("letter.written", {"password": "p"})
        self.after(3_600, "letter.late", key="late")
        self.gate.wait()

    @on("letter.burnt")
    def burn(self, event: Event) -> None:
        raise OSError("ash")


def test_what_it_is_and_what_it_is_at(look: Look) -> None:
    gate, looked = threading.Event(), look()
    looked.system.spawn(lambda: Clerk(gate), name="clerk")
    gate.set()
    burnt = looked.system.publish("letter.burnt")
    looked.system.publish("letter.asked", {"pages": 1})
    looked.system.wait_idle(30)
    gate.clear()
    try:
        asked = [looked.system.publish("letter.asked", {"pages": 2}) for _ in range(25)]
        while (said := looked.call("agent", name="clerk"))["in_hand"] is None:
            pass
        assert said["name"] == "clerk"
        assert said["state"] == "running"
        assert said["capabilities"] == ["writing", "filing"]
        assert said["specializations"] == ["tax"]
        assert said["emits"] == ["letter.written", "letter.late"]
        assert said["subscriptions"] == [
            {
                "pattern": "letter.asked",
                "filter": {"payload.pages": {"$lte": 3}},
                "handler": "write",
            },
            {"pattern": "letter.burnt", "filter": None, "handler": "burn"},
        ]
        assert said["options"]["mailbox"] == 30
        assert said["in_hand"]["id"] == asked[0].id
        assert [one["id"] for one in said["queued"]] == [one.id for one in asked[1:21]]
        assert "self.gate.wait()" in said["stack"]
        assert [(one["type"], one["key"]) for one in said["timers"]] == [("letter.late", "late")]
        assert [one["event"] for one in said["dead_letters"]] == [burnt.id]
        assert "letter.written" in [one["type"] for one in said["recent"]]
        assert "payload" not in said["in_hand"]
        shown = looked.call("agent", name="clerk", payloads=True)
        assert shown["in_hand"]["payload"] == {"pages": 2}
        written = next(one for one in shown["recent"] if one["type"] == "letter.written")
        assert written["payload"] == {"password": "***"}
    finally:
        gate.set()


def test_who_waits_for_whom(look: Look) -> None:
    class Eager(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            for _ in range(40):
                self.emit("letter.asked", {"pages": 1})

    gate, looked = threading.Event(), look()
    looked.system.spawn(lambda: Clerk(gate), name="clerk")
    looked.system.spawn(Eager, name="eager")
    try:
        looked.system.publish("go")
        while looked.agent("eager")["state"] != "parked":
            pass
        assert looked.agent("eager")["parked_on"] == ["clerk"]
        assert looked.call("agent", name="eager")["parked_on"] == ["clerk"]
        assert looked.call("agent", name="clerk")["waiting_here"] == 1
    finally:
        gate.set()


def test_the_runtimes_own_and_members_can_be_looked_at_too(look: Look) -> None:
    class Account(Agent):
        key = "payload.id"

        @on("paid")
        def pay(self, event: Event) -> None:
            pass

    looked = look()
    looked.system.spawn(Account, name="account")
    looked.system.publish("paid", {"id": "a-1"})
    looked.system.wait_idle(30)
    assert looked.call("agent", name="registry")["subscriptions"] == []
    assert looked.call("agent", name="account")["class"] == "Account"
    member: Any = looked.call("agent", name="account:a-1")
    assert member["kind"] == "member"
    assert member["handled"] == 1


@pytest.mark.parametrize("name", ["nobody", "\x1b[2J", "a" * 3_000])
def test_who_is_not_there_is_unknown(look: Look, name: str) -> None:
    with pytest.raises(InspectionFailed) as caught:
        look().call("agent", name=name)
    assert caught.value.code == "unknown"
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_looking_at_a_sleeping_member_does_not_wake_it(look: Look) -> None:
    class Account(Agent):
        key = "payload.id"

        @on("paid")
        def pay(self, event: Event) -> None:
            pass

    looked = look()
    looked.system.spawn(Account, name="account")
    with pytest.raises(InspectionFailed):
        looked.call("agent", name="account:a-2")
    assert [one.name for one in looked.system.inspect().agents if one.kind == "member"] == []
