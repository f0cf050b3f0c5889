"""The analysts that measure files."""

from __future__ import annotations

from operator import attrgetter

from choreia import Event, on
from choreia.demos.review.analyst import MAX_HOPS, Analyst
from choreia.demos.review.events import Award, FileFound, FileMeasured, Notable
from choreia.demos.review.measure import FileMeasure, measure

NOTABLE = 50
"""The most functions of one file that are named in its event."""


class Metrics(Analyst):
    """Wins a file that was found, and tells its measures."""

    job = "metrics"
    capabilities = ("review.metrics",)
    specializations = ("complexity", "length", "nesting", "docstrings")
    emits = ("bid.placed.metrics", "file.awarded.*", FileMeasured)

    @on(FileFound)
    def hear_of_file(self, found: FileFound) -> None:
        self.announced(found)

    @on("file.awarded.{name}", max_hops=MAX_HOPS)
    def work(self, event: Event) -> None:
        award = Award(**event.payload)
        bidders = self.members("review.faults")
        with self.reading(award) as source:
            self.emit(_measured(award, bidders, measure(source)))

    @on(FileMeasured)
    def hear_of_result(self, measured: FileMeasured) -> None:
        self.delivered(measured.number)


def _measured(award: Award, bidders: tuple[str, ...], result: FileMeasure) -> FileMeasured:
    functions = result.functions
    notable = [item for item in functions if item.notable]
    notable.sort(key=attrgetter("complexity", "length"), reverse=True)
    return FileMeasured(
        number=award.number,
        path=award.path,
        bytes=award.bytes,
        bidders=bidders,
        lines=result.lines,
        functions=len(functions),
        classes=len(result.items) - len(functions),
        complexity=max((item.complexity for item in functions), default=0),
        undocumented=result.undocumented,
        notable=tuple(
            Notable(
                item.name, item.line, item.complexity, item.length, item.nesting, item.arguments
            )
            for item in notable[:NOTABLE]
        ),
    )
