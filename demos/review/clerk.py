"""The clerk: it listens to the debates and says when one is over, and how it ended."""

from __future__ import annotations

from choreia import on
from choreia.demos.review.debate import Debate
from choreia.demos.review.events import (
    ChallengeAnswered,
    FindingRaised,
    FindingSettled,
    OpinionGiven,
)
from choreia.demos.review.member import Member


class Clerk(Member):
    """Asks nobody to speak: it hears what is said, and counts."""

    emits = (FindingSettled,)

    def __init__(self) -> None:
        super().__init__()
        self._debates: dict[str, Debate] = {}

    @on(FindingRaised)
    def open(self, raised: FindingRaised) -> None:
        self._debate(raised.finding.id).raised = raised
        self._settle(raised.finding.id)

    @on(OpinionGiven)
    def note_opinion(self, opinion: OpinionGiven) -> None:
        self._debate(opinion.finding).opinion(opinion)
        self._settle(opinion.finding)

    @on(ChallengeAnswered)
    def note_answer(self, answer: ChallengeAnswered) -> None:
        self._debate(answer.finding).answer(answer)
        self._settle(answer.finding)

    def carry_on(self) -> None:
        for finding in list(self._debates):
            self._settle(finding)

    def _debate(self, finding: str) -> Debate:
        return self._debates.setdefault(finding, Debate())

    def _settle(self, finding: str) -> None:
        settled = self._debates[finding].settled(self.gone)
        if settled is not None:
            del self._debates[finding]
            self.emit(settled)
