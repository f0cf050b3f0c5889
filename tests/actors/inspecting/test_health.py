"""Who is suspected and why, who began anew, and what could not be handled."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from choreia import Agent, Event, Heartbeat, MemoryStore, Retry, on

if TYPE_CHECKING:
    from tests.actors.inspecting.conftest import Look


class Frail(Agent):
    retry = Retry(attempts=1)
    heartbeat = Heartbeat(interval=0.2, timeout=1, stuck_after=0.2)

    def __init__(self, gate: threading.Event) -> None:
        super().__init__()
        self.gate = gate

    @on("hang")
    def hang(self, event: Event) -> None:
        self.gate.wait()

    @on("fail")
    def fail(self, event: Event) -> None:
        raise ValueError("it \x1b[31mhurts")


def health(looked: Any) -> Any:
    return looked.call("snapshot", parts=["health"])["health"]


def test_who_is_suspected_is_shown_with_the_place_where_it_hangs(look: Look) -> None:
    gate, looked = threading.Event(), look()
    looked.system.spawn(lambda: Frail(gate), name="frail")
    try:
        looked.system.publish("hang")
        while not health(looked)["suspicions"]:
            pass
        [one] = health(looked)["suspicions"]
        assert one["agent"] == "frail"
        assert one["reason"] == "stuck"
        assert one["handler"] == "hang"
        assert one["seconds"] >= 0
        assert "self.gate.wait()" in one["stack"]
        assert looked.agent("frail")["suspected"] == "stuck"
    finally:
        gate.set()


def test_who_began_anew_is_counted(look: Look) -> None:
    looked = look()
    looked.system.spawn(lambda: Frail(threading.Event()), name="frail")
    assert health(looked)["restarts"] == []
    looked.system.restart("frail")
    looked.system.wait_idle(30)
    assert health(looked)["restarts"] == [{"agent": "frail", "incarnation": 2}]
    assert looked.call("snapshot")["system"]["restarts"] == 1


@pytest.mark.parametrize("store", [None, "log"])
def test_dead_letters_are_shown_the_newest_first(look: Look, store: Any) -> None:
    looked = look(store=store and MemoryStore())
    looked.system.spawn(lambda: Frail(threading.Event()), name="frail")
    first = looked.system.publish("fail", {"token": "t", "n": 1})
    second = looked.system.publish("fail", {"n": 2})
    looked.system.wait_idle(30)
    said = looked.call("deadletters")
    assert said["total"] == 2
    assert [one["event"] for one in said["letters"]] == [second.id, first.id]
    last = said["letters"][1]
    assert (last["agent"], last["type"], last["reason"]) == ("frail", "fail", "failed")
    assert last["error"] == "ValueError: it \x1b[31mhurts"  # who shows it strips it
    assert "raise ValueError" in last["traceback"]
    assert last["redeliverable"] is True
    assert "payload" not in last
    shown = looked.call("deadletters", payloads=True, limit=1, agent="frail")["letters"]
    assert [one["payload"] for one in shown] == [{"n": 2}]
    everything = looked.call("deadletters", payloads=True)["letters"]
    assert everything[1]["payload"] == {"token": "***", "n": 1}
    assert looked.call("deadletters", agent="nobody") == {"letters": [], "total": 0}


def test_a_told_message_is_no_events_and_not_shown(look: Look) -> None:
    class Deaf(Agent):
        retry = Retry(attempts=1)

        def on_receive(self, message: object) -> object:
            raise ValueError("no")

    looked = look()
    looked.system.spawn(Deaf).tell("the password is x")
    looked.system.wait_idle(30)
    [letter] = looked.call("deadletters")["letters"]
    assert letter["event"] is None
    assert letter["redeliverable"] is False
    assert letter["type"] == "a told message"
