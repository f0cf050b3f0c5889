"""What an agent subscribes to and declares, as a value: for traces, and for the store to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from choreia.actors.agent import Agent
from choreia.actors.families import FrontAgent
from choreia.actors.record import Record
from choreia.actors.subscriber import Subscriber
from choreia.runtime.delivery.cell import Cell
from choreia.runtime.durable.bus import LogBus
from choreia.runtime.events.topic import TopicPattern
from choreia.runtime.insight.interests import encode
from choreia.runtime.insight.story import Ask, Interest
from choreia.runtime.stores.unit import KeepInterest, Unit

if TYPE_CHECKING:
    from choreia.runtime.durable.ledger import Ledger

KINDS = frozenset({"agent", "subscription"})
"""The runtime's own agents are left out, and members have their family's front."""


def interest_of(cell: Cell, agent: Agent | None = None) -> Interest:
    """Of an agent that is subscribed; of a family by its front. `agent`: the instance that is about
    to take the place of the one that is there."""
    record, ledger = cast("Record", cell.owner), cast("Ledger | None", cell.ledger)
    agent = cast("Agent", cell.turn.agent) if agent is None else agent
    cls = agent.stands_for if isinstance(agent, FrontAgent) else type(agent)
    emits = cls._choreia_declaration.patterns
    return Interest(
        agent=cell.agent,
        asks=_asks(agent, cls, record),
        kind=cell.kind,
        passive=not cell.holding,
        durable=ledger is not None and ledger.durable,
        key=record.options.key,
        cls="" if isinstance(agent, Subscriber) else cls.__name__,
        emits=None if emits is None else _texts(emits),
        terminal=_texts(cls._choreia_terminal),
        external=_texts(cls._choreia_external),
    )


def keep_interest(cell: Cell, agent: Agent | None = None) -> tuple[KeepInterest, ...]:
    """What a store is to keep of an agent that takes its place; nothing of the runtime's own."""
    if cell.kind not in KINDS:
        return ()
    interest = interest_of(cell, agent)
    return (KeepInterest(cell.agent, encode(interest), interest.durable),)


def keep_interest_now(cell: Cell, agent: Agent | None = None) -> None:
    """Of an agent that takes no seat, or that another instance has subscribed to something else."""
    _keep(cell, keep_interest(cell, agent))


def end_interest(cell: Cell) -> None:
    """An agent is gone. One that is durable is still meant: it goes on when it comes again."""
    ledger = cast("Ledger | None", cell.ledger)
    if ledger is not None and not ledger.durable and cell.kind in KINDS:
        _keep(cell, (KeepInterest(cell.agent, b"", durable=False),))


def _keep(cell: Cell, changes: tuple[KeepInterest, ...]) -> None:
    bus = cell.engine.bus
    if isinstance(bus, LogBus) and changes:
        bus.keep(Unit(changes=changes))


def _asks(agent: Agent, cls: type[Agent], record: Record) -> tuple[Ask, ...]:
    # As subscriptions are made: handlers, and of each its topics.
    if isinstance(agent, Subscriber):
        names = [agent.planner.name]
    else:
        names = [spec.name for spec in cls._choreia_handlers for _ in spec.topics]
    return tuple(
        Ask(entry.pattern.pattern, None if entry.filter is None else entry.filter.mapping, name)
        for entry, name in zip(record.subscriptions, names, strict=True)
    )


def _texts(patterns: tuple[TopicPattern, ...]) -> tuple[str, ...]:
    return tuple(pattern.pattern for pattern in patterns)
