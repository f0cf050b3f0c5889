"""Responders: they count alarms, ask for leave to act, and take over from each other.

All of one kind. Who is on duty is no property of theirs, but follows from what they have heard.
How one does the work is said in `worker`, and how one fails at it in `faults`.
"""

from __future__ import annotations

from choreia import Agent, Event, on
from choreia.demos.incident.action import Action, digest_of
from choreia.demos.incident.cast import GATE, KEEPER, RESPONDERS, SERVICE, SUPERVISOR, speaker
from choreia.demos.incident.events import (
    ActionCleared,
    ActionExecuted,
    ActionProposed,
    ActionStarted,
    ActionSubmitted,
    ActionTaken,
    AlarmCleared,
    AlarmRaised,
    IncidentEscalated,
    IncidentResolved,
    ScoreUpdated,
)
from choreia.demos.incident.notes import Notes
from choreia.demos.incident.tempo import Tempo

ROLL_BACK = "roll_back"
"""The one thing that they know to do."""
LAST_GOOD = {"to": "v41"}
MAX_HOPS = 100
"""From an alarm to the work it is a handful. Who is told that the work is done may take the next
action, so nothing else says that this ever ends."""


class Responder(Agent):
    """What it knows is in its notes; here is what it does about it."""

    capabilities = ("incident.respond",)
    emits = (ActionProposed, ActionTaken, ActionStarted, ActionSubmitted, IncidentResolved)
    external = (ActionProposed, ActionStarted)
    terminal = (IncidentResolved,)

    def __init__(self, notes: Notes, tempo: Tempo) -> None:
        super().__init__()
        self.notes = notes
        self.tempo = tempo

    # -- alarms, and whose alarms count -----------------------------------------------------

    @on(AlarmRaised)
    def hear_alarm(self, _: AlarmRaised) -> None:
        self.notes.alarmed.add(speaker(self))
        self._consider()

    @on(AlarmCleared)
    def hear_all_clear(self, _: AlarmCleared) -> None:
        self.notes.alarmed.discard(speaker(self))
        self.notes.unrest = self.notes.unrest and bool(self.notes.alarms)
        self._consider()

    @on(ScoreUpdated)
    def hear_score(self, updated: ScoreUpdated) -> None:
        if speaker(self) == KEEPER:
            self.notes.trust.hear(updated)

    # -- from alarms to a proposal, and to the all-clear ------------------------------------

    def _consider(self) -> None:
        notes, case = self.notes, self.notes.case
        if notes.should_propose:
            self._propose(Action(ROLL_BACK, notes.service, LAST_GOOD))
        elif case is not None and notes.should_take:
            self._take(case.incident, notes.instead_of)
        elif case is not None and notes.should_resolve:
            notes.close(case.incident, done=True)
            self.emit(IncidentResolved(case.incident))

    def _propose(self, action: Action) -> None:
        notes, incident = self.notes, self.notes.next_incident
        notes.open(incident, action)
        deadline = self.clock.now() + self.tempo.deadline
        self.emit(ActionProposed(incident, action, digest_of(action), deadline, notes.alarms))

    @on(ActionProposed)
    def note_proposal(self, proposed: ActionProposed) -> None:
        if speaker(self) in RESPONDERS:
            self.notes.open(proposed.incident, proposed.action)

    # -- who is to act ------------------------------------------------------------------------

    @on(ActionCleared)
    def note_clearance(self, cleared: ActionCleared) -> None:
        """Only the gate's word counts, and only for the action that was proposed here, too."""
        case = self.notes.open_case(cleared.incident)
        if case is not None and speaker(self) == GATE and cleared.digest == case.digest:
            case.cleared = True
            self._consider()

    @on("agent.suspected_failure")
    def cover(self, suspicion: Event) -> None:
        """Another may have failed. If it was on duty, this one may be from now on."""
        if speaker(self) == SUPERVISOR and suspicion.payload["agent"] != self.name:
            self.notes.down.add(suspicion.payload["agent"])
            self._consider()

    @on("agent.recovered")
    def uncover(self, recovery: Event) -> None:
        if speaker(self) == SUPERVISOR:
            self.notes.down.discard(recovery.payload["agent"])

    def _take(self, incident: str, instead_of: str) -> None:
        """Said to itself, too: what came meanwhile has its turn before the work. After a restart
        that may be the news that another is at it, or has done it."""
        self.notes.hand_to(incident, self.name, instead_of)
        self.emit(ActionTaken(incident, instead_of))

    def _is_mine(self, taken: ActionTaken) -> bool:
        """Take note of who means to act: whether it is this one, and there still is need."""
        by = speaker(self)
        if by in RESPONDERS:
            self.notes.hand_to(taken.incident, by, taken.instead_of)
        return by == self.name and self.notes.may_work

    def _submission(self, taken: ActionTaken) -> ActionSubmitted:
        case = self.notes.open_case(taken.incident)
        assert case is not None  # or it would not be this one's
        return ActionSubmitted(case.incident, case.digest)

    # -- what has come of it --------------------------------------------------------------------

    @on(ActionExecuted)
    def note_execution(self, executed: ActionExecuted) -> None:
        case = self.notes.open_case(executed.incident)
        if case is not None and speaker(self) == SERVICE:
            case.executed_by = executed.by
            self._consider()

    @on(IncidentResolved)
    def note_end(self, resolved: IncidentResolved) -> None:
        if speaker(self) in RESPONDERS:
            self.notes.close(resolved.incident, done=True)

    @on(IncidentEscalated)
    def let_go(self, escalated: IncidentEscalated) -> None:
        if speaker(self) == GATE:
            self.notes.close(escalated.incident, done=False)
