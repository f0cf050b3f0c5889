"""One system under test: its record, its failures, and which of its agents is meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from choreia.actors.ref import AgentRef
from choreia.actors.system import ActorSystem, Mode
from choreia.actors.testing.recording import Record
from choreia.actors.testing.waiting import LAST_CHANCE, VIRTUALLY_LONG, Waiter
from choreia.runtime.delivery.cell import Cell
from choreia.runtime.delivery.failure import Failure
from choreia.runtime.errors import IdleTimeout, InvalidAgent
from choreia.runtime.events.display import plain
from choreia.runtime.events.identity import kebab


class Session:
    """Starts a system and listens to it from the first moment."""

    def __init__(self, mode: Mode, seed: int | None, options: Mapping[str, Any]) -> None:
        self.seed = seed
        self.system = ActorSystem(mode=mode, seed=seed, **options)
        engine = self.system._engine
        self.record = Record(engine.clock)
        engine.bus.taps = (*engine.bus.taps, self.record)
        self.system._stopped.then(self.record.wake)
        self.failures: list[Failure] = []
        engine.on_failure = self.failures.append
        self.waiter = Waiter(self.system, self.record)

    @property
    def virtual(self) -> bool:
        return self.waiter.virtual

    def name_of(self, agent: str | type | AgentRef[Any]) -> str:
        """The name of the agent that is meant: by its name, its ref, or its class.

        Raises `InvalidAgent` when several agents are of that class.
        """
        if isinstance(agent, str):
            return agent
        if isinstance(agent, type):
            return self._name_of_class(agent)
        return agent.name

    def _name_of_class(self, cls: type) -> str:
        names = [cell.name for cell in self.cells() if isinstance(cell.turn.agent, cls)]
        if len(names) > 1:
            raise InvalidAgent(
                f"{cls.__name__} is the class of {', '.join(names)}: say which, by its name"
            )
        return names[0] if names else kebab(cls.__name__)

    def cells(self) -> list[Cell]:
        """The agents that the test spawned, and its subscriptions."""
        return [cell for cell in self.system._roster.all() if cell.kind != "system"]

    def going_on(self) -> tuple[str, ...]:
        """What does not go on by itself at this moment, a line each: what hangs, awaits, is parked
        or dead, backs off, or is paused over something."""
        resting = ("idle", "queued", "stopped")
        return tuple(
            plain(cell.describe())
            for cell in self.cells()
            if cell.state not in resting and not (cell.state == "paused" and not len(cell.mailbox))
        )

    def in_flight(self) -> tuple[str, ...]:
        """What does not come to its end, a line each, after a last chance to."""
        if self.system._stopped.is_open:  # and will never be idle, if it is not
            return ()
        try:
            self.system.wait_idle(0 if self.virtual else LAST_CHANCE)
        except IdleTimeout as error:
            return error.in_flight or ("nothing that could be named",)
        return ()

    def stop(self, *, drain: bool) -> None:
        """End the system; real time is given sparingly."""
        self.system.stop(drain=drain, timeout=VIRTUALLY_LONG if self.virtual else LAST_CHANCE)
