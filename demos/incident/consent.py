"""Consent: which answer to a proposal counts. Pure rules; `gate` applies them to what it hears."""

from __future__ import annotations

from enum import StrEnum

from attrs import define

from choreia.demos.incident.cast import HUMAN


class State(StrEnum):
    """Of a proposal. The first answer that counts decides, and then there is no way back."""

    OPEN = "open"
    APPROVED = "approved"
    VETOED = "vetoed"
    EXPIRED = "expired"


LATE = {
    State.APPROVED: "it was approved before; an approval counts once",
    State.VETOED: "it was vetoed, and a veto stands",
    State.EXPIRED: "its deadline has passed",
}


@define
class Consent:
    """What a person may say to one proposal, and has said."""

    digest: str
    """Of the action as it was proposed, and as the gate has computed it: not as it was told."""
    deadline: float
    """Unix seconds."""
    state: State = State.OPEN

    def objection(self, digest: str, source: str, now: float) -> str | None:
        """Why an answer from `source` to the action of `digest` does not count; None: it does."""
        if not _is_person(source):
            return "it is not the source of a person (did:human:…)"
        if digest != self.digest:
            return "it names another action than the one proposed"
        if self.state is not State.OPEN:
            return LATE[self.state]
        if now >= self.deadline:
            return LATE[State.EXPIRED]
        return None


def _is_person(source: str) -> bool:
    return source.startswith(HUMAN) and len(source) > len(HUMAN)
