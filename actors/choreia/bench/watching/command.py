"""``choreia bench watching``."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median

import click
from rich.console import Console
from rich.table import Table

from choreia.bench.machine import this_machine
from choreia.bench.watching.loads import AGENTS, EVERY, WAYS, Took, sample

HOPS = 10_000
"""Of each of the events that go round."""
SECONDS = 4.0
"""At rest."""


@click.command("watching")
@click.option("--rounds", type=click.IntRange(1), default=9, show_default=True)
@click.option("--short", is_flag=True, help="One tiny round: shows that everything runs.")
@click.option("--json", "path", type=click.Path(dir_okay=False, path_type=Path))
def command(rounds: int, short: bool, path: Path | None) -> None:
    """What it costs a system to be looked at, beside one that is not, and beside asking its agents.

    In turn, in one process; who looks is another. Told are medians of the rounds, in processor
    time of the system's process; ratios are of one round.
    """
    console, machine = Console(), this_machine()
    console.print(str(machine), highlight=False)
    rounds = 1 if short else rounds
    hops, seconds = (10, 0.1) if short else (HOPS, SECONDS)
    made = [_round(number, hops, seconds) for number in range(rounds)]
    figures = {way: _figures(made, way) for way in WAYS}
    title = f"{AGENTS} agents, {1 / EVERY:g} looks a second"
    table = Table("", "a hop, µs", "to alone", "at rest, of a core", "the sampler", title=title)
    for way, told in figures.items():
        table.add_row(
            way,
            f"{told['hop, µs']:.2f}",
            f"{told['ratio']:.3f}",
            f"{told['at rest']:.2%}",
            f"{told['sampler']:.2%}" if told["sampler"] else "",
        )
    console.print(table)
    if path is not None:
        said = {"machine": str(machine), "rounds": rounds, **figures}
        path.write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n")


def _round(number: int, hops: int, seconds: float) -> dict[str, Took]:
    """Every way once; who comes first, changes."""
    first = number % len(WAYS)
    return {way: sample(way, hops=hops, seconds=seconds) for way in WAYS[first:] + WAYS[:first]}


def _figures(made: list[dict[str, Took]], way: str) -> dict[str, float]:
    """Medians."""
    return {
        "hop, µs": median(one[way].hop for one in made) * 1e6,
        "ratio": median(one[way].hop / one["alone"].hop for one in made),
        "at rest": median(one[way].rest for one in made),
        "sampler": median(one[way].sampler for one in made),
    }
