"""The reporter: it asks for nothing and reacts to everything that belongs in the report."""

from __future__ import annotations

from choreia import Agent, Event, on
from choreia.demos.review.analyst import UNREAD
from choreia.demos.review.events import (
    FileFound,
    FileJudged,
    FileMeasured,
    FileSkipped,
    FindingSettled,
    ReviewCompleted,
    ScoutFinished,
)
from choreia.demos.review.report import Report


class Reporter(Agent):
    """Knows that the review is complete when every file that was found has its verdict."""

    emits = (ReviewCompleted,)
    terminal = (ReviewCompleted,)

    def __init__(self, report: Report) -> None:
        super().__init__()
        self.report = report
        self._said = False

    @on(FileFound)
    def note_file(self, found: FileFound) -> None:
        self.report.files[found.number] = found
        self._look()

    @on(FileSkipped)
    def note_skipped(self, skipped: FileSkipped) -> None:
        self.report.skipped.append(skipped)

    @on(ScoutFinished)
    def note_number(self, finished: ScoutFinished) -> None:
        self.report.announced = finished.files
        self._look()

    @on(FileMeasured)
    def note_measures(self, measured: FileMeasured) -> None:
        self.report.measure(measured)
        self._look()

    @on(FindingSettled)
    def note_verdict(self, settled: FindingSettled) -> None:
        self.report.settle(settled)
        self._look()

    @on(FileJudged)
    def note_judged(self, judged: FileJudged) -> None:
        self.report.judge(judged)
        self._look()

    @on("event.dead_lettered", filter=UNREAD)
    def note_unreadable(self, event: Event) -> None:
        award, error = event.payload["payload"], event.payload["error"]
        self.report.give_up(award["number"], error.removeprefix("GiveUp: "))
        self._look()

    def _look(self) -> None:
        if self.report.complete and not self._said:
            self._said = True
            totals = self.report.summary()
            self.emit(
                ReviewCompleted(
                    files=totals["files"],
                    unreadable=totals["unreadable"],
                    findings=totals["findings"],
                    upheld=totals["upheld"],
                )
            )
