"""The people outside: one who is asked, and one who should not be.

No agent can play a person, because the runtime writes the source of whatever an agent says. So an
answer is published from outside, and belongs to the case of the proposal that it answers.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from attrs import define, field, frozen

from choreia import ActorSystem, Event
from choreia.demos.incident.action import Action, digest_of
from choreia.demos.incident.events import ActionApproved, ActionVetoed

ADA = "did:human:ada"
EVE = "did:humanoid:eve"
"""Looks like a person, at a glance."""
HARMLESS = frozenset({"roll_back", "restart"})
"""Actions that Ada has said yes to once and for all, on the service that is ill."""


class Answer(StrEnum):
    APPROVE = "approve"
    VETO = "veto"
    NOTHING = "nothing"


@frozen
class Question:
    """What a person is asked."""

    incident: str
    service: str
    action: Action
    alarms: tuple[str, ...]
    """The watchers on whose alarms it rests."""
    seconds: float
    """Until the deadline."""


Decide = Callable[[Question], Answer]


def by_policy(question: Question) -> Answer:
    """What a person would say who has no time: yes to what is harmless, no to all the rest."""
    action = question.action
    harmless = action.name in HARMLESS and action.target == question.service
    return Answer.APPROVE if harmless else Answer.VETO


def never(_: Question) -> Answer:
    return Answer.VETO


def nobody(_: Question) -> Answer:
    """Is there."""
    return Answer.NOTHING


@define
class People:
    """They hear of proposals, think, and answer."""

    system: ActorSystem
    service: str
    decide: Decide
    thought: float
    """Seconds until Ada answers."""
    _asked: list[tuple[float, Event]] = field(factory=list)

    def hear(self, proposed: Event) -> None:
        """Eve answers at once, and Ada takes her time."""
        approval = ActionApproved(proposed.payload["incident"], proposed.payload["digest"])
        self._publish(approval, proposed, EVE)
        self._asked.append((self.system.clock.monotonic() + self.thought, proposed))

    def speak(self) -> None:
        """Answer what has been thought over by now."""
        now = self.system.clock.monotonic()
        for due, proposed in [one for one in self._asked if one[0] <= now]:
            self._asked.remove((due, proposed))
            self._answer(proposed)

    def _answer(self, proposed: Event) -> None:
        question = self._question(proposed)
        answer = self.decide(question)
        # Of what was read, not of what the proposal says of itself.
        digest = digest_of(question.action)
        if answer is Answer.APPROVE:
            self._publish(ActionApproved(question.incident, digest), proposed, ADA)
        elif answer is Answer.VETO:
            self._publish(ActionVetoed(question.incident, digest), proposed, ADA)

    def _question(self, proposed: Event) -> Question:
        payload = proposed.copy_payload()
        action = Action(**payload["action"])
        left = payload["deadline"] - self.system.clock.now()
        alarms = tuple(payload["alarms"])
        return Question(payload["incident"], self.service, action, alarms, left)

    def _publish(self, answer: object, proposed: Event, source: str) -> None:
        case = proposed.metadata.correlation_id
        self.system.publish(answer, source=source, correlation_id=case, causation_id=proposed.id)
