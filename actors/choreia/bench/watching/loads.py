"""Two hundred agents, at rest and at work: alone, served, looked at, and asked.

Looked at is from another process, as `choreia top` does it. Asked is the other way to know how
agents do: each is sent a question, four times a second, and answers in its turn.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import attrs

from choreia import ActorSystem, Agent, CaseLimits, Event, on
from choreia.runtime.inspection.client import Client

AGENTS: Final = 200
TOGETHER: Final = 20
"""Events on their way round at once."""
EVERY: Final = 0.25
"""Seconds from one look to the next."""
WAYS: Final = ("alone", "served", "looked at", "asked")


@attrs.frozen
class Took:
    """What one sample has shown."""

    hop: float
    """Processor seconds of the whole process for each hop, at work."""
    rest: float
    """The share of a core that the process takes at rest."""
    sampler: float
    """The share of a core that the sampler has taken, by its own count; 0 where nobody looks."""


class Runner(Agent):
    """Passes on what it is given."""

    def __init__(self, place: int, done: threading.Semaphore) -> None:
        super().__init__()
        self.mine = f"hop.at{place}"
        self.following = f"hop.at{(place + 1) % AGENTS}"
        self.done = done

    @on("{mine}")
    def run(self, event: Event) -> None:
        left = event.payload["left"]
        if left:
            self.emit(self.following, {"left": left - 1})
        else:
            self.done.release()

    def on_receive(self, message: object) -> object:
        return self.actor_urn  # as much as a question needs


def sample(way: str, *, hops: int, seconds: float) -> Took:
    """Measure one of `WAYS`: `seconds` at rest, then `hops` at work."""
    done = threading.Semaphore(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.sock"
        inspect = path if way in ("served", "looked at") else False
        limits = CaseLimits(hops=max(hops, AGENTS) + 1)
        with ActorSystem(inspect=inspect, limits=limits) as system:
            for place in range(AGENTS):
                system.spawn(partial(Runner, place, done), name=f"runner-{place}")
            _go_round(system, AGENTS, done)
            with _company(way, system, path):
                return _measured(system, path, way, hops, seconds, done)


def _measured(
    system: ActorSystem, path: Path, way: str, hops: int, seconds: float, done: threading.Semaphore
) -> Took:
    began, sampled = time.perf_counter(), _sampled(path, way)
    rest = time.process_time()
    time.sleep(seconds)
    rest = (time.process_time() - rest) / seconds
    hop = time.process_time()
    _go_round(system, hops, done)
    hop = time.process_time() - hop
    share = (_sampled(path, way) - sampled) / (time.perf_counter() - began)
    return Took(hop / (hops * TOGETHER), rest, share)


def _go_round(system: ActorSystem, hops: int, done: threading.Semaphore) -> None:
    for place in range(TOGETHER):
        system.publish(f"hop.at{place * AGENTS // TOGETHER}", {"left": hops})
    for _ in range(TOGETHER):
        done.acquire()
    system.wait_idle()


def _sampled(path: Path, way: str) -> float:
    """Processor seconds that the sampler says it has used."""
    if way != "looked at":
        return 0.0
    with Client(path) as client:
        cost = client.call("snapshot", parts=[])["cost"]
    return float(cost["seconds"]) if isinstance(cost, dict) else 0.0


@contextmanager
def _company(way: str, system: ActorSystem, path: Path) -> Generator[None, None, None]:
    if way == "looked at":
        command = [sys.executable, "-m", "choreia.bench.watching.reader", str(path)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as reader:
            assert reader.stdout is not None
            reader.stdout.readline()
            yield
            reader.communicate()
    elif way == "asked":
        with _asking([system.ref(f"runner-{place}").ask for place in range(AGENTS)]):
            yield
    else:
        yield


@contextmanager
def _asking(questions: Sequence[Callable[..., object]]) -> Generator[None, None, None]:
    over = threading.Event()

    def ask() -> None:
        while not over.wait(EVERY):
            answers = [question("how are you?", block=False) for question in questions]
            for answer in answers:
                answer.get()  # type: ignore[attr-defined]

    asker = threading.Thread(target=ask)
    asker.start()
    try:
        yield
    finally:
        over.set()
        asker.join()
