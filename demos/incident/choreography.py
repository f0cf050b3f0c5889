"""Who takes part: the one place that knows all agents, and only to start them."""

from __future__ import annotations

from choreia import ActorSystem
from choreia.demos.incident.books import Books
from choreia.demos.incident.cast import FIXER, GATE, KEEPER, SERVICE, STAND_BY
from choreia.demos.incident.chronicle import Chronicle
from choreia.demos.incident.faults import Fault, fixer_for
from choreia.demos.incident.gate import Gate
from choreia.demos.incident.keeper import Keeper
from choreia.demos.incident.pulse import Pulse
from choreia.demos.incident.service import Service
from choreia.demos.incident.tempo import Tempo
from choreia.demos.incident.watcher import TEMPERS, Temper, Watcher
from choreia.demos.incident.worker import Worker

CHECKOUT = "checkout"


def build(
    system: ActorSystem,
    service: str = CHECKOUT,
    *,
    seed: int = 0,
    fault: Fault = Fault.NONE,
    tempo: Tempo | None = None,
    pace: float = 1.0,
    blocking: bool = False,
) -> Books:
    """Spawn the agents, and give their books. From then on the story goes on by itself.

    `seed` draws the service's illness, and `fault` is what is wrong with the fixer; with
    `blocking` it hangs on a thread and not in a coroutine. `pace` is how many seconds a second of
    the story takes, and `tempo` gives all times in the system's own seconds (by default those of
    the story, at that pace). Nobody answers proposals here: see `people`.
    """
    tempo = Tempo().paced(pace) if tempo is None else tempo
    books = Books(service, fault, Chronicle(system.clock.now(), system.node, pace))
    books.chronicle.follow(system)
    system.spawn(lambda: Gate(books.consents), name=GATE)
    system.spawn(lambda: Keeper(books.trust), name=KEEPER)
    _spawn_responders(system, books, tempo, blocking=blocking)
    for name, temper in TEMPERS.items():
        _spawn_watcher(system, name, temper)
    pulse, every = Pulse(seed), tempo.sample
    system.spawn(lambda: Service(service, pulse, books.service_book, every), name=SERVICE)
    return books


def _spawn_responders(system: ActorSystem, books: Books, tempo: Tempo, *, blocking: bool) -> None:
    # Made here and not in the factories: another instance is to know what this one knew.
    first, second = books.notes_of(FIXER), books.notes_of(STAND_BY)
    remark, heartbeat = books.chronicle.remark, tempo.heartbeat
    system.spawn(
        lambda: fixer_for(books.fault, first, tempo, remark, blocking=blocking),
        name=FIXER,
        heartbeat=heartbeat,
    )
    system.spawn(lambda: Worker(second, tempo), name=STAND_BY, heartbeat=heartbeat)


def _spawn_watcher(system: ActorSystem, name: str, temper: Temper) -> None:
    system.spawn(lambda: Watcher(temper), name=name)
