"""A responder's notes: what it has heard, and what follows from it.

They are made outside the responder and handed to it, so they outlive an instance that hangs or
dies: its successor knows what it knew, and its mailbox has what came meanwhile.
"""

from __future__ import annotations

from attrs import define, field

from choreia.demos.incident.action import Action, digest_of
from choreia.demos.incident.trust import Trust


@define
class Case:
    """The incident that is open now."""

    incident: str
    action: Action
    cleared: bool = False
    hand: str = ""
    """Who has it in hand; "" for nobody yet."""
    executed_by: str = ""

    @property
    def digest(self) -> str:
        return digest_of(self.action)


@define
class Notes:
    """What one responder knows."""

    name: str
    service: str
    """That it looks after."""
    order: tuple[str, ...]
    """All responders, in the order in which they are on duty."""
    trust: Trust
    alarmed: set[str] = field(factory=set)
    down: set[str] = field(factory=set)
    """Who is suspected."""
    case: Case | None = None
    ended: set[str] = field(factory=set)
    """Incidents that are over."""
    unrest: bool = False
    """An incident has ended with nothing done, and the alarms have not cleared since: what was
    refused a moment ago is not proposed again."""

    @property
    def on_duty(self) -> bool:
        """Whether everybody before it is suspected. It never takes itself for failed: better that
        two act, of whom one comes too late, than that each leaves it to the other."""
        return all(name in self.down for name in self.order[: self.order.index(self.name)])

    @property
    def alarms(self) -> tuple[str, ...]:
        """The watchers that are alarmed, and count."""
        return self.trust.counted(self.alarmed)

    @property
    def should_propose(self) -> bool:
        agreed = self.trust.agree(self.alarmed)
        return self.on_duty and agreed and self.case is None and not self.unrest

    @property
    def should_take(self) -> bool:
        """Whether there is something to do, and nobody to do it."""
        case = self.case
        if case is None or not case.cleared or case.executed_by:
            return False
        return self.on_duty and (not case.hand or case.hand in self.down)

    @property
    def instead_of(self) -> str:
        """Whose work it would take: who has it in hand, or should have; "" for nobody's."""
        if self.case is not None and self.case.hand:
            return self.case.hand
        ahead = self.order[: self.order.index(self.name)]
        return ahead[-1] if ahead else ""

    def hand_to(self, incident: str, by: str, instead_of: str) -> None:
        """`by` means to do it. Who comes behind the one that has it by now, does not get it."""
        case = self.open_case(incident)
        if case is not None and case.hand in ("", instead_of):
            case.hand = by

    @property
    def may_work(self) -> bool:
        """Whether it has the open case in hand, and it still is to be done."""
        case = self.case
        return case is not None and case.hand == self.name and not case.executed_by

    @property
    def should_resolve(self) -> bool:
        """Only who brought the action may say so, so that it is said once."""
        case = self.case
        return case is not None and case.executed_by == self.name and not self.alarms

    @property
    def next_incident(self) -> str:
        """What the next one is to be called; everybody who counts comes to the same name."""
        return f"{self.service}-{len(self.ended) + 1}"

    def open(self, incident: str, action: Action) -> None:
        """An action was proposed. Of two proposals for one incident the first stands."""
        if self.case is None and incident not in self.ended:
            self.case = Case(incident, action)

    def open_case(self, incident: str) -> Case | None:
        """The case of that incident, if it is the one that is open."""
        return self.case if self.case is not None and self.case.incident == incident else None

    def close(self, incident: str, *, done: bool) -> None:
        """Its end was announced."""
        if self.open_case(incident) is not None:
            self.case = None
            self.unrest = not done and bool(self.alarms)
        self.ended.add(incident)
