"""``choreia bench keys``."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs
import click
from rich.console import Console
from rich.table import Table

from choreia.bench.keys.family import (
    AWAKE,
    HEARD,
    Counter,
    Forgetful,
    Tenth,
    come_and_go,
    replaying,
    wakings,
)
from choreia.bench.machine import this_machine

Figures = dict[str, object]


@click.command("keys")
@click.option("--keys", type=click.IntRange(100), default=1_000_000, show_default=True)
@click.option("--samples", type=click.IntRange(20), default=2_000, show_default=True)
@click.option("--store", is_flag=True, help="Only with a store (SQLite).")
@click.option("--short", is_flag=True, help="Few keys: shows that everything runs.")
@click.option("--json", "path", type=click.Path(dir_okay=False, path_type=Path))
def command(keys: int, samples: int, store: bool, short: bool, path: Path | None) -> None:
    """Wake very many keys, of which few are awake at a time: memory, waking, folding."""
    heard = HEARD
    if short:
        keys, samples, heard = 1_000, 30, 10
    console = Console()
    machine = this_machine()
    console.print(f"{keys:,} keys, {AWAKE:,} awake at most; {machine}", highlight=False)
    figures: Figures = {"machine": str(machine), "keys": keys}
    with TemporaryDirectory(prefix="choreia-bench-") as folder:
        for kind in ("sqlite",) if store else ("no store", "sqlite"):
            where = None if kind == "no store" else Path(folder) / "keys.db"
            figures[kind] = _come_and_go(console, kind, where, keys)
        figures["waking"] = _wakings(console, Path(folder), samples, heard)
        rate = replaying(Path(folder) / "replay.db", 2_000 if short else 50_000)
        console.print(f"a state is folded from {rate:,.0f} events a second")
        figures["folded a second"] = rate
    if path is not None:
        path.write_text(json.dumps(figures, indent=2) + "\n")


def _come_and_go(console: Console, kind: str, where: Path | None, keys: int) -> Figures:
    table = Table("keys", "seconds", "MB", "awake", title=f"keys come and go, {kind}")
    tenths: list[Tenth] = []
    for tenth in come_and_go(where, keys):
        tenths.append(tenth)
        table.add_row(
            f"{tenth.keys:,}", f"{tenth.seconds:.1f}", f"{tenth.megabytes:.0f}", f"{tenth.awake:,}"
        )
    console.print(table)
    first, last = tenths[0], tenths[-1]
    each = (last.megabytes - first.megabytes) * 1e6 / (last.keys - first.keys)
    console.print(f"{each:,.0f} bytes per key that sleeps; {last.keys / last.seconds:,.0f} keys/s")
    return {"tenths": [attrs.asdict(one) for one in tenths], "bytes per sleeping key": each}


def _wakings(console: Console, folder: Path, samples: int, heard: int) -> Figures:
    table = Table(
        "", "p50 ms", "p99 ms", title=f"an event for a key that sleeps, {heard} before it"
    )
    figures: Figures = {}
    for name, where, kind in (
        ("no store", None, Counter),
        ("sqlite, with snapshots", folder / "with.db", Counter),
        ("sqlite, without", folder / "without.db", Forgetful),
    ):
        took = wakings(where, kind, samples, heard)
        p50, p99 = took[len(took) // 2] * 1_000, took[len(took) * 99 // 100] * 1_000
        table.add_row(name, f"{p50:.2f}", f"{p99:.2f}")
        figures[name] = {"p50 ms": p50, "p99 ms": p99}
    console.print(table)
    return figures
