"""Events as they were said, and as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from choreia import Agent, Event, InspectionFailed, MemoryStore, on
from choreia.actors.inspecting import events as module
from choreia.actors.inspecting.trails import MOST, MemoryTrail
from choreia.runtime.delivery.cases import Cases

if TYPE_CHECKING:
    from tests.actors.inspecting.conftest import Look, Looked

SECRET = {"user": "ada", "password": "x", "card": {"number": "4242"}, "note": "n"}


class Clerk(Agent):
    @on("asked")
    def answer(self, event: Event) -> None:
        self.emit("answered", {"n": event.payload["n"]})


@pytest.fixture(params=["memory", "log"])
def store(request: pytest.FixtureRequest) -> Any:
    return None if request.param == "memory" else MemoryStore()


def types(said: Any) -> list[str]:
    return [one["type"] for one in said["events"]]


def test_the_last_ones_in_order(look: Look, store: Any) -> None:
    looked = look(store=store)
    looked.system.spawn(Clerk)
    asked = [looked.system.publish("asked", {"n": n}) for n in range(3)]
    looked.system.wait_idle(30)
    said = looked.call("events", topic="*", limit=4)
    assert said["missed"] == 0
    assert types(said) == types(looked.call("events", topic="*"))[-4:]
    answers = looked.call("events", topic="answered", payloads=True)["events"]
    assert [one["payload"] for one in answers] == [{"n": n} for n in range(3)]
    assert [one["cause"] for one in answers] == [event.id for event in asked]
    assert [one["case"] for one in answers] == [event.id for event in asked]
    assert {one["agent"] for one in answers} == {"clerk"}
    assert {one["hops"] for one in answers} == {1}


def test_payloads_are_hidden_until_they_are_asked_for_and_secrets_always(look: Look) -> None:
    looked = look(redact=("card.number",))
    looked.system.publish("told", SECRET)
    [hidden] = looked.call("events", topic="told")["events"]
    assert "payload" not in hidden
    [shown] = looked.call("events", topic="told", payloads=True)["events"]
    assert shown["payload"] == {
        "user": "ada",
        "password": "***",
        "card": {"number": "***"},
        "note": "n",
    }


def test_topic_filter_and_case_choose(look: Look, store: Any) -> None:
    looked = look(store=store)
    first = looked.system.publish("order.made", {"n": 1})
    looked.system.publish("order.made", {"n": 2})
    looked.system.publish("order.sent", {"n": 1})
    assert types(looked.call("events", topic="order.*")) == ["order.made"] * 2 + ["order.sent"]
    one = looked.call("events", topic="order.*", filter={"payload.n": 2}, payloads=True)
    assert [event["payload"] for event in one["events"]] == [{"n": 2}]
    assert [event["id"] for event in looked.call("events", case=first.id)["events"]] == [first.id]


@pytest.mark.parametrize(
    "args",
    [
        {"topic": "a..b"},
        {"topic": ""},
        {"filter": {"payload.n": {"$nope": 1}}},
        {"filter": {"payload.n": {"$regex": "("}}},
        {"limit": 0},
        {"follow": "yes"},
        {"nothing": 1},
    ],
)
def test_what_cannot_be_understood_is_refused(look: Look, args: dict[str, Any]) -> None:
    with pytest.raises(InspectionFailed) as caught:
        look().call("events", **args)
    assert caught.value.code == "bad_argument"


def receive(looked: Looked) -> Any:
    reply = looked.client.receive(30)
    assert reply is not None
    assert reply.ok, reply
    return reply.data


def test_those_to_come_come_once_each_and_in_order(look: Look, store: Any) -> None:
    looked = look(store=store)
    looked.system.publish("n", {"n": 0})
    looked.client.send("events", topic="n", follow=True, payloads=True, limit=1_000)
    seen: list[int] = []
    for n in range(1, 200):
        looked.system.publish("n", {"n": n})
        looked.system.publish("other")
    while len(seen) < 200:
        data = receive(looked)
        assert data["missed"] == 0
        seen += [one["payload"]["n"] for one in data["events"]]
    assert seen == list(range(200))


def test_another_tail_takes_the_place_of_the_first_and_null_ends_it(look: Look) -> None:
    looked = look()
    looked.client.send("events", topic="a", follow=True)
    assert receive(looked)["events"] == []
    second = looked.client.send("events", topic="b", follow=True)
    assert receive(looked)["events"] == []
    looked.system.publish("a")
    looked.system.publish("b")
    reply = looked.client.receive(30)
    assert reply is not None
    assert reply.id == second
    assert types(reply.data) == ["b"]
    assert looked.call("events", follow=None) == {}
    looked.system.publish("b")
    assert looked.call("hello")["node"] == "local"  # and nothing of b came before


def test_what_comes_too_fast_to_be_shown_is_counted(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PIECE", 10)
    looked = look()
    sampler = looked.system._server._answers._sampler  # type: ignore[union-attr]

    def shown(events: Any, missed: int) -> dict[str, object]:
        return {"n": len(events), "m": missed}

    tail = module.Tail(sampler.trail, module.Wanted(_args()), 5, shown)
    assert tail.next() == {"n": 0, "m": 0}
    assert tail.next() is None
    for _ in range(25):
        looked.system.publish("x")
    assert tail.next() == {"n": 10, "m": 15}
    for _ in range(MOST + 100):
        looked.system.publish("x")
    assert tail.next() == {"n": 10, "m": MOST + 90}
    assert tail.next() is None


def test_what_did_not_get_in_and_came_again_is_seen_once() -> None:
    cases = Cases()
    trail = MemoryTrail(cases)
    one, other = Event("a", "b"), Event("a", "b")
    cases.sent(one, 0)
    events, _, place = trail.since(0)
    assert events == [one]
    cases.retracted(one, 0)
    events, _, place = trail.since(place)
    assert events == []
    cases.sent(one, 0)
    cases.sent(other, 0)
    assert trail.since(place) == ([other], 0, 2)


def _args() -> Any:
    from choreia.actors.inspecting.arguments import Arguments

    return Arguments("events", {"topic": "x"})
