"""What happened, as a tree: each event under the one that caused it, in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import attrs

from choreia.actors.testing.own import FAILURES, counts
from choreia.actors.testing.recording import Record, Seen
from choreia.runtime.events.display import brief, plain
from choreia.runtime.events.event import Event
from choreia.runtime.events.topic import TopicPattern

SIBLINGS = 10
"""Of more events with one cause, the first and the last few are shown."""
ENDS = 4
LINES = 120
EVERYTHING = TopicPattern("#")
DEEPEST = 20
"""Levels of indentation: a chain of causes may have a thousand links."""


@attrs.define(eq=False)
class _Node:
    seen: Seen
    depth: int = 0
    cause: _Node | None = None
    effects: list[_Node] = attrs.Factory(list)


def causal_tree(record: Record, asked_for: TopicPattern | None = None) -> list[str]:
    """The lines of the tree. The runtime's own events are left out, unless they tell of a failure,
    or `asked_for` names them."""
    shown = [seen for seen in record.since() if _is_shown(seen.event, asked_for)]
    lines = [_line(entry, record) for entry in _walk(_grow(shown))]
    if len(lines) > LINES:
        half = LINES // 2
        lines[half:-half] = [f"… {len(lines) - 2 * half} more lines …"]
    return lines


def causal_chain(record: Record, event: Event) -> list[str]:
    """The lines from the first cause of `event` down to it."""
    by_id = {seen.event.id: seen for seen in record.since()}
    chain: dict[str, Seen] = {}
    at: str | None = event.id
    # Not for ever: an event from outside may name any cause, also its effect.
    while at is not None and at not in chain and (seen := by_id.get(at)) is not None:
        chain[at] = seen
        at = seen.event.metadata.causation_id
    down = list(reversed(chain.values()))
    return [_line(_Node(seen, depth), record) for depth, seen in enumerate(down)]


def describe(seen: Seen, record: Record) -> str:
    """One event on one line, safe for a terminal: type, payload, who, when."""
    return f"{said(seen.event)}, {_who(seen.event, record)}, at {seconds(seen.at)}"


def said(event: Event) -> str:
    """What an event says, short: its type and payload. Of a dead letter, what became of what."""
    if event.type != "event.dead_lettered":
        return f"{event.type} {brief(event.payload, 80)}"
    facts = event.payload
    error = f", {facts['error']}" if facts.get("error") else ""
    what = f"{facts.get('event_type')} at {facts.get('agent')} ({facts.get('reason')}{error})"
    return plain(f"{event.type}: {what}", 200)


def seconds(count: float) -> str:
    """``30 s``, ``0.25 s``: to the millisecond, without zeros."""
    return f"{count:.3f}".rstrip("0").rstrip(".") + " s"


def _is_shown(event: Event, asked_for: TopicPattern | None) -> bool:
    if event.type in FAILURES:
        return True
    return counts(EVERYTHING if asked_for is None else asked_for, event)


def _grow(shown: Sequence[Seen]) -> list[_Node]:
    """The roots: what nothing that is shown has caused."""
    nodes: dict[str, _Node] = {}
    roots: list[_Node] = []
    for seen in shown:
        nodes.setdefault(seen.event.id, _Node(seen))
    for node in nodes.values():
        cause = node.cause = nodes.get(node.seen.event.metadata.causation_id or "")
        (roots if cause is None else cause.effects).append(node)
    return roots + _cut_circles(nodes.values(), roots)


def _cut_circles(nodes: Iterable[_Node], roots: Iterable[_Node]) -> list[_Node]:
    """Roots of what no root leads to: an event from outside may name any cause, also its effect."""
    reached = {id(node) for node in _all_from(roots)}
    more: list[_Node] = []
    for node in nodes:
        if id(node) not in reached and node.cause is not None:
            node.cause.effects.remove(node)
            more.append(node)
            reached |= {id(found) for found in _all_from([node])}
    return more


def _all_from(nodes: Iterable[_Node]) -> Iterator[_Node]:
    """`nodes`, and all that they led to."""
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        yield node
        waiting += node.effects


def _walk(roots: list[_Node]) -> Iterator[_Node | tuple[int, int]]:
    """Depth first, without recursion; a tuple of depth and count stands for what is cut out."""
    waiting: list[_Node | tuple[int, int]] = list(reversed(_cut(roots, 0)))
    while waiting:
        entry = waiting.pop()
        yield entry
        if isinstance(entry, _Node):
            waiting += reversed(_cut(entry.effects, entry.depth + 1))


def _cut(siblings: list[_Node], depth: int) -> list[_Node | tuple[int, int]]:
    for node in siblings:
        node.depth = depth
    if len(siblings) <= SIBLINGS:
        return [*siblings]
    middle = siblings[ENDS:-ENDS]
    return [*siblings[:ENDS], (depth, len(list(_all_from(middle)))), *siblings[-ENDS:]]


def _line(entry: _Node | tuple[int, int], record: Record) -> str:
    if isinstance(entry, tuple):
        depth, count = entry
        return f"{_indent(depth)}… {count} more events …"
    return f"{_indent(entry.depth)}{describe(entry.seen, record)}"


def _indent(depth: int) -> str:
    if depth <= DEEPEST:
        return "  " * depth
    return "  " * DEEPEST + f"({depth} levels deep) "


def _who(event: Event, record: Record) -> str:
    parts = event.source.split(":")
    ours = event.source.startswith("did:choreia:") and len(parts) == 4
    name = plain(parts[-1] if ours else event.source, 60)
    if not record.is_simulated(event):
        return f"from {name}"
    return "simulated" if name == "outside" else f"simulated as {name}"
