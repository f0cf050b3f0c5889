"""`choreia top` where nobody looks at a screen: the agents, once, for a pipe or a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import orjson

from choreia.console.terminal.screen import in_ascii
from choreia.runtime.errors import InspectionFailed, InspectionTimeout
from choreia.runtime.events.display import plain
from choreia.runtime.inspection.client import Client
from choreia.runtime.inspection.reading import amount_of, count_of, number_of, part_of, rows_of

SCHEMA: Final = "choreia.top/1"
APART: Final = 0.5
"""Seconds between the two snapshots that rates are made of."""
PATIENCE: Final = 10.0
"""Seconds for a snapshot to come."""
MOST: Final = 10_000
"""Agents that are listed."""
LONGEST: Final = 60
"""Characters of a name that are shown to people."""

Row = Mapping[str, object]
_HEADINGS: Final = (
    "agent", "state", "mailbox", "in/s", "out/s", "p95", "failed", "dropped", "restarts", "beat",
    "suspected",
)  # fmt: skip
_LEFT: Final = frozenset({"agent", "state", "suspected"})


def taken(client: Client) -> dict[str, object]:
    """The system and its agents, with rates. Raises what `Client.call` does."""
    first, last = _pictures(client)
    seconds = amount_of(last, "at") - amount_of(first, "at")
    before = {_who(row): row for row in rows_of(first, "agents")}
    system = part_of(last, "system")
    return {
        "schema": SCHEMA,
        "time": last.get("time"),
        "system": {**system, "pid": client.hello.get("pid")},
        "agents": [
            {**row, **_rates(before.get(_who(row)), row, seconds)}
            for row in rows_of(last, "agents")
        ],
    }


def _pictures(client: Client) -> tuple[Mapping[str, object], Mapping[str, object]]:
    """Two snapshots, a moment apart. A stream: how long handlers take is known only of one."""
    number = client.send("snapshot", every=APART, parts=["agents"], limit=MOST)
    found: list[Mapping[str, object]] = []
    while len(found) < 2:
        reply = client.receive(PATIENCE)
        if reply is None:
            raise InspectionTimeout(
                f"the system has not said for {PATIENCE:g} s how it is: it hangs, or the machine "
                "is busy; try again",
                seconds=PATIENCE,
            )
        if reply.id == number and reply.error is not None:
            raise InspectionFailed(plain(reply.error.message, 500), code=reply.error.code)
        if reply.id == number:
            found.append(reply.data)
    return found[0], found[1]


def _who(row: Row) -> tuple[object, object]:
    """An agent, until it begins anew."""
    return row.get("name"), row.get("incarnation")


def as_json(found: Mapping[str, object]) -> str:
    return orjson.dumps(found, option=orjson.OPT_INDENT_2).decode()


def as_json_lines(found: Mapping[str, object]) -> list[str]:
    """A line for each agent."""
    return [
        orjson.dumps({"schema": SCHEMA, "time": found.get("time"), **row}).decode()
        for row in rows_of(found, "agents")
    ]


def as_text(found: Mapping[str, object], *, ascii: bool) -> list[str]:
    """A table, with what the system does above it."""
    table = [_HEADINGS, *map(_cells, rows_of(found, "agents"))]
    columns = [[row[place] for row in table] for place in range(len(_HEADINGS))]
    aligned = [
        _aligned(column, left=name in _LEFT)
        for name, column in zip(_HEADINGS, columns, strict=True)
    ]
    lines = [_summary(found), "", *("  ".join(row).rstrip() for row in zip(*aligned, strict=True))]
    return [in_ascii(line) for line in lines] if ascii else lines


def _rates(before: Row | None, row: Row, seconds: float) -> Row:
    """Nothing is known of who was not there before, or has begun anew."""
    if before is None or seconds <= 0:
        return {"in_rate": None, "out_rate": None}
    return {
        name: round(max(0.0, amount_of(row, count) - amount_of(before, count)) / seconds, 2)
        for name, count in (("in_rate", "received"), ("out_rate", "emitted"))
    }


def _cells(row: Row) -> tuple[str, ...]:
    return (
        plain(str(row.get("name", "?")), LONGEST),
        plain(str(row.get("state", "?")), 20),
        f"{row.get('size', 0)}/{row.get('capacity') or '-'}",
        _rate(number_of(row, "in_rate")),
        _rate(number_of(row, "out_rate")),
        _seconds(number_of(row, "p95")),
        str(row.get("failed", 0)),
        str(row.get("dropped", 0)),
        str(max(0, count_of(row, "incarnation") - 1)),
        _seconds(number_of(row, "heartbeat_age")),
        plain(str(row.get("suspected") or ""), LONGEST),
    )


def _summary(found: Mapping[str, object]) -> str:
    system = part_of(found, "system")
    parts = [
        f"{plain(str(system.get('node', '?')), 40)}, process {system.get('pid', '?')}",
        f"up {_seconds(number_of(system, 'uptime'))}",
        f"agents {system.get('agents', 0)}",
        f"handled {system.get('handled', 0)}",
        f"failed {system.get('failed', 0)}",
        f"dropped {system.get('dropped', 0)}",
        f"dead letters {system.get('dead_letters', 0)}",
    ]
    return ", ".join(parts)


def _aligned(column: Sequence[str], *, left: bool) -> list[str]:
    width = max(map(len, column))
    return [text.ljust(width) if left else text.rjust(width) for text in column]


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    if seconds < 1:
        return f"{seconds * 1000:.1f}ms"
    return f"{seconds:.1f}s" if seconds < 120 else f"{seconds / 60:.0f}m"
