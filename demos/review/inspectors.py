"""The analysts that look for faults."""

from __future__ import annotations

from collections.abc import Iterator

from choreia import Event, on
from choreia.demos.review.analyst import MAX_HOPS, Analyst
from choreia.demos.review.events import Award, FileJudged, FileMeasured, Finding, FindingRaised
from choreia.demos.review.faults import Fault, find_faults

MAX_FINDINGS = 500
"""The most findings of one file that are debated; more say nothing that these do not."""


class Inspector(Analyst):
    """Wins a file that was measured, and raises what it finds wrong, one by one."""

    job = "faults"
    capabilities = ("review.faults",)
    specializations = ("exceptions", "comparisons", "definitions", "flow")
    emits = ("bid.placed.faults", "file.awarded.*", FindingRaised, FileJudged)

    @on(FileMeasured)
    def hear_of_file(self, measured: FileMeasured) -> None:
        self.announced(measured)

    @on("file.awarded.{name}", max_hops=MAX_HOPS)
    def work(self, event: Event) -> Iterator[FindingRaised | FileJudged]:
        award = Award(**event.payload)
        critics, defenders = self.members("review.critic"), self.members("review.defender")
        with self.reading(award) as source:
            faults = find_faults(source.tree)
        debated = faults[:MAX_FINDINGS]
        for index, fault in enumerate(debated):
            finding = _finding(
                f"{award.number}-{index}", award.path, fault, source.mark(fault.line)
            )
            yield FindingRaised(finding, critics, defenders)
        yield FileJudged(award.number, award.path, len(debated), len(faults) - len(debated))

    @on(FileJudged)
    def hear_of_result(self, judged: FileJudged) -> None:
        self.delivered(judged.number)


def _finding(id: str, path: str, fault: Fault, mark: str) -> Finding:
    return Finding(
        id=id,
        path=path,
        line=fault.line,
        column=fault.column,
        rule=fault.rule,
        symbol=fault.symbol,
        severity=fault.severity,
        confidence=fault.confidence,
        message=fault.message,
        mark=mark,
    )
