"""One performance of the story, as it was asked for, before the eyes of whoever watches."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager
from typing import Literal

from attrs import evolve, frozen
from rich.console import Console

from choreia import ActorSystem
from choreia.demos.incident.asking import ask
from choreia.demos.incident.books import Books
from choreia.demos.incident.cast import FIXER
from choreia.demos.incident.choreography import build
from choreia.demos.incident.faults import Fault
from choreia.demos.incident.live import Screen, Teller
from choreia.demos.incident.people import Answer, Decide, People, Question, by_policy, never, nobody
from choreia.demos.incident.stage import play
from choreia.demos.incident.tempo import Tempo
from choreia.demos.inspected import Served

TIME_TO_ASK = 60.0
"""Seconds that a person at the terminal has, at least, in real time."""
ASK = "ask"
"""Whoever is at the terminal. All others answer by themselves:"""
POLICIES: dict[str, Decide] = {"auto": by_policy, "veto": never, "none": nobody}


@frozen
class Performance:
    """What was asked for."""

    service: str
    seed: int
    fault: Fault
    approve: str
    """Who answers: one of `POLICIES`, or `ASK`."""
    pace: float
    """Seconds that a second of the story takes."""
    real: bool
    """In real time, on threads."""
    live: bool
    """Drawn as it happens, if there is a terminal to draw on."""
    inspect: Served = False
    """Whether it can be looked at meanwhile."""

    def before(self, console: Console) -> Books:
        """Let the story run to its end; its books."""
        mode: Literal["threads", "simulated"] = "threads" if self.real else "simulated"
        system = ActorSystem(mode=mode, seed=self.seed, inspect=self.inspect)
        with _expected_failures_unlogged(), system:
            tempo = self._tempo()
            books = self._build(system, tempo)
            with self._view(console, system, books) as view:
                people = People(system, self.service, self._decide(view, console), tempo.thought)
                play(system, books, people, tempo.longest, view.look)
        view.end()
        return books

    def _build(self, system: ActorSystem, tempo: Tempo) -> Books:
        return build(
            system,
            self.service,
            seed=self.seed,
            fault=self.fault,
            tempo=tempo,
            pace=self.pace,
            blocking=self.real,
        )

    def _tempo(self) -> Tempo:
        tempo = Tempo().paced(self.pace)
        if not (self.real and self.approve == ASK):
            return tempo
        # Somebody reads and types, which takes the same time at any pace.
        more = max(0.0, TIME_TO_ASK - tempo.deadline)
        return evolve(tempo, deadline=tempo.deadline + more, longest=tempo.longest + more)

    def _view(self, console: Console, system: ActorSystem, books: Books) -> Screen | Teller:
        if self.live and console.is_terminal and not console.quiet:
            return Screen(console, system, books)
        return Teller(console, books)

    def _decide(self, view: Screen | Teller, console: Console) -> Decide:
        def ask_aside(question: Question) -> Answer:
            with view.aside():
                return ask(question, err=console.stderr)

        return POLICIES.get(self.approve, ask_aside)


@contextmanager
def _expected_failures_unlogged() -> Generator[None, None, None]:
    """The fixer's failures are the story itself, and told there. What raises is logged as ever."""
    logger = logging.getLogger(f"choreia.agent.{FIXER}")
    logger.addFilter(_has_traceback)
    try:
        yield
    finally:
        logger.removeFilter(_has_traceback)


def _has_traceback(record: logging.LogRecord) -> bool:
    return record.exc_info is not None
