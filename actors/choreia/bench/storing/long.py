"""A long log: does anything get slower, or larger, with its length?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import attrs
import click

from choreia import Event, SqliteStore
from choreia.runtime.durable.journal import unit_of
from choreia.runtime.health.metrics import resident_bytes

TOGETHER = 1_000
PARTS = 10
SLOWER = 0.5
"""The last part must be written at least so fast as the first."""
LARGER = 64 * 2**20
"""Bytes by which the process may grow after the first part."""
QUERY = 0.1
"""Seconds that a query with a small answer may take."""


@attrs.frozen
class Long:
    """What was found."""

    rates: tuple[float, ...]
    """Events a second, part by part."""
    growth: int
    """Bytes, from the end of the first part to the end of the last."""
    queries: dict[str, float]
    """Seconds, medians."""
    bytes_per_event: float

    @property
    def faults(self) -> list[str]:
        found: list[str] = []
        if self.rates[-1] < SLOWER * self.rates[0]:
            found.append(f"{self.rates[-1]:,.0f}/s at the end, {self.rates[0]:,.0f}/s at first")
        if self.growth > LARGER:
            found.append(f"the process grew by {self.growth / 2**20:.0f} MiB")
        found += [f"{name} takes {s:.3f} s" for name, s in self.queries.items() if s > QUERY]
        return found


def measure(count: int, folder: Path | None) -> Long:
    """Append `count` events, and ask for few of them."""
    with TemporaryDirectory(dir=folder, prefix="choreia-bench-") as scratch:
        store = SqliteStore(Path(scratch) / "events.db")
        rates: list[float] = []
        settled = 0
        for part in range(PARTS):
            began, made = time.perf_counter(), 0
            for events in _batches(part * count // PARTS, (part + 1) * count // PARTS):
                store.commit([unit_of(events)], events[0].timestamp)
                made += len(events)
            rates.append(made / (time.perf_counter() - began))
            settled = settled or resident_bytes()
        queries = {name: _time(query) for name, query in _queries(store, count).items()}
        growth = resident_bytes() - settled
        size = store.info().bytes / count
        store.close()
    return Long(tuple(rates), growth, queries, size)


def _batches(first: int, last: int) -> Iterator[list[Event]]:
    for start in range(first, last, TOGETHER):
        yield [
            Event(
                f"order.kind{n % 7}",
                f"did:choreia:local:agent-{n % 50}",
                {"n": n, "note": "as many bytes as usual"},
                timestamp=1e9 + n,
                metadata={"correlationId": f"case-{n // 5}"},
            )
            for n in range(start, min(start + TOGETHER, last))
        ]


def _queries(store: SqliteStore, count: int) -> dict[str, Callable[[], object]]:
    middle = count // 2
    return {
        "the events of a case": lambda: list(store.read(correlation_id=f"case-{middle // 5}")),
        "a page from the middle": lambda: store.page(middle, 100),
        "a page of two types": lambda: list(
            islice(store.read(middle, pattern=["order.kind1", "order.kind5"]), 100)
        ),
        "a page of an agent": lambda: list(
            islice(store.read(middle, source="did:choreia:local:agent-7"), 100)
        ),
        "where a time is": lambda: store.position_at(1e9 + middle),
        "an event by its id": lambda: store.find("nobody"),
    }


def _time(query: Callable[[], object]) -> float:
    found: list[float] = []
    for _ in range(9):
        began = time.perf_counter()
        query()
        found.append(time.perf_counter() - began)
    return median(found)


def show(found: Long) -> None:
    click.echo("events/s, tenth by tenth: " + "  ".join(f"{rate:,.0f}" for rate in found.rates))
    click.echo(f"{found.bytes_per_event:.0f} bytes an event, with indexes")
    click.echo(f"the process grew by {found.growth / 2**20:.1f} MiB after the first tenth")
    for name, seconds in found.queries.items():
        click.echo(f"{1_000 * seconds:8.2f} ms  {name}")
    for fault in found.faults:
        click.echo(f"NOT FLAT  {fault}")
