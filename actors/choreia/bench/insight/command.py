"""``choreia bench insight``."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median

import click
from rich.console import Console
from rich.table import Table

from choreia.bench.insight.loads import EVENTS, LOADS, Load, Took, sample
from choreia.bench.machine import this_machine

Figures = dict[str, object]
Round = tuple[Took, Took]
"""With remembering, and without."""


@click.command("insight")
@click.option("--rounds", type=click.IntRange(1), default=21, show_default=True)
@click.option("--short", is_flag=True, help="One tiny round: shows that everything runs.")
@click.option("--json", "path", type=click.Path(dir_okay=False, path_type=Path))
def command(rounds: int, short: bool, path: Path | None) -> None:
    """What it costs deliveries that the system remembers: ActorSystem() beside
    ActorSystem(remember=0), in turn, in one process.

    Told are medians of the rounds; of the ratio too, whose two sides are of one round.
    """
    console = Console()
    machine = this_machine()
    console.print(str(machine), highlight=False)
    figures: Figures = {"machine": str(machine), "rounds": 1 if short else rounds}
    table = Table("", "µs", "remembering", "ratio", "on the wall")
    for load in LOADS:
        made = _rounds(load, 1 if short else rounds, short=short)
        figures[load.name] = told = _figures(made)
        table.add_row(
            load.what,
            f"{told['µs']:.2f}",
            f"{told['µs remembering']:.2f}",
            f"{told['ratio']:.3f}",
            f"{told['ratio on the wall']:.3f}",
        )
    console.print(table)
    if path is not None:
        path.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n")


def _rounds(load: Load, rounds: int, *, short: bool) -> list[Round]:
    events = 10 if short else EVENTS[load.name]
    made: list[Round] = []
    for number in range(rounds):
        if number % 2:  # who comes second has the worse of some things, and the better of others
            without = sample(load, remember=False, events=events)
            made.append((sample(load, remember=True, events=events), without))
        else:
            remembering = sample(load, remember=True, events=events)
            made.append((remembering, sample(load, remember=False, events=events)))
    return made


def _figures(made: list[Round]) -> dict[str, float]:
    """Medians."""
    return {
        "µs": median(without.processor for _, without in made) * 1e6,
        "µs remembering": median(remembering.processor for remembering, _ in made) * 1e6,
        "ratio": median(one.processor / other.processor for one, other in made),
        "ratio on the wall": median(one.wall / other.wall for one, other in made),
    }
