"""``choreia bench store``."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import attrs
import click
from rich.console import Console
from rich.table import Table

from choreia.bench.machine import this_machine
from choreia.bench.storing import long, ours, peers

Measure = Callable[[Path, int], float]


@attrs.frozen
class Comparison:
    """Two figures of one kind, measured in turn."""

    name: str
    unit: str
    ours: Measure
    peer: Measure
    library: str
    share: int
    """Of the events, how many: what is slow takes fewer."""


EVENTSOURCING = "eventsourcing"
COMPARISONS = (
    Comparison(
        "publish, 8 producers with 256 each", "events/s", ours.publishing, peers.raw_publishing,
        "sqlite3", 1,
    ),
    Comparison(
        "publish, handle, emit: 64 agents", "turns/s", partial(ours.turns, agents=64),
        peers.raw_publishing, "sqlite3", 1,
    ),
    Comparison(
        "publish, handle, emit: 1 agent", "turns/s", partial(ours.turns, agents=1),
        peers.raw_publishing, "sqlite3", 1,
    ),
    Comparison(
        "append, 1,000 a commit", "events/s", ours.appending, peers.eventsourcing_appending,
        EVENTSOURCING, 1,
    ),
    Comparison(
        "replay as objects", "events/s", ours.replaying, peers.eventsourcing_replaying,
        EVENTSOURCING, 1,
    ),
    Comparison(
        "one publish at a time", "ms", ours.one_by_one, peers.raw_one_by_one, "sqlite3", 64,
    ),
    Comparison("one publish at a time", "ms", ours.one_by_one, peers.fsync, "the disk", 64),
)  # fmt: skip


@click.command("store")
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True)
@click.option(
    "--events", type=click.IntRange(2_048), default=64_000, show_default=True, help="Per figure."
)
@click.option(
    "--long",
    "length",
    type=click.IntRange(10_000),
    metavar="N",
    help="Instead: write a log of N events, and see that nothing gets slower or larger.",
)
@click.option("--short", is_flag=True, help="One tiny round: shows that everything runs.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="Where to write: another disk.",
)
@click.option(
    "--json", "target", type=click.Path(dir_okay=False, path_type=Path), help="Keep the figures."
)
@click.pass_context
def command(
    context: click.Context,
    rounds: int,
    events: int,
    length: int | None,
    short: bool,
    folder: Path | None,
    target: Path | None,
) -> None:
    """Measure durable events, side by side with sqlite3 and the eventsourcing library."""
    if length is not None:
        found = long.measure(length, folder)
        long.show(found)
        context.exit(bool(found.faults))
    if short:
        rounds, events = 1, 4_096
    rows = [
        _measure(one, rounds, events, folder)
        for one in COMPARISONS
        if one.library != EVENTSOURCING or find_spec(EVENTSOURCING)
    ]
    table = Table("", "choreia", "peer", "", "ratio", title="medians; more is better, but for ms")
    for row in rows:
        table.add_row(
            str(row["name"]), f"{_shown(row['choreia'])} {row['unit']}", _shown(row["peer"]),
            str(row["library"]), f"{row['ratio']:.2f}",
        )  # fmt: skip
    Console().print(table)
    if target is not None:
        facts = attrs.asdict(this_machine()) | {"sqlite": sqlite3.sqlite_version}
        document = {"machine": facts, "events": events, "rounds": rounds, "figures": rows}
        target.write_text(json.dumps(document, indent=2, default=str) + "\n")


def _shown(figure: str | float) -> str:
    return f"{figure:,.0f}" if float(figure) >= 100 else f"{figure:.3g}"


def _measure(
    one: Comparison, rounds: int, events: int, folder: Path | None
) -> dict[str, str | float]:
    found: list[tuple[float, float]] = []
    count = max(64, events // one.share)
    for _ in range(rounds):
        pair: list[float] = []
        for measure in (one.ours, one.peer):
            with TemporaryDirectory(dir=folder, prefix="choreia-bench-") as scratch:
                pair.append(measure(Path(scratch), count))
        found.append((pair[0], pair[1]))
    return {
        "name": one.name,
        "unit": one.unit,
        "library": one.library,
        "choreia": median(pair[0] for pair in found),
        "peer": median(pair[1] for pair in found),
        "ratio": median(pair[0] / pair[1] for pair in found),
    }
