"""Why an event reached whom it reached, and not others."""

from __future__ import annotations

from choreia.console.model.page import Page, entry
from choreia.console.model.stage import Stage
from choreia.console.model.view import Subject
from choreia.runtime.inspection.frames import Problem
from choreia.runtime.inspection.reading import Fields, text_of


class Explanation(Page):
    """Of one event."""

    def __init__(self, stage: Stage, event: str) -> None:
        super().__init__(stage, f"explain {event}")
        self._event = event

    def opened(self) -> None:
        args = {"of": self._event, "payloads": self.stage.payloads, "explain": True}
        self.stage.call(self.number, "explain", "trace", **args)

    def reload(self) -> None:
        self.opened()

    def answer(self, what: str, data: Fields | None, problem: Problem | None) -> None:
        if problem is not None:
            self.problem = problem.message
            return
        said = text_of(data or {}, "explanation") or "the system explains nothing of it"
        self.fill([entry(self.face.clean(line)) for line in said.splitlines()])

    def subject(self) -> Subject:
        return Subject(self._event, "", self._event, self._event)

    def empty(self) -> str:
        return "waiting for the explanation"
