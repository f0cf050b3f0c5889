"""What an agent knew at a moment is what it had in its `state` then."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs
import pytest

from choreia import (
    ActorSystem,
    Agent,
    Event,
    EventSourcedAgent,
    InvalidAgent,
    InvalidStore,
    MemoryStore,
    SqliteStore,
    UnknownAgent,
    applies,
    difference,
    history,
    on,
    reconstruct,
)
from choreia.actors.casting import cast_of
from choreia.runtime.stores.base import EventStore
from choreia.runtime.stores.unit import Unit


@attrs.frozen
class Account:
    balance: int = 0
    by: tuple[str, ...] = ()

    @applies("account.changed")
    def changed(self, event: Event) -> Account:
        amount: int = event.payload["amount"]
        return Account(self.balance + amount, (*self.by, event.payload["who"]))


class Bank(EventSourcedAgent[Account]):
    @on("pay")
    def pay(self, event: Event) -> None:
        self.emit("account.changed", dict(event.payload))
        if event.payload["amount"] % 3 == 0:
            self.emit("account.changed", {"amount": 1, "who": "interest"})
        self.emit("told", {})

    def on_receive(self, message: object) -> Account:
        return self.state


BANK = "did:choreia:local:bank"


def told(store: EventStore, payments: int = 100) -> dict[int, Account]:
    """Pay: the state that the live agent had, by the last position of the log then."""
    seen = {0: Account()}
    with ActorSystem(mode="simulated", store=store) as system:
        ref = system.spawn(Bank)
        for n in range(payments):
            system.publish("pay", {"amount": n % 7 - 2, "who": f"w{n}"}, id=f"pay-{n}")
            system.wait_idle()
            system.advance(1)
            seen[store.head] = ref.ask("?")
    return seen


def test_the_state_at_each_of_a_hundred_moments_is_what_the_live_agent_had() -> None:
    store = MemoryStore()
    seen = told(store)
    assert len(seen) == 101
    for position, state in seen.items():
        assert reconstruct(Bank, "bank", store=store, up_to=position) == state
        if position:
            [recorded] = store.page(position - 1, 1)
            time = datetime.fromtimestamp(recorded.at, UTC)
            assert reconstruct(Bank, BANK, store=store, up_to=time) == state
            assert reconstruct(Bank, BANK, store=store, up_to=recorded.event.id) == state
    assert reconstruct(Bank, "bank", store=store) == seen[max(seen)]


def test_a_moment_counts_what_happened_at_it_and_nothing_later() -> None:
    store = MemoryStore()
    told(store, 3)
    changes = list(store.read(pattern="account.changed"))
    for count, one in enumerate(changes, 1):
        assert len(reconstruct(Bank, BANK, store=store, up_to=one.position).by) == count
        assert len(reconstruct(Bank, BANK, store=store, up_to=one.position - 1).by) == count - 1
        assert len(reconstruct(Bank, BANK, store=store, up_to=one.event.id).by) == count
    assert len(reconstruct(Bank, BANK, store=store, up_to=10**9).by) == len(changes)


def test_history_is_every_step_between() -> None:
    store = MemoryStore()
    seen = told(store, 5)
    steps = list(history(Bank, "bank", store=store))
    assert [one.position for one in steps] == [
        one.position for one in store.read(source=BANK) if not one.live
    ]
    assert steps[0].before == Account()
    assert steps[-1].after == seen[max(seen)]
    for one, following in pairwise(steps):
        assert one.after is following.before
    assert all(difference(one.before, one.after) for one in steps if one.event.type != "told")
    assert all(one.before is one.after for one in steps if one.event.type == "told")
    until = steps[2].position
    assert list(history(Bank, "bank", store=store, up_to=until)) == steps[:3]
    [recorded] = store.page(until - 1, 1)
    assert (steps[2].event, steps[2].time) == (recorded.event, recorded.at)


def test_a_file_is_read_and_let_go(tmp_path: Path) -> None:
    path = tmp_path / "bank.db"
    store = SqliteStore(path)
    seen = told(store, 4)
    store.close()
    assert reconstruct(Bank, "bank", store=path) == seen[max(seen)]
    steps = history(Bank, "bank", store=str(path))
    next(iter(steps))
    SqliteStore(path).close()
    assert len([next(iter(steps)), *steps]) == len(list(history(Bank, "bank", store=path))) - 1
    with pytest.raises(InvalidStore):
        reconstruct(Bank, "bank", store=tmp_path / "none.db")
    assert not (tmp_path / "none.db").exists()


# -- who is meant ----------------------------------------------------------------------------------


def test_a_name_is_that_of_the_one_agent_who_has_it() -> None:
    store = MemoryStore()
    for node, amount in (("local", 1), ("north", 2)):
        with ActorSystem(mode="simulated", store=store, node=node) as system:
            system.spawn(Bank)
            system.spawn(Bank, name=f"only-{node}")
            system.publish("pay", {"amount": amount, "who": node})
    assert reconstruct(Bank, "only-north", store=store).by == ("north",)
    assert reconstruct(Bank, "only-local", store=store).by == ("local",)
    with pytest.raises(InvalidAgent, match=r"did:choreia:local:bank, did:choreia:north:bank"):
        reconstruct(Bank, "bank", store=store)
    assert reconstruct(Bank, "did:choreia:north:bank", store=store).by == ("north",)
    for nobody in ("banker", "did:choreia:south:bank"):
        with pytest.raises(UnknownAgent, match=nobody):
            reconstruct(Bank, nobody, store=store)
    with pytest.raises(InvalidAgent, match="give the agent's name"):
        reconstruct(Bank, 7, store=store)  # type: ignore[arg-type]


def test_in_a_log_made_by_hand_a_name_is_found_too() -> None:
    store = MemoryStore()
    event = Event("account.changed", "did:choreia:n:room:7", {"amount": 5, "who": "me"})
    store.commit([Unit([event], [b'{"amount":5,"who":"me"}'])], 0.0)
    assert reconstruct(Bank, "room:7", store=store).balance == 5


# -- what makes no sense ---------------------------------------------------------------------------


@pytest.mark.parametrize("moment", [True, False, float("nan"), -1, b"x", [1]])
def test_a_moment_that_is_none_is_refused(moment: Any) -> None:
    for call in (reconstruct, history):
        with pytest.raises(InvalidStore, match="is no moment of a log"):
            call(Bank, "bank", store=MemoryStore(), up_to=moment)


def test_a_time_without_a_zone_and_an_unknown_id_are_refused() -> None:
    store = MemoryStore()
    told(store, 1)
    with pytest.raises(InvalidStore, match="no time zone"):
        reconstruct(Bank, "bank", store=store, up_to=datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(InvalidStore, match="no event of the id"):
        reconstruct(Bank, "bank", store=store, up_to="nonsense")


def test_only_event_sourced_classes_have_a_past() -> None:
    class Plain(Agent):
        @on("x")
        def x(self, event: Event) -> None: ...

    for cls in (Plain, EventSourcedAgent, int, Plain()):
        with pytest.raises(InvalidAgent, match="is not event-sourced"):
            reconstruct(cls, "bank", store=MemoryStore())  # type: ignore[arg-type]
    with pytest.raises(InvalidStore, match="EventStore"):
        reconstruct(Bank, "bank", store=7)  # type: ignore[arg-type]


# -- who plays -------------------------------------------------------------------------------------


def test_a_cast_is_learned_without_anybody_beginning() -> None:
    begun: list[str] = []

    class Eager(Agent):
        def on_start(self) -> None:
            begun.append(self.name)

        @on("x")
        def x(self, event: Event) -> None: ...

    def build(system: ActorSystem) -> None:
        system.spawn(Eager)
        system.spawn(Bank, name="savings")
        system.subscribe("#", begun.append, name="ear")

    assert cast_of(build) == {"eager": Eager, "savings": Bank}
    assert begun == []
