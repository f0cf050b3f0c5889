"""Keyed agents, groups and snapshots over many lives: whatever is published, whoever sleeps, fails
or is killed in between, each event has its effect once, in order per key, and states are folds of
the log.

In simulation, where a crash is: the old system gets no turn any more.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import attrs
import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from choreia import (
    ActorSystem,
    Agent,
    Event,
    EventSourcedAgent,
    GiveUp,
    MemoryStore,
    Retry,
    applies,
    on,
)

users = st.sampled_from(["ann", "bob", "cy", "ünï:x"])


@attrs.frozen
class Heard:
    numbers: tuple[int, ...] = ()

    @applies("heard")
    def heard(self, event: Event) -> Heard:
        return Heard((*self.numbers, event.payload["n"]))


class Listener(EventSourcedAgent[Heard]):
    key = "payload.user"
    sleep_after = 5.0
    awake = 2
    mailbox = 2
    snapshot_every = 3
    retry = Retry(attempts=2, delay=1.0)

    failing: set[int] = set()  # noqa: RUF012  # filled by the machine

    @on("said")
    def hear(self, event: Event) -> None:
        if event.payload["n"] in Listener.failing:
            Listener.failing.discard(event.payload["n"])
            raise RuntimeError("once")
        if event.payload["bad"]:
            self.emit("never", {})
            raise GiveUp("bad")
        n = event.payload["n"]
        self.emit("heard", {"n": n, "before": len(self.state.numbers)})
        if event.payload["later"]:
            self.after(3.0, "late", {"n": n})
        if event.payload["slow"] and self.once("slow", lambda: n) != n:
            raise AssertionError("another result")


class Worker(Agent):
    life = 0
    retry = Retry(attempts=2, delay=1.0)
    failing: set[int] = set()  # noqa: RUF012  # filled by the machine

    @on("said")
    async def work(self, event: Event) -> None:
        n = event.payload["n"]
        if n in Worker.failing:
            Worker.failing.discard(n)
            raise RuntimeError("once")
        # Done again in another life it would say something else, which is a dead letter.
        self.emit("worked", {"n": n, "life": Worker.life})


class FamilyMachine(RuleBasedStateMachine):
    @initialize(seed=st.integers(0, 3))
    def begin(self, seed: int) -> None:
        self.store = MemoryStore()
        self.seed = seed
        self.dead: list[ActorSystem] = []
        self.published: list[dict[str, Any]] = []
        Worker.failing.clear()
        Listener.failing.clear()
        self.start()

    def start(self) -> None:
        Worker.life += 1
        self.system = ActorSystem(mode="simulated", store=self.store, seed=self.seed)
        self.system.spawn(Listener)
        self.system.spawn(Worker, group="workers", count=3, mailbox=2)

    def teardown(self) -> None:
        if hasattr(self, "system"):
            self.settle()
            self.check()
            self.system.stop()
            for system in self.dead:
                system._engine.clock.stop()
                system._dispatcher.stop(5)

    @rule(
        user=users,
        count=st.integers(1, 6),
        kinds=st.fixed_dictionaries(
            {"bad": st.booleans(), "slow": st.booleans(), "later": st.booleans()}
        ),
        fails=st.booleans(),
    )
    def publish(self, user: str, count: int, kinds: dict[str, bool], fails: bool) -> None:
        for _ in range(count):
            n = len(self.published)
            payload = {"user": user, "n": n, **kinds}
            if fails and n % 2:
                Worker.failing.add(n)
            elif fails:
                Listener.failing.add(n)
            self.published.append(payload)
            self.system.publish("said", payload)

    @rule(seconds=st.sampled_from([0.0, 0.5, 2.0, 20.0]))
    def let_time_pass(self, seconds: float) -> None:
        self.system.advance(seconds)

    @rule()
    def settle(self) -> None:
        self.system.wait_idle()
        self.system.advance(30.0)
        self.system.wait_idle()

    @rule(user=users)
    def look(self, user: str) -> None:
        self.system.ref("listener", key=user)

    @rule()
    def restart_an_instance(self) -> None:
        for agent in self.system.inspect().agents[-1:]:
            if agent.name.startswith("listener:") and agent.state == "idle":
                self.system.restart(agent.name)

    @rule(drain=st.booleans())
    def stop_and_start(self, drain: bool) -> None:
        self.system.stop(drain=drain)
        self.start()

    @rule()
    def crash(self) -> None:
        self.store.crash()
        self.dead.append(self.system)
        self.start()

    @invariant()
    def nothing_is_done_twice(self) -> None:
        if hasattr(self, "store"):
            for type in ("worked", "heard", "late"):
                numbers = [one.event.payload["n"] for one in self.store.read(pattern=type)]
                assert len(numbers) == len(set(numbers)), type

    def check(self) -> None:
        """All is quiet."""
        good = [one for one in self.published if not one["bad"]]
        by_user: dict[str, list[int]] = defaultdict(list)
        for one in good:
            by_user[one["user"]].append(one["n"])
        heard: dict[str, list[int]] = defaultdict(list)
        for recorded in self.store.read(pattern="heard"):
            heard[recorded.event.source].append(recorded.event.payload["n"])
        for user, numbers in by_user.items():
            ref = self.system.ref("listener", key=user)
            assert heard.pop(ref.id) == numbers, user
            state = self.system._roster.cell(ref.name)
            self.system.wait_idle()
            fold: Any = state.turn.fold
            assert fold.kept.numbers == tuple(numbers)
        assert not heard
        befores = [one.event.payload["before"] for one in self.store.read(pattern="heard")]
        assert sorted(befores) == sorted(n for ns in by_user.values() for n in range(len(ns)))
        worked = {one.event.payload["n"] for one in self.store.read(pattern="worked")}
        late = {one.event.payload["n"] for one in self.store.read(pattern="late")}
        assert worked == {one["n"] for one in self.published}
        assert late == {one["n"] for one in good if one["later"]}
        letters = [one.event.payload["n"] for one in self.store.letters()]
        assert sorted(letters) == [one["n"] for one in self.published if one["bad"]]
        assert list(self.store.read(pattern="never")) == []


TestFamilyMachine = FamilyMachine.TestCase
TestFamilyMachine.settings = settings(max_examples=50, stateful_step_count=20, deadline=None)
