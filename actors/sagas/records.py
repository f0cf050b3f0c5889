"""What a participant keeps about one step of one case."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from typing import cast
from urllib.parse import unquote

import attrs
import orjson

from choreia.runtime.events.event import Event
from choreia.runtime.events.payload import FrozenDict, freeze
from choreia.runtime.events.topic import TopicPattern
from choreia.runtime.stores.unit import CaseRecord

EXTENSION = "saga"
"""Of an event's metadata: the steps that it stands on, as ``agent/step``."""
MOST_TOKENS = 256
"""Of one event; more are the work of somebody outside."""

_matcher = cache(TopicPattern)

Place = tuple[str, str]
"""Whose step it is, and which: of a case."""


class StepState(StrEnum):
    """How a step of a case stands."""

    DOING = "doing"
    """Its handler has run, and none of its `emits` was emitted yet."""
    DONE = "done"
    COMPENSATED = "compensated"
    TOMBSTONED = "tombstoned"
    """The case failed before the step came: it is refused."""
    FAILED = "failed"


@attrs.frozen
class StepRecord:
    """One step, or one join, of one case at one agent."""

    agent: str
    name: str
    """``step:<method>``, or ``join:<method>``."""
    state: StepState
    event_id: str | None
    """The event that it handled; None for a tombstone that has refused nothing yet."""
    kind: str = "step"
    compensates: bool = False
    """Whether there is a method that undoes it."""
    after: tuple[Place, ...] = ()
    """The nearest steps that it stands on."""
    on: tuple[str, ...] = ()
    """Patterns of the failures on which it is undone."""
    until: float | None = None
    """When it has to be done: Unix seconds."""
    owed: bool = False
    """Whether something is still to be done about it: undoing it, or a dead letter."""
    failure: tuple[str, str] | None = None
    """Id and type of the event that the case failed with, if it is to be undone."""
    tells: bool = False
    """Of one that is undone: whether all that it stood on are told so, by an event."""
    heard: tuple[Place, ...] = ()
    """What has been told so."""
    awaits: tuple[str, ...] = ()
    key: str | None = None
    """Where the key of the agent stands in an event, if it is a keyed one's."""
    joined: tuple[str | None, ...] = ()
    """Of a join: the ids of the events that have come, in the order of its topics."""
    events: tuple[Event | None, ...] = attrs.field(default=(), eq=False, repr=False)
    """What was handled, where no store could tell it."""

    @property
    def place(self) -> Place:
        return self.agent, self.name

    def undone_by(self, failure: tuple[str, str]) -> bool:
        """Whether it is to be undone, or was, when the case fails with that event."""
        if self.state is StepState.COMPENSATED:
            return self.failure is not None and self.failure[0] == failure[0]
        return (
            self.state is StepState.DONE
            and self.compensates
            and any(_matcher(pattern).matches(failure[1]) for pattern in self.on)
        )

    def value(self) -> bytes:
        """As JSON. It quotes no payload."""
        document: dict[str, object] = {
            "state": self.state.value,
            "event": self.event_id,
            "kind": self.kind,
            "compensates": self.compensates,
            "after": self.after,
            "on": self.on,
            "until": self.until,
            "owed": self.owed,
        }
        more = {
            "failure": self.failure,
            "tells": self.tells,
            "heard": self.heard,
            "awaits": self.awaits,
            "key": self.key,
            "joined": self.joined,
        }
        return orjson.dumps(document | {name: value for name, value in more.items() if value})

    def case_record(self, correlation_id: str) -> CaseRecord:
        return CaseRecord(self.agent, correlation_id, self.name, self.value())

    @classmethod
    def read(cls, kept: CaseRecord) -> StepRecord | None:
        """What was kept; None when it is something else."""
        if not kept.name.startswith(("step:", "join:")):
            return None
        said = orjson.loads(kept.value)
        failure = said.get("failure")
        return cls(
            kept.agent,
            kept.name,
            StepState(said["state"]),
            said["event"],
            said["kind"],
            said["compensates"],
            tuple((agent, name) for agent, name in said["after"]),
            tuple(said["on"]),
            said["until"],
            said["owed"],
            None if failure is None else (failure[0], failure[1]),
            said.get("tells", False),
            tuple((agent, name) for agent, name in said.get("heard", ())),
            tuple(said.get("awaits", ())),
            said.get("key"),
            tuple(said.get("joined", ())),
        )


def places_of(event: Event) -> tuple[Place, ...]:
    """The steps that `event` stands on."""
    said: object = event.metadata.extensions.get(EXTENSION)
    if not isinstance(said, list):
        return ()
    tokens = cast("list[object]", said)[:MOST_TOKENS]
    pairs = (one.rpartition("/") for one in tokens if isinstance(one, str))
    return tuple((agent, f"step:{name}") for agent, _, name in pairs if agent and name)


def extension_of(places: Iterable[Place]) -> FrozenDict:
    """The same for what is about to be emitted."""
    tokens = dict.fromkeys(f"{agent}/{name.partition(':')[2]}" for agent, name in places)
    return freeze({EXTENSION: list(tokens)[:MOST_TOKENS]})


def addressed(agent: str, key: str | None, payload: dict[str, object]) -> dict[str, object]:
    """`payload`, so that it comes to that agent, and to no other."""
    name, _, part = agent.partition(":")
    said: dict[str, object] = {**payload, "for": name}
    if key is None or not key.startswith("payload."):
        return said
    *outer, last = key.split(".")[1:]
    inside = said
    for segment in outer:
        deeper: dict[str, object] = {}
        inside[segment] = deeper
        inside = deeper
    inside[last] = unquote(part)
    return said
