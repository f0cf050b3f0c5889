"""One suspicion or dead letter, with all of its stack."""

from __future__ import annotations

from typing import Final

from choreia.console.model.finding import Finding, Kind
from choreia.console.model.page import Entry, Page, entry
from choreia.console.model.stage import Stage
from choreia.console.model.view import Subject
from choreia.console.model.views.events import payload_text
from choreia.console.model.wording import time_of_day
from choreia.runtime.inspection.frames import Problem
from choreia.runtime.inspection.reading import Fields, number_of, rows_of, text_of

MOST: Final = 1_000
"""Dead letters among which its payload is looked for."""


class FindingDetail(Page):
    """On top of Health."""

    def __init__(self, stage: Stage, finding: Finding) -> None:
        super().__init__(stage, f"{finding.kind} of {finding.agent}")
        self._finding = finding
        self._payload = ""
        self._write()

    def opened(self) -> None:
        if self.stage.payloads and self._finding.kind is Kind.LETTER:
            self.stage.call(
                self.number, "letters", "deadletters",
                agent=self._finding.agent, limit=MOST, payloads=True,
            )  # fmt: skip

    def reload(self) -> None:
        self._payload = ""
        self._write()
        self.opened()

    def answer(self, what: str, data: Fields | None, problem: Problem | None) -> None:
        if problem is not None:
            self.stage.say(problem.message, "bad")
            return
        for said in rows_of(data or {}, "letters"):
            same_time = number_of(said, "time") == self._finding.time
            if same_time and text_of(said, "event") == self._finding.event:
                self._payload = payload_text(said)
        self._write()

    def subject(self) -> Subject:
        finding = self._finding
        return Subject(finding.event or finding.agent, finding.agent, finding.event, finding.event)

    def _write(self) -> None:
        finding, clean = self._finding, self.face.clean
        lines = [
            entry(f"{finding.kind}: {clean(finding.agent)}", "title"),
            entry(clean(finding.reason), "bad"),
        ]
        if finding.type:
            lines.append(entry(f"event {clean(finding.type)} {clean(finding.event, 80)}"))
        if finding.time is not None:
            lines.append(entry(f"at {time_of_day(finding.time)} UTC", "dim"))
        if finding.redeliverable:
            lines.append(entry("r in Health redelivers it", "dim"))
        if finding.kind is Kind.LETTER:
            lines.append(entry(self._payload_line(), "dim"))
        self.fill([*lines, entry(""), *self._stack()])

    def _payload_line(self) -> str:
        if self._payload:
            return f"payload {self.face.clean(self._payload)}"
        return "payload: waiting" if self.stage.payloads else "payload: hidden (P shows it)"

    def _stack(self) -> list[Entry]:
        lines = self._finding.stack.splitlines()
        return [entry(self.face.clean(line)) for line in lines] or [entry("no stack", "dim")]
