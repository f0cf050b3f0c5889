"""Frames: what is counted, by nobody's asking, and while somebody looks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from choreia import ActorSystem, Agent, Event, MemoryStore, Retry, on
from choreia.actors.inspecting.seldom import Seldom
from choreia.runtime.inspection import real
from choreia.runtime.inspection.meter import BUDGET

if TYPE_CHECKING:
    from tests.actors.inspecting.conftest import Look, Looked


class Worker(Agent):
    retry = Retry(attempts=1)
    mailbox = 4
    overflow = "drop_oldest"
    capabilities = ("work",)

    def __init__(self, gate: threading.Event) -> None:
        super().__init__()
        self.gate = gate

    @on("work")
    def work(self, event: Event) -> None:
        self.gate.wait()
        if event.payload.get("bad"):
            raise ValueError("bad work")
        self.emit("worked")


@contextmanager
def busy(look: Look, **options: Any) -> Iterator[tuple[Looked, threading.Event]]:
    """A worker with one event in hand."""
    gate, looked = threading.Event(), look(**options)
    looked.system.spawn(lambda: Worker(gate), name="worker")
    try:
        looked.system.publish("work")
        while looked.agent("worker")["state"] != "running":
            pass
        yield looked, gate
    finally:
        gate.set()


def test_a_row_says_what_inspect_says(look: Look) -> None:
    with busy(look) as (looked, _):
        for _number in range(6):
            looked.system.publish("work")
        row, view = looked.agent("worker"), looked.system.inspect().agent("worker")
        for name in (
            *("name", "id", "kind", "state", "high_water", "handled", "failed", "dropped"),
            *("overflowed", "parked", "received", "emitted", "handler", "incarnation"),
        ):
            assert row[name] == getattr(view, name), name
        assert (row["size"], row["capacity"], row["dropped"]) == (4, 4, 2)
        assert row["class"] == "Worker"
        assert row["handler"] == "work"
        assert row["handler_seconds"] > 0
        assert row["heartbeat_age"] >= 0
        assert row["suspected"] is None
        assert row["lag"] is None


def test_the_totals_are_those_of_all_agents(look: Look) -> None:
    with busy(look) as (looked, gate):
        gate.set()
        looked.system.publish("work", {"bad": True})
        looked.system.wait_idle(30)
        said = looked.call("snapshot")["system"]
        assert said["agents"] == said["shown"] == 3
        assert said["states"] == {"idle": 3}
        assert said["failed"] == 1
        assert said["published"] >= 3
        assert said["restarts"] == 0
        assert said["node"] == "local"
        assert said["uptime"] > 0


def test_there_are_no_more_rows_than_asked_for_and_the_urgent_come_first(look: Look) -> None:
    with busy(look) as (looked, _):
        frame = looked.call("snapshot", limit=1)
        assert [row["name"] for row in frame["agents"]] == ["worker"]
        assert (frame["system"]["agents"], frame["system"]["shown"]) == (3, 1)


def test_only_the_parts_that_are_asked_for_are_there(look: Look) -> None:
    looked = look()
    assert "agents" in looked.call("snapshot")
    frame = looked.call("snapshot", parts=["presence", "flows", "health"])
    assert "agents" not in frame
    assert {"presence", "flows", "health"} <= set(frame)
    assert set(looked.call("snapshot", parts=[])) == {"time", "at", "system", "cost"}


def test_presence_is_what_the_registry_knows(look: Look) -> None:
    with busy(look) as (looked, gate):
        gate.set()
        looked.system.wait_idle(30)
        [info] = looked.call("snapshot", parts=["presence"])["presence"]
        assert info["name"] == "worker"
        assert info["capabilities"] == ["work"]
        assert info["status"] == "online"


def cost_of(reply: Any) -> Any:
    return reply.data["cost"]


def test_frames_come_by_themselves(look: Look) -> None:
    looked = look()
    number = looked.client.send("snapshot", every=0.05)
    replies = [looked.client.receive(30) for _ in range(3)]
    assert [reply.id for reply in replies if reply] == [number] * 3
    ats = [float(str(reply.data["at"])) for reply in replies if reply]
    assert ats == sorted(set(ats))
    assert {cost_of(reply)["every"] for reply in replies} == {0.05}


def test_handlers_are_timed_while_somebody_looks_and_only_then(look: Look) -> None:
    gate, looked = threading.Event(), look()
    gate.set()
    looked.system.spawn(lambda: Worker(gate), name="worker")
    looked.system.publish("work")
    looked.system.wait_idle(30)
    assert looked.agent("worker")["p95"] is None
    assert looked.system._engine.timed is False

    looked.client.send("snapshot", every=0.05)
    looked.client.receive(30)
    assert looked.system._engine.timed is True
    assert 0 < _p95(looked, "work", "worker") < 30

    looked.client.close()
    while looked.system._engine.timed:
        pass


def _p95(looked: Looked, type: str, agent: str) -> float:
    """Of a handler that somebody has seen; a turn that had begun before goes on unseen."""
    while True:
        looked.system.publish(type)
        looked.system.wait_idle(30)
        if (seconds := looked.agent(agent)["p95"]) is not None:
            return float(seconds)


def test_what_a_coroutine_awaits_is_its_time_too(look: Look) -> None:
    import asyncio

    class Slow(Agent):
        @on("slow")
        async def slow(self, event: Event) -> None:
            await asyncio.sleep(0.05)

    looked = look()
    looked.system.spawn(Slow, name="slow")
    looked.client.send("snapshot", every=0.05)
    looked.client.receive(30)
    assert _p95(looked, "slow", "slow") >= 0.05


def test_with_a_store_handlers_are_timed_too(look: Look) -> None:
    gate, looked = threading.Event(), look(store=MemoryStore())
    gate.set()
    looked.system.spawn(lambda: Worker(gate), name="worker", overflow="park")
    looked.client.send("snapshot", every=0.05)
    looked.client.receive(30)
    assert _p95(looked, "work", "worker") > 0
    assert looked.agent("worker")["lag"] == 0


def test_under_simulation_time_stands_still_and_one_may_look_all_the_same(look: Look) -> None:
    gate, looked = threading.Event(), look(mode="simulated")
    gate.set()
    looked.system.spawn(lambda: Worker(gate), name="worker")
    looked.client.send("snapshot", every=0.05)
    looked.client.receive(30)
    assert _p95(looked, "work", "worker") < 1e-6


def test_two_who_look_at_the_same_share_a_frame(look: Look, tmp_path: Path) -> None:
    looked = look()
    sampler = looked.system._server._answers._sampler  # type: ignore[union-attr]
    made: list[object] = []
    original = sampler.frame

    def frame(*args: Any) -> Any:
        made.append(args)
        return original(*args)

    sampler.frame = frame
    first = sampler.stream(60.0, frozenset({"agents"}), 10)
    second = sampler.stream(60.0, frozenset({"agents"}), 10)
    assert first.next() == second.next()
    assert len(made) == 1
    assert sampler.stream(60.0, frozenset(), 10).next()
    assert len(made) == 2


def test_what_is_dear_is_made_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    now, cpu, made = [100.0], [0.0], [0]
    monkeypatch.setattr(real, "monotonic", lambda: now[0])
    monkeypatch.setattr(real, "cpu", lambda: cpu[0])

    def make() -> int:
        cpu[0] += 0.5
        made[0] += 1
        return made[0]

    seldom = Seldom(make)
    assert seldom.get() == 1
    now[0] += 0.5 / BUDGET - 1
    assert seldom.get() == 1
    now[0] += 2
    assert seldom.get() == 2


def test_a_system_that_remembers_nothing_can_be_looked_at(look: Look) -> None:
    looked = look(remember=0)
    frame = looked.call("snapshot", parts=["agents", "flows", "presence", "health"])
    assert frame["system"]["published"] is None


def test_looking_leaves_no_event_and_asks_nobody(look: Look) -> None:
    looked = look()
    looked.system.spawn(lambda: Worker(threading.Event()), name="worker")
    looked.system.wait_idle(30)
    before = looked.call("snapshot")
    for verb, args in (("agent", {"name": "worker"}), ("events", {}), ("cases", {}), ("hello", {})):
        looked.call(verb, **args)
    after = looked.call("snapshot")
    for name in ("published", "handled"):
        assert before["system"][name] == after["system"][name]


def test_a_system_that_is_not_to_be_looked_at_has_no_thread_for_it() -> None:
    with ActorSystem():
        assert not [one for one in threading.enumerate() if one.name == "choreia-inspect"]


def test_what_those_did_who_are_gone_or_sleep_stays_counted(look: Look) -> None:
    class Account(Agent):
        key = "payload.id"
        sleep_after = 0.01

        @on("paid")
        def pay(self, event: Event) -> None:
            pass

    gate, looked = threading.Event(), look()
    gate.set()
    looked.system.spawn(Account, name="account")
    looked.system.spawn(lambda: Worker(gate), name="worker")
    looked.system.publish("work", {"bad": True})
    for number in range(5):
        looked.system.publish("paid", {"id": f"a-{number}"})
    looked.system.wait_idle(30)
    before = looked.call("snapshot")["system"]["handled"]
    looked.system.kill("worker")
    while len(looked.system.inspect().agents) > 3:  # the runtime's own, and the accounts' front
        pass
    said = looked.call("snapshot")["system"]
    assert said["handled"] >= before >= 5
    assert said["failed"] == 1
    assert said["agents"] == 3


def test_how_far_one_is_behind_in_the_log_is_told(look: Look) -> None:
    gate, looked = threading.Event(), look(store=MemoryStore())
    looked.system.spawn(lambda: Worker(gate), name="worker", overflow="park", mailbox=2)
    try:
        for _ in range(300):
            looked.system.publish("work")
        while (row := looked.agent("worker"))["lag"] < 200:
            pass
        assert row["size"] <= 2
        assert row["lag"] <= 300 + 10  # and what the runtime has said
    finally:
        gate.set()
    looked.system.wait_idle(60)
    assert looked.agent("worker")["lag"] == 0
