"""From measurements to what is claimed: medians, ratios pair by pair, reached or not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from attrs import frozen

from choreia.bench.runner import Measurement
from choreia.bench.sample import EXTRAS
from choreia.bench.workload import Side, Workload


@frozen
class Spread:
    """The median of some numbers, the smallest and the largest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, numbers: Sequence[float]) -> Spread | None:
        """None when there are no numbers."""
        return cls(median(numbers), min(numbers), max(numbers)) if numbers else None


@frozen
class Finding:
    """One number of a workload besides its rate, for each side that has it."""

    name: str
    choreia: Spread | None
    peer: Spread | None
    ceiling: float | None

    @property
    def met(self) -> bool | None:
        """Whether Choreia's median stays within the ceiling; None when there is none."""
        if self.ceiling is None or self.choreia is None:
            return None
        return self.choreia.median <= self.ceiling


@frozen
class Summary:
    """What all rounds of one workload say. Rates are units per second."""

    workload: Workload
    choreia: Spread | None
    peer: Spread | None
    ratio: Spread | None
    findings: tuple[Finding, ...]
    errors: tuple[str, ...]

    @property
    def met(self) -> bool | None:
        """Whether the median ratio is in reach; None when there is nothing to reach."""
        if self.workload.reach is None or self.ratio is None:
            return None
        return self.ratio.median >= self.workload.reach


def summarise(workload: Workload, measurements: Iterable[Measurement]) -> Summary:
    """Sum up the measurements of one workload; those that failed count as errors only."""
    made = list(measurements)
    return Summary(
        workload=workload,
        choreia=Spread.of(_rates(made, workload.choreia)),
        peer=Spread.of(_rates(made, workload.peer)),
        ratio=Spread.of(_ratios(made, workload)),
        findings=tuple(_findings(made, workload)),
        errors=tuple(dict.fromkeys(m.error for m in made if m.error)),
    )


def _rates(made: Iterable[Measurement], side: Side | None) -> list[float]:
    return [m.sample.rate for m in made if m.side is side and m.sample is not None]


def _ratios(made: Iterable[Measurement], workload: Workload) -> list[float]:
    """Choreia's rate over its peer's in the same round, so that slow minutes cancel out."""
    rates = {(m.side.library, m.round): m.sample.rate for m in made if m.sample is not None}
    pairs = (
        (rate, rates.get((workload.peer.library, number), 0.0))
        for (library, number), rate in rates.items()
        if workload.peer is not None and library == workload.choreia.library
    )
    return [ours / theirs for ours, theirs in pairs if theirs]


def _findings(made: Sequence[Measurement], workload: Workload) -> Iterable[Finding]:
    for name in EXTRAS:
        ours = Spread.of(_extras(made, workload.choreia, name))
        theirs = Spread.of(_extras(made, workload.peer, name))
        if ours is not None or theirs is not None:
            yield Finding(name, ours, theirs, workload.ceilings.get(name))


def _extras(made: Iterable[Measurement], side: Side | None, name: str) -> list[float]:
    samples = (m.sample for m in made if m.side is side and m.sample is not None)
    return [sample.extras[name] for sample in samples if name in sample.extras]
