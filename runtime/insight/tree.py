"""A trace as indented lines of plain text, harmless to a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from choreia.runtime.events.display import plain
from choreia.runtime.insight.cutting import Gap, cut
from choreia.runtime.insight.naming import speaker
from choreia.runtime.insight.story import State
from choreia.runtime.insight.trace import Hop, Trace
from choreia.runtime.insight.wording import (
    WENT_WRONG,
    duration,
    headline,
    not_shown,
    standing,
    waiting,
    what,
)

DEEPEST = 20
"""Levels of indentation: a chain of causes may have a thousand links."""
WIDEST = 400
AGENTS = 12
"""Names of receivers on one line."""


def tree(trace: Trace, *, times: bool = True) -> str:
    """The lines, each ended by a line break. Without `times` nothing in it tells how long."""
    return "".join(f"{plain(line, WIDEST)}\n" for line in _lines(trace, times=times))


def _lines(trace: Trace, *, times: bool) -> Iterator[str]:
    yield f"case {trace.case}: {headline(trace, times=times)}"
    for entry in cut(trace):
        if isinstance(entry, Gap):
            yield f"{_indent(entry.depth)}{not_shown(entry.events)}"
        else:
            yield from _of_hop(entry, times=times)
    for timer in trace.timers:
        yield waiting(timer, trace, times=times)


def _of_hop(hop: Hop, *, times: bool) -> Iterator[str]:
    event = hop.recorded.event
    line = f"{hop.number} {event.type} {what(hop.recorded)}, from {speaker(event.source)[:80]}"
    if times and hop.latency is not None:
        line += f", +{duration(hop.latency)}"
    handled = [one.agent for one in hop.deliveries if one.state is State.HANDLED]
    if handled:
        line += f" → {_names(handled)}"
    indent = _indent(hop.depth)
    yield indent + line
    if hop.further:
        yield f"{indent}    also caused by {_names([str(one) for one in hop.further])}"
    if hop.elsewhere:
        yield f"{indent}    caused by what is not in this case: {_names([*hop.elsewhere])}"
    for one in hop.deliveries:
        if one.state is not State.HANDLED:
            sign = "✗" if one.state in WENT_WRONG else "…"
            passive = ", which only looks on" if one.passive else ""
            yield f"{indent}    {sign} {one.agent}{passive}: {standing(one)}"


def _names(names: list[str]) -> str:
    if len(names) <= AGENTS:
        return ", ".join(names)
    return f"{', '.join(names[:AGENTS])} and {len(names) - AGENTS:,} more"


def _indent(depth: int) -> str:
    if depth <= DEEPEST:
        return "  " * depth
    return "  " * DEEPEST + f"({depth} levels deep) "
