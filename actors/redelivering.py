"""Redelivery: a dead letter's event goes to its agent again, and to nobody else."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import attrs

from choreia.actors.blocking import forbid_on_loop, refuse_fenced
from choreia.actors.roster import Roster
from choreia.runtime.delivery.admission import Admission, admit_one
from choreia.runtime.delivery.cell import Cell
from choreia.runtime.delivery.context import running_turn
from choreia.runtime.delivery.deadletter import DeadLetter, Redelivery
from choreia.runtime.delivery.feed import GONE
from choreia.runtime.errors import ChoreiaError, UnknownAgent
from choreia.runtime.events.event import Event


@attrs.frozen
class _Delivery:
    cell: Cell
    admission: Admission
    who: str | None
    """Who waits; None for a handler, which is in flight anyway."""


class Redeliverer:
    """For one system."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._engine = roster.engine

    def redeliver(self, letter: DeadLetter, timeout: float | None = None) -> None:
        """Blocks while the agent's mailbox is full, for `timeout` seconds at most."""
        forbid_on_loop("redeliver", "await system.redeliver_async(…)")
        with self._taken(letter) as delivery:
            verdict = self._engine.drive(delivery.admission, timeout, delivery.who)
            _check(verdict, delivery.cell)

    async def redeliver_async(self, letter: DeadLetter) -> None:
        """The same, awaiting."""
        with self._taken(letter) as delivery:
            verdict = await self._engine.drive_async(delivery.admission, None, delivery.who)
            _check(verdict, delivery.cell)

    @contextmanager
    def _taken(self, letter: DeadLetter) -> Generator[_Delivery, None, None]:
        """No dead letter while it is on its way; one again if it does not arrive."""
        refuse_fenced("redeliver")
        event = _event_of(letter)
        cell = self._roster.cell(letter.agent)
        if not self._engine.letters.remove(letter):
            raise ChoreiaError(f"the dead letter of {event.id} was redelivered before")
        turn = running_turn()
        sender = None if turn is None else turn.cell
        try:
            with self._engine.counted(cell, event):
                yield _Delivery(
                    cell,
                    admit_one(cell.feed, Redelivery(event, letter.progress), sender),
                    f"redelivery to {cell.name}" if turn is None else None,
                )
        except BaseException:
            self._engine.letters.add(letter)
            raise


def _event_of(letter: DeadLetter) -> Event:
    if letter.event is None:
        raise ChoreiaError("this dead letter is a told message, which cannot be redelivered")
    return letter.event


def _check(verdict: int, cell: Cell) -> None:
    if verdict == GONE:
        raise UnknownAgent(f"agent {cell.name!r} stopped before the event got in", name=cell.name)
