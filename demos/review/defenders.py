"""The defenders: they answer challenges, and agree with some of them.

What each holds is written in its filters alone: the runtime sends a challenge to the one
handler that fits. ``low < medium < high < critical`` compare by rank.
"""

from __future__ import annotations

from choreia import Agent, on
from choreia.demos.review.events import ChallengeAnswered, OpinionGiven
from choreia.demos.review.member import UNBUSY


class Defender(Agent):
    """Answers the challenges that ask for it."""

    capabilities = ("review.defender",)
    capacity = UNBUSY
    emits = (ChallengeAnswered,)

    def answer(self, challenge: OpinionGiven, *, rebutted: bool) -> None:
        if self.name in challenge.defenders:
            self.emit(ChallengeAnswered(challenge.finding, challenge.critic, self.name, rebutted))


class PrudentDefender(Defender):
    """Holds that what is grave must be looked at."""

    specializations = ("severity",)

    @on(OpinionGiven, {"payload.stance": "challenge", "payload.severity": {"$gte": "high"}})
    def rebut(self, challenge: OpinionGiven) -> None:
        self.answer(challenge, rebutted=True)

    @on(OpinionGiven, {"payload.stance": "challenge", "payload.severity": {"$lt": "high"}})
    def concede(self, challenge: OpinionGiven) -> None:
        self.answer(challenge, rebutted=False)


class StubbornDefender(Defender):
    """Holds on to what is as good as certain."""

    specializations = ("confidence",)

    @on(OpinionGiven, {"payload.stance": "challenge", "payload.confidence": {"$gte": 0.9}})
    def rebut(self, challenge: OpinionGiven) -> None:
        self.answer(challenge, rebutted=True)

    @on(OpinionGiven, {"payload.stance": "challenge", "payload.confidence": {"$lt": 0.9}})
    def concede(self, challenge: OpinionGiven) -> None:
        self.answer(challenge, rebutted=False)
