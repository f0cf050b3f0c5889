"""What may be changed from outside, and that it is known who did."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from choreia import Agent, Event, InspectionFailed, InspectionRefused, MemoryStore, Retry, on
from choreia.actors.inspecting.control import CHANGING

if TYPE_CHECKING:
    from tests.actors.inspecting.conftest import Look, Looked


class Clerk(Agent):
    retry = Retry(attempts=1)
    broken = True

    @on("asked")
    def answer(self, event: Event) -> None:
        if Clerk.broken:
            raise ValueError("no")
        self.emit("answered")


ARGS: dict[str, dict[str, Any]] = {
    "redeliver": {"agent": "clerk", "event": "e"},
    "publish": {"type": "asked"},
}


def done_by(looked: Looked) -> list[Any]:
    said = looked.call("events", topic="system.controlled", payloads=True)["events"]
    return [one["payload"] for one in said]


def me() -> dict[str, Any]:
    import pwd

    return {"uid": os.getuid(), "pid": os.getpid(), "user": pwd.getpwuid(os.getuid()).pw_name}


@pytest.mark.parametrize("verb", CHANGING)
def test_nothing_is_changed_unless_it_is_allowed(look: Look, verb: str) -> None:
    looked = look()
    looked.system.spawn(Clerk, name="clerk")
    assert looked.client.hello["control"] is False
    with pytest.raises(InspectionRefused, match="may only be looked at"):
        looked.call(verb, **ARGS.get(verb, {"agent": "clerk"}))
    assert done_by(looked) == []
    assert looked.agent("clerk")["state"] == "idle"


@pytest.mark.parametrize("verb", CHANGING)
def test_nobody_interferes_with_a_simulated_system(look: Look, verb: str) -> None:
    looked = look(control=True, mode="simulated")
    looked.system.spawn(Clerk, name="clerk")
    assert looked.client.hello["control"] is False
    with pytest.raises(InspectionRefused, match="simulated"):
        looked.call(verb, **ARGS.get(verb, {"agent": "clerk"}))


@pytest.mark.parametrize("store", ["memory", "log"])
def test_an_agent_is_paused_resumed_restarted_and_stopped(look: Look, store: str) -> None:
    looked = look(control=True, store=MemoryStore() if store == "log" else None)
    looked.system.spawn(Clerk, name="clerk")
    assert looked.client.hello["control"] is True
    assert "clerk" in looked.call("pause", agent="clerk")["done"]
    while looked.agent("clerk")["state"] != "paused":
        pass
    looked.call("resume", agent="clerk")
    while looked.agent("clerk")["state"] == "paused":
        pass
    looked.call("restart", agent="clerk")
    looked.system.wait_idle(30)
    assert looked.agent("clerk")["incarnation"] == 2
    looked.call("stop", agent="clerk")
    while any(one.name == "clerk" for one in looked.system.inspect().agents):
        pass
    while len(said := done_by(looked)) < 4:
        pass
    assert said == [
        {"verb": verb, "agent": "clerk", "by": me()}
        for verb in ("pause", "resume", "restart", "stop")
    ]


def test_a_dead_letter_is_redelivered(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = look(control=True)
    looked.system.spawn(Clerk, name="clerk")
    event = looked.system.publish("asked")
    looked.system.wait_idle(30)
    assert looked.call("deadletters")["total"] == 1
    monkeypatch.setattr(Clerk, "broken", False)
    looked.call("redeliver", agent="clerk", event=event.id)
    looked.system.wait_idle(30)
    assert looked.system.dead_letters() == []
    assert len(looked.call("events", topic="answered")["events"]) == 1
    with pytest.raises(InspectionFailed, match="no dead letter") as caught:
        looked.call("redeliver", agent="clerk", event=event.id)
    assert caught.value.code == "unknown"
    assert [one["verb"] for one in done_by(looked)] == ["redeliver"]


def test_an_event_is_published(look: Look) -> None:
    looked = look(control=True)
    id = looked.call("publish", type="asked.for", payload={"n": 1})["id"]
    [event] = looked.call("events", topic="asked.for", payloads=True)["events"]
    assert (event["id"], event["payload"]) == (id, {"n": 1})
    assert [one["verb"] for one in done_by(looked)] == ["publish"]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({"type": "a..b"}, "malformed"),
        ({"type": ""}, "type=''"),
        ({"type": "a", "payload": [1]}, "payload="),
    ],
)
def test_what_is_no_event_is_not_published(look: Look, args: dict[str, Any], says: str) -> None:
    looked = look(control=True)
    with pytest.raises(InspectionFailed) as caught:
        looked.call("publish", **args)
    assert says in str(caught.value)
    assert done_by(looked) == []


def test_who_has_changed_something_cannot_be_made_up(look: Look) -> None:
    looked = look(control=True)
    with pytest.raises(InspectionRefused, match="tells who has changed"):
        looked.call("publish", type="system.controlled", payload={"by": {"user": "nobody"}})
    assert done_by(looked) == []


@pytest.mark.parametrize("agent", ["registry", "supervisor"])
def test_the_runtimes_own_are_left_alone(look: Look, agent: str) -> None:
    looked = look(control=True)
    with pytest.raises(InspectionRefused, match="the runtime's own"):
        looked.call("stop", agent=agent)


def test_who_is_not_there_is_unknown(look: Look) -> None:
    looked = look(control=True)
    for verb in ("pause", "resume", "restart", "stop"):
        with pytest.raises(InspectionFailed, match="nobody") as caught:
            looked.call(verb, agent="nobody")
        assert caught.value.code == "unknown"
    assert done_by(looked) == []
