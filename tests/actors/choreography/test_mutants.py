"""For each check a demo with one thing wrong with it, on which just that is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from choreia.actors.choreography import load
from choreia.runtime.insight.checks import check

if TYPE_CHECKING:
    from tests.actors.choreography.conftest import Edit, Mutant

LATER = """
@event_type("action.proposed", version="{version}")
@frozen
class LaterProposed:
    incident: str
    action: Action
    digest: str
    deadline: float
    alarms: tuple[str, ...]
    {field}


@event_type("action.approved")
"""
AFTER_ALL = """        del left

    def _late(self, proposed: ActionProposed, left: float) -> None:
        self.after(left, DeadlinePassed"""
PLAIN_HEAD = '\n@event_type("action.approved")\n'


def _later(version: str, field: str) -> tuple[Edit, ...]:
    return (
        ("events.py", PLAIN_HEAD, LATER.format(version=version, field=field)),
        ("gate.py", "@on(ActionProposed)", "@on(LaterProposed)"),
        ("gate.py", "    IncidentEscalated,\n", "    IncidentEscalated,\n    LaterProposed,\n"),
    )


MUTANTS: dict[str, tuple[str, str, tuple[Edit, ...], set[str]]] = {
    "nobody reacts": (
        "C01",
        "incident",
        (
            (
                "keeper.py",
                "external = (ViolationDetected, ScoreUpdated)",
                "external = (ScoreUpdated,)",
            ),
        ),
        {"keeper violation.detected"},
    ),
    "never emitted": (
        "C02",
        "incident",
        (
            (
                "gate.py",
                "external = (ActionApproved, ActionVetoed, ",
                "external = (ActionApproved, ",
            ),
        ),
        {"gate action.vetoed"},
    ),
    "the method that emits it is called by nobody": (
        "C03",
        "incident",
        (
            (
                "gate.py",
                "        self.after(left, DeadlinePassed",
                AFTER_ALL,
            ),
        ),
        {"gate deadline.passed"},
    ),
    "no instance has that key": (
        "C03",
        "library",
        (("conversation.py", 'key = "payload.user"', 'key = "payload.customer"'),),
        {
            "conversation user.arrived",
            "conversation question.asked",
            "conversation question.withdrawn",
            "conversation search.found",
        },
    ),
    "nothing terminal": (
        "C04",
        "incident",
        (("responder.py", "    terminal = (IncidentResolved,)\n", ""),),
        {"fixer incident.resolved", "stand-by incident.resolved"},
    ),
    "nothing starts it": (
        "C05",
        "incident",
        (
            (
                "service.py",
                "        self.after(self.every, SampleDue())\n\n    @on(SampleDue)",
                "        pass\n\n    @on(SampleDue)",
            ),
        ),
        {"service sample.due"},
    ),
    "no bound": (
        "C06",
        "incident",
        (("worker.py", ", max_hops=MAX_HOPS", ""),),
        {"fixer action.submitted"},
    ),
    "a newer version": (
        "C09",
        "incident",
        _later("2.0.0", "reason: str = ''"),
        {"gate action.proposed"},
    ),
    "a field more": ("C09", "incident", _later("1.1.0", "reason: str"), {"gate action.proposed"}),
    "another word": (
        "C10",
        "review",
        (("defenders.py", '"payload.stance": "challenge"', '"payload.stance": "challenges"'),),
        {"prudent-defender opinion.given"},
    ),
    "declared, never emitted": (
        "C11",
        "library",
        (("reader.py", "emits = (", "emits = (DocumentReceived, "),),
        {"reader document.received"},
    ),
    "emitted, not declared": (
        "C11",
        "library",
        (("reader.py", "emits = (DocumentProcessed, Doc", "emits = (DocumentProcessed,)  # "),),
        {"reader document.withdrawn"},
    ),
    "two of them": (
        "C12",
        "incident",
        (
            (
                "responder.py",
                '    capabilities = ("incident.respond",)\n',
                '    capabilities = exclusive = ("incident.respond",)\n',
            ),
        ),
        {"fixer incident.respond"},
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_of_a_demo_has_just_that_finding(mutant: Mutant, name: str) -> None:
    id, demo, edits, about = MUTANTS[name]

    found = check(mutant(demo, *edits))

    assert {one.id for one in found} == {id}, found
    assert {f"{one.agent} {_bare(one.event)}" for one in found} == about
    for one in found:
        assert one.place.file.endswith(".py")
        assert one.place.line > 0
        assert one.what
        assert one.advice


@pytest.mark.parametrize("demo", ["incident", "library", "review"])
def test_without_a_change_a_copy_has_none(mutant: Mutant, demo: str) -> None:
    assert check(mutant(demo)) == ()


@pytest.mark.parametrize("demo", ["incident", "library", "orders", "review"])
def test_the_demos_have_no_findings(demo: str) -> None:
    assert check(load(f"choreia.demos.{demo}")) == ()


def _bare(event: str) -> str:
    """Without the name that sets a mutant's types apart."""
    return event.partition(".")[2] if event.startswith("mutant_") else event
