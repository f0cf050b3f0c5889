"""What would have come of it: the rest of history run again, with one thing changed.

Everything happens in a copy in memory; the store is only read. But the handlers run, and what they
do to the world outside they do: give agents that charge cards or call models stand-ins in `build`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import attrs

from choreia.actors.agent import Agent
from choreia.actors.branching import Branch, Past, altered, branch, news
from choreia.actors.casting import Build, cast_and_families
from choreia.actors.difference import Difference, difference
from choreia.actors.keeping import StoreGiven
from choreia.actors.reconstructing import applier_of, looked_into, name_in
from choreia.actors.rerunning import Rerun, conduct, set_clock
from choreia.actors.sourced import EventSourcedAgent
from choreia.actors.system import ActorSystem
from choreia.runtime.errors import InvalidStore
from choreia.runtime.events.event import Event
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.stores.base import EventStore


@attrs.frozen
class Divergence:
    """An event that is another, or is not, or is new, when history goes on differently."""

    kind: Literal["changed", "gone", "new"]
    position: int
    """In the log that stood; of a new one, in the copy's."""
    event: Event
    """As it stood; a new one, as it is."""
    differences: tuple[Difference, ...] = ()
    """Of type and payload, when it has changed."""


@attrs.frozen
class Fork:
    """What came out differently."""

    at: int
    before: Event
    """What happened there."""
    after: Event
    """What happens there now."""
    same: int
    """Events that are what they were."""
    divergences: tuple[Divergence, ...]
    """First the changed and the gone ones, in the order of the log that stood; then the new."""
    states: tuple[tuple[str, tuple[Difference, ...]], ...]
    """What the event-sourced agents know differently in the end, by their ids; only those who do.
    """
    anew: tuple[tuple[str, str], ...]
    """Agents that keep what they know in plain attributes, by name and class: they knew nothing at
    the moment of the fork."""
    beyond: int
    """New events that answer what the log has no answer to yet: it ends before its agents had
    handled all."""

    @property
    def differs(self) -> bool:
        """Whether anything else came of it, apart from what was changed."""
        apart = (one for one in self.divergences if one.event.id != self.before.id)
        return any(True for _ in apart) or bool(self.states)


def fork(
    store: StoreGiven,
    at: int | str,
    change: Mapping[str, object],
    build: Build,
    *,
    node: str | None = None,
    seed: int = 0,
) -> Fork:
    """Run what happened from position `at` on once more, with that event changed.

    `at` may also be the event's id. `change`: values by path, such as ``{"payload.amount": 5}``.
    `build` spawns the agents in the system it is given (it is called twice: first to see who there
    is). `node`: the node whose agents they are, if several have written to the store. Raises
    `InvalidStore` for a place that cannot be changed, `InvalidEvent` for a path that leads nowhere,
    and what `build` raises.
    """
    with looked_into(store) as opened:
        log = tuple(opened.read())
        stood = _stood(opened, at)
        cast, families = cast_and_families(build)
        past = Past(log, tuple(opened.cursors()), cast, node or _node_in(log), families)
    parted = branch(past, stood.position, altered(stood.event, change))
    return _compare(parted, *_rerun(parted, build, seed))


def _stood(store: EventStore, at: object) -> Recorded:
    if isinstance(at, str):
        found = store.find(at)
    elif type(at) is int and at > 0:
        found = next(iter(store.page(at - 1, 1)), None)
    else:
        raise InvalidStore(f"at={at!r}: give the position of an event, 1 or more, or its id")
    if found is None:
        raise InvalidStore(f"at={at!r}: there is no such event; the last one is at {store.head}")
    if news(found):
        raise InvalidStore(
            f"position {found.position} is the runtime's own news, {found.event.type}: it follows "
            "from how agents are run, so choose an event of the choreography"
        )
    if found.erased:
        raise InvalidStore(f"position {found.position} was erased: nobody knows what to change")
    return found


def _node_in(log: tuple[Recorded, ...]) -> str:
    """The one node whose agents have written. Raises `InvalidStore` when there are several."""
    nodes = {one.event.source.split(":")[2] for one in log if name_in(one.event.source) is not None}
    if len(nodes) > 1:
        raise InvalidStore(
            f"agents of several nodes have written to this store ({', '.join(sorted(nodes))}): say "
            "whose are to play again (node=…)"
        )
    return next(iter(nodes), "local")


Fresh = list[tuple[Recorded, Recorded | None]]


