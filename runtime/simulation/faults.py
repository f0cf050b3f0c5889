"""Faults for simulations: a thread that ends, a dispatcher that forgets somebody, a slow machine,
deliveries that get lost or come twice.

They are drawn from the system's seed, so that a run with faults is a function of its seed, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import exp, log
from random import Random

import attrs

from choreia.runtime.delivery.dispatcher import Runnable, ThreadEnds
from choreia.runtime.delivery.engine import Engine
from choreia.runtime.delivery.feed import Feed
from choreia.runtime.events.event import Event
from choreia.runtime.simulation.dispatcher import SimulatedDispatcher


def crash() -> None:
    """A control: the thread that gives the turn ends where it stands."""
    raise ThreadEnds


def withhold(dispatcher: SimulatedDispatcher, cell: Runnable) -> None:
    """Give `cell` no turn, though it is due one, until `restore`: it starves."""
    dispatcher.withheld.add(cell)


def restore(dispatcher: SimulatedDispatcher, cell: Runnable) -> None:
    dispatcher.withheld.discard(cell)


@attrs.frozen
class Slowness:
    """How long a turn takes on a machine that is busy, or short of memory, or of a hypervisor.

    Turns take a lognormal time, and now and then one takes a Pareto time: such pauses are rare,
    and some of them are long. All in seconds.
    """

    median: float = 0.005
    sigma: float = 0.5
    pause_every: float = 600.0
    """A pause begins after this many seconds of turns and waiting, on average."""
    shortest: float = 0.3
    longest: float = 10.0
    alpha: float = 1.5
    """Of the Pareto distribution: below 2 its variance has no bound, as it is with real pauses."""

    def of(self, random: Random, now: Callable[[], float]) -> Callable[[], float]:
        """How long the next turn takes, each time it is called. `now`: virtual seconds."""
        next_pause = now() + random.expovariate(1 / self.pause_every)
        middle = log(self.median)

        def seconds() -> float:
            nonlocal next_pause
            if now() < next_pause:
                return exp(random.gauss(middle, self.sigma))
            next_pause = now() + random.expovariate(1 / self.pause_every)
            return min(self.longest, self.shortest * random.paretovariate(self.alpha))

        return seconds


@attrs.frozen
class Unreliable:
    """Deliveries that get lost, or come twice, as a network would have it.

    Whether one does follows from the seed, the event and the agent, so asking twice changes
    nothing. What is lost is noted, with the agent that never got it.
    """

    lose: float = 0.0
    double: float = 0.0
    seed: int = 0

    def begin(self, engine: Engine) -> None:
        """From now on, between the agents of that system. Its own events are spared."""
        came_twice: set[tuple[str, str]] = set()

        def mishap(event: Event, feeds: Sequence[Feed]) -> Sequence[Feed]:
            if event.type.startswith(("agent.", "system.", "event.", "case.")):
                return feeds
            arrived: list[Feed] = []
            for feed in feeds:
                drawn = Random(f"{self.seed} {event.id} {feed.cell.name}").random()
                if drawn < self.lose:
                    if engine.cases is not None:
                        engine.cases.note_loss(feed.cell.agent, event)
                    continue
                arrived.append(feed)
                if drawn >= 1 - self.double and (event.id, feed.cell.name) not in came_twice:
                    came_twice.add((event.id, feed.cell.name))
                    with engine.counted(feed.cell, event):
                        feed.force(event)
            return arrived

        engine.bus.suffer(mishap)
