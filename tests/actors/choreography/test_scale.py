"""A thousand agents, and what it takes to look at them."""

from __future__ import annotations

from time import process_time

from choreia import ActorSystem, Agent, Event, on
from choreia.actors.choreography import choreography_of
from choreia.runtime.insight.checks import check
from choreia.runtime.insight.maps.mermaid import to_mermaid
from choreia.runtime.insight.maps.picture import picture

AGENTS = 1_000


class Talker(Agent):
    """Hears all, and is heard by all: a million ways from one to another."""

    terminal = ("all.heard",)
    external = ("all.begun", "from.*.#")

    @on("all.*", max_hops=5)
    @on("to.{name}", max_hops=5)
    def hear(self, event: Event) -> None:
        self.emit("all.heard")
        self.emit(f"to.{self.name}")
        self.emit(f"from.{self.name}.{event.type}")

    @on("from.{name}.#", max_hops=5)
    def note(self, event: Event) -> None: ...


def _agent(number: int) -> type[Agent]:
    """A class of its own, that says what the next one hears."""
    following = f"step.{number + 1}"

    def hear(self: Agent, event: Event) -> None:
        self.emit(following)

    return type(f"Step{number}", (Agent,), {"hear": on(f"step.{number}")(hear)})


def test_a_thousand_agents_of_one_class_are_checked_in_two_seconds() -> None:
    system = ActorSystem(mode="simulated", heartbeat=None)
    for number in range(AGENTS):
        system.spawn(Talker, name=f"talker-{number}")

    begun = process_time()
    findings = check(choreography_of(system))
    took = process_time() - begun

    assert findings == ()
    assert took < 2


def test_a_thousand_classes_in_a_row_are_checked_and_drawn_in_two_seconds() -> None:
    system = ActorSystem(mode="simulated", heartbeat=None)
    for number in range(AGENTS):
        system.spawn(_agent(number), name=f"step-{number}")

    begun = process_time()
    choreography = choreography_of(system)
    findings = check(choreography)
    drawn = to_mermaid(picture(choreography))
    took = process_time() - begun

    assert {(one.id, one.event) for one in findings} == {
        ("C02", "step.0"),
        ("C01", f"step.{AGENTS}"),
    }
    assert drawn.count("-->") == AGENTS
    assert took < 2
