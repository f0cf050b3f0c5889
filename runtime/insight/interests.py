"""Interests as a store keeps them: what an agent subscribes to, as JSON, and since when.

The name, the stretch of the log and whether the agent is durable stand beside the value, so agents
of one class share one value.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import cast

import attrs

from choreia.runtime.errors import StoreDamaged
from choreia.runtime.insight.story import Ask, Interest
from choreia.runtime.stores.unit import KeptInterest

Fields = Mapping[str, object]


def encode(interest: Interest) -> bytes:
    """The value of `interest`; its name, stretch and `durable` are not in it."""
    said: dict[str, object] = {"asks": [_said(ask) for ask in interest.asks]}
    if interest.kind != "agent":
        said["kind"] = interest.kind
    if interest.passive:
        said["passive"] = True
    if interest.key is not None:
        said["key"] = interest.key
    if interest.cls:
        said["class"] = interest.cls
    if interest.emits is not None:
        said["emits"] = interest.emits
    if interest.terminal:
        said["terminal"] = interest.terminal
    if interest.external:
        said["external"] = interest.external
    # Not orjson: a filter may compare with a whole number of any size.
    return json.dumps(said, separators=(",", ":")).encode()


def decode(kept: KeptInterest) -> Interest:
    """What was kept. Fields that are not known are passed over: a later version may have more.

    Raises `StoreDamaged` when the value is none that `encode` made.
    """
    try:
        said = cast("Fields", json.loads(kept.value))
        return Interest(
            agent=kept.agent,
            asks=tuple(_ask(ask) for ask in cast("list[Fields]", said["asks"])),
            since=kept.since,
            kind=str(said.get("kind", "agent")),
            passive=said.get("passive") is True,
            durable=kept.durable,
            key=None if said.get("key") is None else str(said["key"]),
            cls=str(said.get("class", "")),
            emits=None if said.get("emits") is None else _texts(said["emits"]),
            terminal=_texts(said.get("terminal", ())),
            external=_texts(said.get("external", ())),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreDamaged(
            f"what {kept.agent!r} subscribes to since position {kept.since} is not readable: "
            f"{type(error).__name__}: {error}"
        ) from error


def versions(kept: Iterable[KeptInterest]) -> tuple[Interest, ...]:
    """Each agent's interests, one after the other, with the stretch of the log each is for."""
    by_agent: dict[str, list[KeptInterest]] = {}
    for one in sorted(kept, key=lambda one: one.since):
        by_agent.setdefault(one.agent, []).append(one)
    found: list[Interest] = []
    known: dict[bytes, Interest] = {}  # agents of one class share one value, thousands of times
    for rows in by_agent.values():
        ends = [row.since for row in rows[1:]]
        for row, until in zip(rows, [*ends, None], strict=True):
            if row.value and (until is None or until > row.since):
                if row.value not in known:
                    known[row.value] = decode(row)
                found.append(
                    attrs.evolve(
                        known[row.value],
                        agent=row.agent,
                        since=row.since,
                        until=until,
                        durable=row.durable,
                    )
                )
    return tuple(sorted(found, key=lambda one: (one.since, one.agent)))


def _said(ask: Ask) -> Fields:
    said: dict[str, object] = {"pattern": ask.pattern}
    if ask.filter is not None:
        said["filter"] = ask.filter
    if ask.handler:
        said["handler"] = ask.handler
    return said


def _ask(said: Fields) -> Ask:
    filter = said.get("filter")
    if filter is not None and not isinstance(filter, dict):
        raise ValueError("a filter is no mapping")
    return Ask(
        str(said["pattern"]),
        cast("Mapping[str, object] | None", filter),
        str(said.get("handler", "")),
    )


def _texts(said: object) -> tuple[str, ...]:
    return tuple(str(one) for one in cast("list[object]", said))
