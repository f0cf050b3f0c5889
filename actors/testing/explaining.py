"""What a failed expectation tells: what was expected, what came near, when, and what happened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import attrs

from choreia.actors.testing.matching import Expectation, Judgement
from choreia.actors.testing.recording import Record, Seen
from choreia.actors.testing.tree import causal_chain, causal_tree, describe, seconds
from choreia.runtime.delivery.deadletter import name_error
from choreia.runtime.delivery.failure import Failure
from choreia.runtime.events.display import plain

if TYPE_CHECKING:
    from choreia.runtime.events.topic import TopicPattern

NEAREST = 3
OTHER_TYPE = 1_000
"""Counts as this many faults: an event of the right type is always nearer."""


@attrs.frozen
class Circumstances:
    """Where and when: for the end of every message."""

    record: Record
    virtual: bool
    repeat: str
    """How to have the same run again; in words."""
    failures: Sequence[Failure] = ()
    """The attempts of handlers that have failed; it grows."""
    going_on: Callable[[], Sequence[str]] = tuple
    """What does not go on by itself, a line each."""

    def clock(self) -> str:
        kind = "virtual" if self.virtual else "real"
        return f"at {seconds(self.record.now())} of {kind} time; {self.repeat}"

    def within(self, within: float) -> str:
        kind = "virtual" if self.virtual else "real"
        return f"within {seconds(within)} of {kind} time"

    def story(self, asked_for: TopicPattern | None = None) -> list[str]:
        """The clock, and all that happened."""
        tree = causal_tree(self.record, asked_for) or ["nothing"]
        lines = ["", self.clock(), "", "what happened:", *_indented(tree)]
        if self.failures:
            lines += ["", "handlers that raised:", *_indented(_few(self._raised()))]
        if going_on := list(self.going_on()):
            lines += ["", "still going on:", *_indented(_few(going_on))]
        return lines

    def _raised(self) -> list[str]:
        return [
            plain(
                f"{one.where} of {one.agent}, attempt {one.attempt}"
                f"{f' at {one.event.type}' if one.event else ''}: {name_error(one.error)}"
            )
            for one in self.failures
        ]


@attrs.frozen
class NearMiss:
    """An event that is not what was expected, but looks like it."""

    seen: Seen
    faults: tuple[str, ...]
    weight: int
    """The less, the nearer."""


def near_misses(
    expectation: Expectation, judged: Iterable[tuple[Seen, Judgement]]
) -> list[NearMiss]:
    """The nearest, `NEAREST` at most, the nearest of them first."""
    found: list[NearMiss] = []
    for seen, judgement in judged:
        if judgement.type_fits:
            found.append(NearMiss(seen, judgement.faults, len(judgement.faults)))
        elif expectation.has_payload_of(seen.event):
            fault = f"type: expected {expectation.pattern}, got {seen.event.type}"
            found.append(NearMiss(seen, (fault,), OTHER_TYPE))
    return sorted(found, key=lambda miss: miss.weight)[:NEAREST]


def not_published(
    expectation: Expectation,
    within: float,
    judged: Sequence[tuple[Seen, Judgement]],
    where: Circumstances,
    notes: Sequence[str] = (),
) -> str:
    """Why `expect` failed. `judged` is all that counted; `notes` what would have fit and does not
    count."""
    lines = [f"expected {where.within(within)}: {expectation.text}"]
    lines += ["but it was not published", *notes]
    lines += _near(near_misses(expectation, judged), where.record)
    return "\n".join([*lines, *where.story(expectation.pattern)])


def published(
    expectation: Expectation, within: float, seen: Seen, fault: str | None, where: Circumstances
) -> str:
    """Why `expect_no` failed: `seen` is what should not be, or, with `fault`, may not be."""
    lines = [f"not expected {where.within(within)}: {expectation.text}"]
    if fault is None:
        lines += ["but it was published:"]
    else:
        lines += [f"it cannot be told of this event, since {fault}:"]
    lines += _indented(causal_chain(where.record, seen.event))
    return "\n".join([*lines, "", where.clock()])


def sequence_broken(
    steps: Sequence[Expectation],
    met: Sequence[Seen],
    within: float,
    judged: Sequence[tuple[Seen, Judgement]],
    earlier: Seen | None,
    where: Circumstances,
) -> str:
    """Why `expect_sequence` failed: how far it got, and what came instead of the next step."""
    lines = [f"expected in this order, {where.within(within)}:"]
    record = where.record
    for number, step in enumerate(steps):
        mark, note = "  ", ""
        if number < len(met):
            mark, note = "✓ ", f"  ({describe(met[number], record)})"
        elif number == len(met):
            mark, note = "✗ ", "  (did not come)"
        lines.append(f"  {mark}{number + 1}. {step.text}{note}")
    if earlier is not None:
        lines.append(f"it did come, but too early: {describe(earlier, record)}")
    step = steps[len(met)]
    lines += _near(near_misses(step, judged), record)
    came = [describe(seen, record) for seen, _ in judged]
    lines += ["", "what came instead:", *_indented(_few(came) or ["nothing"])]
    return "\n".join([*lines, *where.story(step.pattern)])


def _near(misses: Sequence[NearMiss], record: Record) -> list[str]:
    if not misses:
        return []
    lines = ["", "nearest:"]
    for miss in misses:
        lines.append(f"  {describe(miss.seen, record)}")
        lines += [f"    {fault}" for fault in miss.faults[:10]]
        if len(miss.faults) > 10:
            lines.append(f"    … and {len(miss.faults) - 10} more")
    return lines


def _few(lines: list[str], most: int = 10) -> list[str]:
    if len(lines) <= most:
        return lines
    return [*lines[:most], f"… and {len(lines) - most} more"]


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" for line in lines]