def _rerun(parted: Branch, build: Build, seed: int) -> tuple[Fresh, Mapping[str, Event]]:
    store = parted.store()
    system = ActorSystem(
        mode="simulated", seed=seed, store=store, node=parted.past.node, heartbeat=None
    )
    try:
        set_clock(system, parted.past.log[max(0, parted.at - 2)].at)
        rerun = Rerun(system, parted, store)
        conduct(system, rerun.score, seed)
        build(system)
        rerun.run()
    finally:
        system.stop(drain=False)
    return rerun.score.fresh, rerun.score.recogniser.found


# -- what came of it -------------------------------------------------------------------------------


def _compare(parted: Branch, fresh: Fresh, found: Mapping[str, Event]) -> Fork:
    past, stood = parted.past, parted.past.log[parted.at - 1]
    was = (stood, *sorted((*parted.kept, *parted.ahead), key=lambda one: one.position))
    beyond = _beyond(past, fresh)
    told = list(_diverged(was, found))
    new = [
        Divergence("new", one.position, one.event)
        for one, before in fresh
        if before is None and one.event.id not in beyond and not _said_twice(parted, one.event)
    ]
    kept = [one.event for one, _ in fresh if one.event.id not in beyond]
    return Fork(
        at=parted.at,
        before=stood.event,
        after=parted.event,
        same=len(was) - len(told),
        divergences=(*told, *new),
        states=tuple(_states(parted, kept)),
        anew=tuple(
            (name, cls.__name__)
            for name, cls in past.cast.items()
            if not issubclass(cls, EventSourcedAgent)
        ),
        beyond=len(beyond),
    )


def _diverged(was: tuple[Recorded, ...], found: Mapping[str, Event]) -> Iterator[Divergence]:
    for one in was:
        now = found.get(one.event.id)
        if now is None:
            if not one.erased:
                yield Divergence("gone", one.position, one.event)
            continue
        differences = () if one.erased else difference(_said(one.event), _said(now))
        if differences:
            yield Divergence("changed", one.position, one.event, differences)


def _said(event: Event) -> dict[str, object]:
    payload = event.payload
    if event.type == "event.dead_lettered":  # it names the event, whose id may be drawn by chance
        return {"type": event.type, "payload": {**payload, "event_id": None}}
    return {"type": event.type, "payload": payload}


def _said_twice(parted: Branch, event: Event) -> bool:
    """Whether it tells that an agent said once more what is changed, which it may not."""
    about = (event.payload.get("event_id"), event.payload.get("reason"))
    return event.type == "event.dead_lettered" and about == (parted.event.id, "duplicate")


def _beyond(past: Past, fresh: Fresh) -> set[str]:
    """New events that are only new because the log ends before its agents had come to them, or its
    timers were due."""
    ends = {cursor.agent: cursor.position for cursor in past.cursors}
    places = {one.event.id: one.position for one in past.log}
    places |= {now.event.id: was.position for now, was in fresh if was is not None}
    head, over = past.log[-1].position, past.log[-1].at
    found: set[str] = set()
    for one, before in fresh:
        cause, name = one.event.metadata.causation_id or "", past.player(one.event)
        late = past.fires(one.event) and one.at > over
        unanswered = name is not None and places.get(cause, 0) > ends.get(name, head)
        if before is None and (late or unanswered or cause in found):
            found.add(one.event.id)
    return found


def _states(parted: Branch, now: list[Event]) -> Iterator[tuple[str, tuple[Difference, ...]]]:
    past = parted.past
    before = [one.event for one in past.log[: parted.at - 1]]
    was = [*before, *(one.event for one in past.log[parted.at - 1 :])]
    will = [*before, *now]
    sources = dict.fromkeys(one.source for one in (*was, *will) if past.player(one) is not None)
    for source in sources:
        cls = _sourced(past, source)
        if cls is not None:
            one, other = (
                _state(cls, [event for event in log if event.source == source])
                for log in (was, will)
            )
            differences = difference(one, other)
            if differences:
                yield source, differences


def _sourced(past: Past, source: str) -> type[EventSourcedAgent[object]] | None:
    name = (name_in(source) or "").partition(":")[0]
    cls: type[Agent] = past.cast[name]
    return cls if issubclass(cls, EventSourcedAgent) else None


def _state(cls: type[EventSourcedAgent[object]], events: list[Event]) -> object:
    applier = applier_of(cls)
    return applier.fold(applier.initial(), events)
