"""What the screens have in common: a listing, a filter for it, and a moment that it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from choreia.console.model.filtering import read
from choreia.console.model.line import Line
from choreia.console.model.listing import Listing
from choreia.console.model.moment import Moment
from choreia.console.model.prompt import Prompt
from choreia.console.model.stage import Stage
from choreia.console.model.view import Subject
from choreia.runtime.errors import ChoreiaError
from choreia.runtime.inspection.frames import Problem
from choreia.runtime.inspection.reading import Fields

R = TypeVar("R")


class Screen(Generic[R]):
    """A `View` of one listing. What is particular about one is overridden."""

    title = ""
    parts: frozenset[str] = frozenset()

    def __init__(self, stage: Stage, listing: Listing[R]) -> None:
        self.stage = stage
        self.face = stage.face
        self.number = stage.number()
        self.listing = listing
        self.problem = ""
        """Why what was asked for did not come."""

    def opened(self) -> None:
        pass

    def left(self) -> None:
        pass

    def show(self, moment: Moment) -> None:
        pass

    def tick(self) -> None:
        pass

    def reload(self) -> None:
        pass

    def answer(self, what: str, data: Fields | None, problem: Problem | None) -> None:
        pass

    def enter(self, row: R) -> None:
        """Drill into a row."""

    def subject(self) -> Subject:
        return Subject()

    def empty(self) -> str:
        """Why there is no row at all."""
        return "nothing to see"

    def note(self) -> str:
        """What the status says beside filter and order."""
        return ""

    # -- keys -------------------------------------------------------------------------------------

    def press(self, key: str) -> bool:
        if key == "/":
            self.stage.prompt = self.filter_prompt()
        elif key == "enter":
            if self.listing.selected is not None:
                self.enter(self.listing.selected)
        elif key == "esc":
            return self._clear()
        elif key == "n" and not self.listing.has_fault():
            self.stage.say("no fault is among what is shown", "good")
        else:
            return self.listing.press(key)
        return True

    def filter_prompt(self) -> Prompt:
        current = self.listing.filter
        return Prompt("/", "" if current is None else current.said, self.narrow)

    def narrow(self, said: str) -> None:
        """Show only what has this in it. A pattern that cannot be read changes nothing."""
        try:
            self.listing.filter = read(said)
        except ChoreiaError as error:
            self.stage.say(str(error), "bad")
            return
        self.listing.arrange()

    def _clear(self) -> bool:
        if self.listing.filter is None and not self.listing.faults_only:
            return False
        self.listing.filter, self.listing.faults_only = None, False
        self.listing.arrange()
        return True

    # -- what is seen -----------------------------------------------------------------------------

    def status(self) -> str:
        return ", ".join(filter(None, (self.listing.status(), self.note())))

    def lines(self, width: int, height: int) -> list[Line]:
        return self.listing.lines(width, height, self.face.clean(self._why_empty(), 2 * width))

    def _why_empty(self) -> str:
        if not self.listing.total:
            return self.problem or self.empty()
        if self.listing.filter is not None:
            return f"nothing here matches {self.listing.filter.said} (Esc: show all)"
        return "no faults here (z: show all)"

    def document(self) -> dict[str, object]:
        rows: Sequence[object] = self.listing.document()
        return {
            "filter": None if self.listing.filter is None else self.listing.filter.said,
            "sorted_by": None if self.listing.sorted_by is None else self.listing.sorted_by.name,
            "faults_only": self.listing.faults_only,
            "rows": rows,
        }
