"""``choreia demo library``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click
from attrs import frozen
from rich.console import Console

from choreia import ActorSystem, DemoError, MemoryStore
from choreia.actors.keeping import open_store
from choreia.demos.inspected import Served, inspected
from choreia.demos.library.choreography import arrive, ask, build, deliver
from choreia.demos.library.conversation import BUDGET
from choreia.demos.library.embedders import EMBEDDERS
from choreia.demos.library.live import Screen
from choreia.demos.library.models.base import Model
from choreia.demos.library.models.scripted import ScriptedModel
from choreia.demos.library.past import before_last_run, remembered, users
from choreia.demos.library.report import introduce, recall, report, verdict
from choreia.demos.library.result import Outcome, outcome, to_json
from choreia.demos.library.script import GUEST, Visit, visits
from choreia.demos.library.sources import Corpus, folder, topics
from choreia.demos.results import STDOUT, write
from choreia.runtime.stores.base import EventStore

LAST_RUN = "last-run"


@frozen
class Wanted:
    """What was asked for on the command line."""

    docs: Path | None
    embedder: str
    user: str | None
    ask: tuple[str, ...]
    as_of: str | None
    store: Path | None
    seed: int | None
    model_url: str | None
    model: str
    budget: int
    target: Path | None
    quiet: bool
    inspect: Served

    def llm(self) -> Model:
        """Raises `DemoError` when it cannot be had."""
        if self.model_url is None:
            return ScriptedModel()
        if self.seed is not None:
            raise DemoError(
                "--seed runs in virtual time, in which no real model answers: leave out --seed or "
                "--model-url"
            )
        from choreia.demos.library.models.openai import OpenAIModel

        return OpenAIModel.from_environment(self.model_url, self.model)

    def corpus(self) -> Corpus:
        return topics() if self.docs is None else folder(self.docs)

    def visits(self) -> tuple[Visit, ...]:
        return visits(self.user, self.ask, folder=self.docs is not None)


_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("library")
@click.option(
    "--docs",
    type=click.Path(file_okay=False, path_type=Path),
    help="Read the text files under this folder, instead of Python's help topics.",
)
@click.option("--user", help="Who comes in. Without --ask: only to be greeted.")
@click.option("--ask", multiple=True, metavar="TEXT", help="Ask this. May be given several times.")
@click.option("--store", type=_FILE, help="Keep everything in this file, for the next time.")
@click.option(
    "--as-of",
    metavar="POSITION|last-run",
    help="Only show what --user (or everybody) had asked by then: up to a position in the log, or "
    "before the last run began.",
)
@click.option(
    "--embedder",
    type=click.Choice(list(EMBEDDERS)),
    default="hashed",
    show_default=True,
    help="What makes texts comparable.",
)
@click.option(
    "--model-url",
    metavar="URL",
    help="Have a model answer, by the OpenAI protocol: http://localhost:8000/v1. The key is taken "
    "from OPENAI_API_KEY. Needs the extra: pip install 'choreia[llm]'.",
)
@click.option("--model", default="default", show_default=True, metavar="NAME", help="Which one.")
@click.option(
    "--budget",
    type=click.IntRange(0),
    default=BUDGET,
    show_default=True,
    help="Tokens for each user; who has spent them is refused.",
)
@click.option("--seed", type=int, help="On one thread, in an order that follows from it.")
@click.option(
    "--json",
    "target",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="Write the outcome to this file; - is standard output.",
)
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@inspected
@click.pass_context
def command(context: click.Context, /, **options: Any) -> None:
    """Documents become a memory, and conversations remember.

    Reads Python's own help topics, answers questions from them, and says where each answer
    stands. With --store FILE a second run indexes nothing again, and knows who asked what.

    Exits with 1 if documents, passages and answers do not add up.
    """
    wanted = Wanted(**options)
    console = Console(stderr=wanted.target == STDOUT, quiet=wanted.quiet)
    if wanted.as_of is not None:
        _look_back(wanted, console)
        return
    result = _run(wanted, console)
    report(console, result)
    if wanted.target is not None:
        write(wanted.target, to_json(result))
    if not result.adds_up:
        if wanted.quiet:
            Console(stderr=True).print(verdict(result.checks))
        context.exit(1)


def _run(wanted: Wanted, console: Console) -> Outcome:
    corpus, model, embedder = wanted.corpus(), wanted.llm(), EMBEDDERS[wanted.embedder]()
    introduce(console, corpus, stored=wanted.store is not None)
    store = wanted.store or MemoryStore()
    mode: Literal["threads", "simulated"] = "threads" if wanted.seed is None else "simulated"
    with ActorSystem(mode=mode, seed=wanted.seed, store=store, inspect=wanted.inspect) as system:
        after = system.store.head
        come = wanted.visits()
        build(system, embedder=embedder, model=model, budget=wanted.budget)
        with Screen(console, system) as screen:
            delivered = deliver(system, corpus, embedder)
            screen.rest()  # who asks before all is indexed gets what there is
            _converse(system, come)
            screen.rest()
        letters = system.dead_letters()
        return outcome(system.store, corpus, delivered, after, letters)


def _converse(system: ActorSystem, come: tuple[Visit, ...]) -> None:
    """All come in, and ask one after the other without waiting for answers."""
    for visit in come:
        arrive(system, visit.user)
    for visit in come:
        for question in visit.questions:
            ask(system, visit.user, question)


def _look_back(wanted: Wanted, console: Console) -> None:
    if wanted.store is None:
        raise click.UsageError("--as-of looks into the past of a store: name it with --store FILE")
    store = open_store(wanted.store, "full", 0, readonly=True)
    try:
        position = _position(wanted.as_of or "", store)
        for user in [wanted.user] if wanted.user else users(store) or [GUEST]:
            memory = remembered(store, user, position)
            recall(console, user, memory, position)
    finally:
        store.close()


def _position(as_of: str, store: EventStore) -> int:
    if as_of == LAST_RUN:
        return before_last_run(store)
    if not as_of.isascii() or not as_of.isdigit() or len(as_of) > 18:
        raise click.BadParameter(f"give a position in the log, or {LAST_RUN}", param_hint="--as-of")
    return min(int(as_of), store.head)
