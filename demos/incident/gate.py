"""The gate: nothing is done without a person's word. It is the only one to decide what counts.

It is one agent for the same reason for which shipping is the point of no return among the orders:
an approval, a veto and a deadline race each other, and whoever handles one event at a time has
nothing to lock.
"""

from __future__ import annotations

from typing import Literal

from choreia import Agent, on
from choreia.demos.incident.action import digest_of
from choreia.demos.incident.cast import RESPONDERS, speaker
from choreia.demos.incident.consent import Consent, State
from choreia.demos.incident.events import (
    ActionApproved,
    ActionCleared,
    ActionExpired,
    ActionProposed,
    ActionVetoed,
    ApprovalRefused,
    DeadlinePassed,
    IncidentEscalated,
)

UNKNOWN = "nothing is proposed under that name"


class Gate(Agent):
    """It knows no actions and no responders' reasons: only digests, sources and deadlines."""

    emits = (ActionCleared, ApprovalRefused, ActionExpired, IncidentEscalated, DeadlinePassed)
    external = (ActionApproved, ActionVetoed, ApprovalRefused, ActionExpired)
    terminal = (IncidentEscalated,)

    def __init__(self, consents: dict[str, Consent]) -> None:
        super().__init__()
        self.consents = consents
        """By incident."""

    @on(ActionProposed)
    def ask(self, proposed: ActionProposed) -> None:
        """Two that both believe to be on duty propose the same: the first proposal stands."""
        if speaker(self) not in RESPONDERS or proposed.incident in self.consents:
            return
        self.consents[proposed.incident] = Consent(digest_of(proposed.action), proposed.deadline)
        left = max(0.0, proposed.deadline - self.clock.now())
        self.after(left, DeadlinePassed(proposed.incident), key=proposed.incident)
        self.awaits(ActionApproved, ActionVetoed)

    @on(ActionApproved)
    def hear_yes(self, approved: ActionApproved) -> None:
        if self._counts(approved, "approval"):
            self._close(approved.incident, State.APPROVED)
            self.emit(ActionCleared(approved.incident, approved.digest, self._source))

    @on(ActionVetoed)
    def hear_no(self, vetoed: ActionVetoed) -> None:
        if self._counts(vetoed, "veto"):
            self._close(vetoed.incident, State.VETOED)
            self.emit(IncidentEscalated(vetoed.incident, "vetoed"))

    @on(DeadlinePassed)
    def give_up(self, passed: DeadlinePassed) -> None:
        """The timer only reminds; whether it was in time is decided here, where answers come too.

        Had it said ``action.expired`` by itself, an approval could still slip in between.
        """
        consent = self.consents.get(passed.incident)
        if speaker(self) != self.name or consent is None or consent.state is not State.OPEN:
            return
        consent.state = State.EXPIRED
        self.emit(ActionExpired(passed.incident, consent.digest))
        self.emit(IncidentEscalated(passed.incident, "expired"))

    @property
    def _source(self) -> str:
        return "" if self.event is None else self.event.source

    def _counts(
        self, said: ActionApproved | ActionVetoed, answer: Literal["approval", "veto"]
    ) -> bool:
        consent, source = self.consents.get(said.incident), self._source
        reason: str | None = UNKNOWN
        if consent is not None:
            reason = consent.objection(said.digest, source, self.clock.now())
        if reason is not None:
            self.emit(ApprovalRefused(said.incident, answer, source, reason))
        return reason is None

    def _close(self, incident: str, state: State) -> None:
        self.consents[incident].state = state
        self.cancel(incident)
