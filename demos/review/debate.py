"""A finding in debate: who has spoken, whether all have, and what it weighs in the end.

Every critic that the finding names agrees or challenges it, and every defender named answers
each challenge. A challenge stands unless all defenders rebut it. A finding against which a
challenge stands is dismissed; its weight says how much is left of it all the same.
"""

from __future__ import annotations

from collections.abc import Set

from attrs import define, field

from choreia.demos.review.events import (
    Challenge,
    ChallengeAnswered,
    FindingRaised,
    FindingSettled,
    OpinionGiven,
)

SEVERITY = {"low": 1, "medium": 2, "high": 3, "critical": 4}


@define
class Debate:
    """What has been said about one finding, in whatever order it was heard."""

    raised: FindingRaised | None = None
    _opinions: dict[str, OpinionGiven] = field(factory=dict[str, OpinionGiven])
    _answers: dict[tuple[str, str], bool] = field(factory=dict[tuple[str, str], bool])

    def opinion(self, opinion: OpinionGiven) -> None:
        self._opinions[opinion.critic] = opinion

    def answer(self, answer: ChallengeAnswered) -> None:
        self._answers[answer.critic, answer.defender] = answer.rebutted

    def settled(self, gone: Set[str]) -> FindingSettled | None:
        """The outcome, once all have spoken that are not `gone`."""
        if self.raised is None or set(self.raised.critics) - gone - self._opinions.keys():
            return None
        defenders = set(self.raised.defenders) - gone
        challenges: list[Challenge] = []
        for critic, opinion in sorted(self._opinions.items()):
            if opinion.stance == "challenge":
                if any((critic, defender) not in self._answers for defender in defenders):
                    return None
                stands = not self._rebutted(critic)
                challenges.append(Challenge(critic, opinion.argument, stands))
        return self._outcome(self.raised, challenges)

    def _rebutted(self, critic: str) -> bool:
        answers = [rebutted for (asked, _), rebutted in self._answers.items() if asked == critic]
        return bool(answers) and all(answers)

    def _outcome(self, raised: FindingRaised, challenges: list[Challenge]) -> FindingSettled:
        finding = raised.finding
        voices = 1 + len(self._opinions)  # who raised it has a voice too
        against = sum(challenge.stands for challenge in challenges)
        votes = (voices - against) / voices
        return FindingSettled(
            finding=finding,
            weight=round(SEVERITY[finding.severity] * finding.confidence * votes, 2),
            upheld=not against,
            challenges=tuple(challenges),
        )
