"""The marks of sagas, as the choreography has them."""

from __future__ import annotations

import attrs

from choreia import ActorSystem, Agent, Event, on
from choreia.actors.choreography import choreography_of
from choreia.runtime.events.topic import TopicPattern
from choreia.runtime.insight.choreography import Mark


@attrs.frozen
class Step:
    """Stands in for what `@step` leaves on a method."""

    kind: str = "step"
    emits: tuple[str, ...] = ("stock.reserved",)
    fails: str | None = "stock.refused"
    compensate: str | None = "release"
    deadline: float | None = None
    within: float | None = None
    expired: str | None = None
    awaits: tuple[str, ...] = ()


class Stock(Agent):
    _choreia_compensate_on = (TopicPattern("payment.refused"),)

    @on("order.placed")
    def reserve(self, event: Event) -> None: ...

    def release(self, event: Event) -> None:
        self.emit("stock.released")

    @on("stock.released")
    def other(self, event: Event) -> None: ...


def test_a_step_says_what_it_declares_and_its_compensation_is_a_reaction() -> None:
    vars(Stock)["reserve"].__choreia_saga__ = Step()
    vars(Stock)["other"].__choreia_saga__ = Step(
        "join", (), None, "missing", within=5.0, awaits=("a", "b")
    )
    system = ActorSystem(mode="simulated")
    system.spawn(Stock, name="stock")

    [stock] = choreography_of(system).players
    reserve, other, release = stock.reactions

    assert [one.type for one in reserve.says] == ["stock.reserved", "stock.refused"]
    assert reserve.mark == Mark("step", "stock.refused", "release", compensated=True)
    assert other.mark == Mark(
        "join", None, "missing", compensated=False, waits=True, awaits=("a", "b"), bounded=True
    )
    assert release.name == "release"
    assert [one.pattern for one in release.asks] == ["payment.refused"]
    assert [one.type for one in release.says] == ["stock.released"]
