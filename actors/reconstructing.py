"""Time travel: what an event-sourced agent knew at any moment, folded from what it had said.

Nothing runs here, and nothing is written: the agent's own events are read in their order and
applied, as they are when it begins. So what comes out is what the agent's `state` was.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import attrs

from choreia.actors.folding import Applier
from choreia.actors.keeping import StoreGiven, checked, open_store
from choreia.actors.sourced import EventSourcedAgent
from choreia.runtime.errors import InvalidAgent, UnknownAgent
from choreia.runtime.events.event import Event
from choreia.runtime.stores.base import EventStore, Selection, When
from choreia.runtime.stores.selecting import check_moment, position_of
from choreia.runtime.stores.unit import Snapshot

S = TypeVar("S")

Moment = When | None
"""A time (with its zone, or Unix seconds as a float), a position (an int), an event's id, or None
for the end of the log. The moment is when that had happened: an event that is named, or has that
position, counts."""

_DID = "did:choreia:"


@attrs.frozen
class Step(Generic[S]):
    """One event of an agent's own, and what it made of the agent's state."""

    position: int
    time: float
    """When it was recorded: Unix seconds."""
    event: Event
    before: S
    after: S


def reconstruct(
    agent_class: type[EventSourcedAgent[S]],
    agent_id: str,
    *,
    store: StoreGiven,
    up_to: Moment = None,
) -> S:
    """The state that an agent had at a moment.

    `agent_id` is its DID, or its name if the store knows one agent of that name. `store`: a path, a
    URL or an `EventStore`; it is only read. Raises `InvalidAgent` for a class that is not
    event-sourced, `UnknownAgent` when the store has never heard of the agent, `InvalidStore` for a
    moment that makes no sense, and what the state's methods raise.
    """
    applier = applier_of(agent_class)
    check_moment(up_to)
    with looked_into(store) as opened:
        did, last = did_of(opened, agent_id), position_of(opened, up_to)
        state, after = _begun(agent_class, applier, opened.snapshot(did), last)
        for recorded in opened.read(after, source=did, up_to=last):
            if recorded.said:
                state = applier.next(state, recorded.event)
    return cast("S", state)


def _begun(
    agent_class: type[EventSourcedAgent[Any]], applier: Applier, kept: Snapshot | None, last: int
) -> tuple[object, int]:
    """What to fold on from, and where that is."""
    snapshots = agent_class._choreia_snapshots
    if kept is not None and kept.position <= last and snapshots is not None:
        state = snapshots.thaw(kept)
        if state is not None:
            return state, kept.position
    return applier.initial(), 0


def history(
    agent_class: type[EventSourcedAgent[S]],
    agent_id: str,
    *,
    store: StoreGiven,
    up_to: Moment = None,
) -> Iterator[Step[S]]:
    """The agent's own events up to a moment, each with the state before and after it.

    What the runtime has said in its name (`agent.started` and the like) is left out, unless it
    changes the state. Raises what `reconstruct` raises: for class and moment at once, for the rest
    when the first step is asked for.
    """
    applier = applier_of(agent_class)
    check_moment(up_to)
    return cast("Iterator[Step[S]]", _steps(applier, agent_id, store, up_to))


def _steps(
    applier: Applier, agent_id: str, store: StoreGiven, up_to: Moment
) -> Iterator[Step[object]]:
    state = applier.initial()
    with looked_into(store) as opened:
        did, last = did_of(opened, agent_id), position_of(opened, up_to)
        for recorded in opened.read(source=did, up_to=last):
            if not recorded.said:
                continue
            before, state = state, applier.next(state, recorded.event)
            if state is not before or not recorded.live:
                yield Step(recorded.position, recorded.at, recorded.event, before, state)


# -- who, and when ---------------------------------------------------------------------------------


def applier_of(agent_class: type[EventSourcedAgent[Any]]) -> Applier:
    """What makes the states of a class's agents. Raises `InvalidAgent`."""
    applier = None
    if isinstance(agent_class, type) and issubclass(agent_class, EventSourcedAgent):  # pyright: ignore[reportUnnecessaryIsInstance]
        applier = agent_class._choreia_applier
    if applier is None:
        name = getattr(agent_class, "__name__", repr(agent_class))
        raise InvalidAgent(
            f"{name} is not event-sourced, so what it knew does not follow from what it said: "
            "derive it from EventSourcedAgent[State]"
        )
    return applier


def name_in(source: str) -> str | None:
    """The agent's name in a DID of this runtime's; None for any other source."""
    if not source.startswith(_DID):
        return None
    _, _, name = source.removeprefix(_DID).partition(":")
    return name or None


def did_of(store: EventStore, agent_id: object) -> str:
    """The DID of an agent that is given by it, or by its name. Raises `UnknownAgent`, and
    `InvalidAgent` when several nodes have an agent of that name."""
    if not isinstance(agent_id, str) or not agent_id:
        raise InvalidAgent(f"agent_id={agent_id!r}: give the agent's name, or its DID")
    if agent_id.startswith("did:"):
        if not store.page(0, 1, Selection(source=agent_id)):
            raise UnknownAgent(f"{agent_id} has said nothing in this store", name=agent_id)
        return agent_id
    found = _dids_of(store, agent_id)
    if len(found) > 1:
        raise InvalidAgent(
            f"there are several agents named {agent_id!r}: {', '.join(found)}; give the DID of one"
        )
    if not found:
        raise UnknownAgent(
            f"no agent named {agent_id!r} has said anything in this store", name=agent_id
        )
    return found[0]


def _dids_of(store: EventStore, name: str) -> list[str]:
    # The runtime tells of every agent that begins, which spares reading the log as a whole; of the
    # members of a keyed one it tells the name they share. But a log that was put together by hand
    # has only what was put there.
    front, colon, key = name.partition(":")
    fronts = {one.event.source for one in store.read(pattern="agent.*")}
    found = sorted(source + colon + key for source in fronts if name_in(source) == front)
    found = [source for source in found if store.page(0, 1, Selection(source=source))]
    if not found:
        sources = {one.event.source for one in store.read()}
        found = sorted(source for source in sources if name_in(source) == name)
    return found


@contextmanager
def looked_into(given: StoreGiven) -> Generator[EventStore, None, None]:
    """A store to read in: one that is opened here is closed again."""
    if not isinstance(given, (str, Path)):
        yield checked(given)
        return
    store = open_store(given, "full", 0, readonly=True)
    try:
        yield store
    finally:
        store.close()
