"""What of a large case is shown: of many events with one cause the first and the last, and how many
are between them. Nothing is left out without being counted."""

from __future__ import annotations

import attrs

from choreia.runtime.insight.trace import Hop, Trace

SIBLINGS = 10
ENDS = 4
"""Of more than `SIBLINGS` with one cause, so many at each end are shown."""
MOST = 400
"""Events that are shown of a case."""


@attrs.frozen
class Gap:
    """Stands for what is not shown."""

    depth: int
    events: int


Shown = Hop | Gap


def cut(trace: Trace, most: int = MOST) -> list[Shown]:
    """The tree, in its order."""
    effects: dict[int | None, list[Hop]] = {}
    for hop in trace.hops:
        effects.setdefault(hop.cause, []).append(hop)
    below = _sizes(trace)
    shown: list[Shown] = []
    waiting = _siblings(effects.get(None, []), below)
    while waiting:
        entry = waiting.pop()
        shown.append(entry)
        if isinstance(entry, Hop):
            waiting += _siblings(effects.get(entry.number, []), below)
    if len(shown) <= most:
        return shown
    half = most // 2
    left_out = sum(entry.events if isinstance(entry, Gap) else 1 for entry in shown[half:-half])
    return [*shown[:half], Gap(0, left_out), *shown[-half:]]


def cut_in_order(trace: Trace, most: int = MOST) -> list[Shown]:
    """The same events in the order of the log, for a sequence."""
    shown: list[Shown] = []
    last = 0
    hops = (entry for entry in cut(trace, most) if isinstance(entry, Hop))
    for hop in sorted(hops, key=lambda hop: hop.number):
        if hop.number > last + 1:
            shown.append(Gap(0, hop.number - last - 1))
        shown.append(hop)
        last = hop.number
    if last < len(trace.hops):
        shown.append(Gap(0, len(trace.hops) - last))
    return shown


def _siblings(hops: list[Hop], below: dict[int, int]) -> list[Shown]:
    """In reverse, for a stack."""
    if len(hops) <= SIBLINGS:
        return [*reversed(hops)]
    middle = hops[ENDS:-ENDS]
    gap = Gap(middle[0].depth, sum(below[hop.number] for hop in middle))
    return [*reversed(hops[-ENDS:]), gap, *reversed(hops[:ENDS])]


def _sizes(trace: Trace) -> dict[int, int]:
    """How many events each event stands for: itself, and all below it."""
    sizes = dict.fromkeys((hop.number for hop in trace.hops), 1)
    for hop in reversed(trace.hops):  # effects come behind their causes
        if hop.cause is not None:
            sizes[hop.cause] += sizes[hop.number]
    return sizes
