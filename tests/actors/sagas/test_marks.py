"""What is declared wrongly says so where it is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from choreia import (
    ActorSystem,
    Agent,
    ChoreiaError,
    Event,
    EventSourcedAgent,
    InvalidAgent,
    SagaParticipant,
    applies,
    event_type,
    join,
    on,
    pivot,
    step,
)
from choreia.actors.sagas.marks import MARK, StepMark


@event_type("shelf.marked")
@attrs.frozen
class Reserved:
    order: str


def method(self: object, event: object) -> None: ...


def test_a_mark_says_all_that_was_written() -> None:
    marked = step(
        (Reserved, "order.*"),
        emits=("payment.charged", Reserved),
        fails="payment.refused",
        compensate="refund",
        deadline=30,
        filter={"payload.amount": {"$gt": 3}},
        awaits="gateway.#",
    )(method)
    assert marked is method
    mark: StepMark = getattr(method, MARK)
    delattr(method, MARK)
    assert mark.kind == "step"
    assert [topic.text for topic in mark.on] == ["shelf.marked", "order.*"]
    assert [topic.payload_class for topic in mark.on] == [Reserved, None]
    assert all(topic.filter is not None for topic in mark.on)
    assert mark.emits == ("payment.charged", "shelf.marked")
    assert (mark.fails, mark.compensate, mark.deadline) == ("payment.refused", "refund", 30.0)
    assert mark.awaits == ("gateway.#",)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: step((), emits="a"), "on nothing"),
        (lambda: step("a", emits=()), "emits nothing"),
        (lambda: step("a..b", emits="a"), "a..b"),
        (lambda: step("a", emits="a.*"), r"a\.\*"),
        (lambda: step("a", emits=3), "give a type"),  # type: ignore[arg-type]
        (lambda: step("a", emits=int), "int"),
        (lambda: step(method, emits="a"), "needs a topic"),  # type: ignore[arg-type]
        (lambda: step("a", emits="b", fails="b"), "and that it failed"),
        (lambda: step("a", emits="b", compensate=method), "name of a method"),  # type: ignore[arg-type]
        (lambda: step("a", emits="b", deadline=0), "deadline=0"),
        (lambda: step("a", emits="b", deadline=True), "deadline=True"),
        (lambda: pivot("a", emits="b", deadline=-1), "deadline=-1"),
        (lambda: step("a", emits="b", filter={"nowhere": 1}), "nowhere"),
        (lambda: step("a", emits="b", awaits="c..d"), "c..d"),
        (lambda: step("a", emits="b")(3), "marks functions"),  # type: ignore[type-var]
        (lambda: step("a", emits="b")(step("a", emits="b")(lambda s, e: None)), "step already"),
        (lambda: join("a", within=3), "two topics"),
        (lambda: join("a", "b", within=None), "for ever"),  # type: ignore[arg-type]
        (lambda: join("a", "b", within=0), "within=0"),
        (lambda: join("a", "b", within=3, expired="a.#"), "a.#"),
    ],
)
def test_a_mark_that_makes_no_sense_is_refused(make: Callable[[], object], says: str) -> None:
    with pytest.raises(ChoreiaError, match=says):
        make()


def define(**more: Any) -> type[SagaParticipant]:
    return type("Payment", (SagaParticipant,), more)


def marked(**more: Any) -> Any:
    def charge(self: object, event: object) -> None: ...

    return step("go", emits="payment.charged", **more)(charge)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"charge": marked(compensate="refund"), "compensate_on": ("f",)}, "no method 'refund'"),
        ({"charge": marked(compensate="stop"), "compensate_on": ("f",)}, "no method 'stop'"),
        ({"charge": marked(compensate="charge"), "compensate_on": ("f",)}, "a step itself"),
        ({"charge": marked(compensate="undo"), "undo": method}, "say when"),
        ({"charge": marked(), "emits": ("other",)}, "does not list"),
        (
            {"charge": marked(compensate="undo"), "undo": lambda self: None}
            | {"compensate_on": ("f",)},
            "must take self and the event",
        ),
        (
            {"charge": marked(compensate="undo"), "undo": staticmethod(lambda self, event: None)}
            | {"compensate_on": ("f",)},
            "no method 'undo'",
        ),
        (
            {"charge": marked(compensate="undo"), "undo": method}
            | {"compensate_on": ("f", "payment.*")},
            r"undone at once .*payment\.\*",
        ),
        ({"compensate_on": ("{domain}.failed",)}, "does not have"),
        ({"compensate_on": "f"}, "give a tuple"),
        ({"compensate_on": ("a..b",)}, "a..b"),
        ({"withdraw_on": (int,)}, "no topic"),
        ({"failure": 3}, "must be a method"),
    ],
)
def test_a_class_that_makes_no_sense_is_refused(more: dict[str, Any], says: str) -> None:
    with pytest.raises(ChoreiaError, match=says):
        define(**more)


def test_an_agent_that_is_no_participant_takes_no_steps() -> None:
    with pytest.raises(InvalidAgent, match=r"Payment\.charge .* derive Payment from SagaPart"):
        type("Payment", (Agent,), {"charge": marked()})


def test_a_failure_may_name_what_the_class_has() -> None:
    cls = define(compensate_on=("{domain}.failed",), domain="till")
    assert [one.pattern for one in cls._choreia_compensate_on] == ["till.failed"]


def test_what_follows_from_marks_need_not_be_listed() -> None:
    cls = define(
        charge=marked(fails="payment.refused"), emits=("payment.*.never", "payment.charged")
    )
    patterns = cls._choreia_declaration.patterns
    assert patterns is not None
    allowed = {pattern.pattern for pattern in patterns}
    assert {"payment.charged", "payment.refused", "saga.stuck", "join.expired"} <= allowed


def test_what_turns_the_case_back_is_known_of_the_class() -> None:
    cls = define(compensate_on=(Reserved, "f.*"), withdraw_on=("w",))
    assert [one.pattern for one in cls._choreia_compensate_on] == ["shelf.marked", "f.*"]
    assert [one.pattern for one in cls._choreia_withdraw_on] == ["w"]


def test_a_step_is_a_handler_that_says_what_it_is() -> None:
    cls = define(charge=marked())
    [spec] = cls._choreia_handlers
    assert spec.name == "charge"
    assert getattr(spec.function, MARK).emits == ("payment.charged",)


@attrs.frozen
class State:
    @applies("payment.charged")
    def add(self, event: Event) -> State:
        return self


def test_a_state_may_be_made_of_what_steps_emit() -> None:
    class Payment(SagaParticipant, EventSourcedAgent[State]):
        emits = ("payment.charged",)
        compensate_on = ("f",)

        @step("go", emits="payment.charged")
        def charge(self, event: Event) -> None: ...

        @on("other")
        def other(self, event: Event) -> None: ...

    assert len(Payment._choreia_saga.steps) == 1


def test_a_group_takes_no_part_in_sagas(system: ActorSystem) -> None:
    with pytest.raises(InvalidAgent, match="cannot be in a group"):
        system.spawn(define(charge=marked()), group="payments", count=2)


@pytest.mark.parametrize("key", ["payload.step", "payload.for.x", "source", "metadata.tenant"])
def test_a_key_that_its_own_events_could_not_have_is_refused(system: ActorSystem, key: str) -> None:
    with pytest.raises(InvalidAgent, match="key of a saga's participant"):
        system.spawn(define(charge=marked()), key=key)
