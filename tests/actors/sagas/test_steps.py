"""Steps: done once, failed loudly or by an event, refused when they come too late."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import Any, ClassVar

import attrs
import pytest

from choreia import (
    ActorSystem,
    Event,
    EventSourcedAgent,
    Retry,
    SagaParticipant,
    StepFailed,
    applies,
    event_type,
    on,
    pivot,
    step,
)
from tests.actors.sagas.conftest import States, records, types


@event_type("shelf.reserved")
@attrs.frozen
class Reserved:
    order: str
    amount: int = 1


@event_type("till.charged")
@attrs.frozen
class Charged:
    order: str


@event_type("till.refused")
@attrs.frozen
class Refused:
    order: str
    why: str


class Payment(SagaParticipant):
    """Takes one step, and counts how often it is tried."""

    retry = Retry(attempts=2, delay=0)
    compensate_on: ClassVar[tuple[str | type, ...]] = ("order.failed",)
    withdraw_on: ClassVar[tuple[str | type, ...]] = ("order.withdrawn",)

    def __init__(self) -> None:
        super().__init__()
        self.tried = 0
        self.refunded: list[object] = []

    @step(Reserved, emits=Charged, fails="till.refused", compensate="refund")
    def charge(self, reserved: Reserved) -> object:
        self.tried += 1
        if reserved.amount > 100:
            self.emit("till.considered", {})
            raise StepFailed("too much")
        if reserved.amount < 0:
            raise ValueError("negative")
        if reserved.amount == 66:
            raise StepFailed(Refused(reserved.order, "odd"))
        if reserved.amount == 67:
            raise StepFailed({"order": reserved.order, "why": "odder"})
        if reserved.amount == 0:
            return None
        return Charged(reserved.order)

    def refund(self, reserved: Reserved) -> None:
        self.refunded.append(reserved)
        self.emit("till.refunded", {"order": reserved.order})


def charge(system: ActorSystem, amount: int, **more: Any) -> None:
    system.publish("shelf.reserved", {"order": "A", "amount": amount}, **more)
    system.wait_idle(5)


@pytest.fixture
def payment(request: pytest.FixtureRequest, system: ActorSystem, said: list[Event]) -> Payment:
    made: list[Payment] = []

    def make() -> Payment:
        made.append(Payment())
        return made[-1]

    system.spawn(make, name="payment")
    return made[0]


def test_a_step_is_done_when_what_it_returns_is_emitted(
    system: ActorSystem, payment: Payment, said: list[Event], states: States
) -> None:
    charge(system, 5)
    assert types(said) == ["shelf.reserved", "till.charged"]
    assert said[1].payload == {"order": "A"}
    assert said[1].metadata.causation_id == said[0].id
    assert states() == {"payment/charge": "done"}


def test_a_record_says_what_was_handled_and_when_it_is_undone(
    system: ActorSystem, payment: Payment, said: list[Event]
) -> None:
    charge(system, 5)
    assert records(system)["payment/charge"] == {
        "state": "done",
        "event": said[0].id,
        "kind": "step",
        "compensates": True,
        "after": [],
        "on": ["order.failed"],
        "until": None,
        "owed": False,
    }


@pytest.mark.parametrize("same_id", [True, False])
def test_a_duplicate_does_nothing(
    system: ActorSystem, payment: Payment, said: list[Event], same_id: bool
) -> None:
    more = {"correlation_id": "case"}
    charge(system, 5, **more)
    if same_id:
        system.ref("payment").tell(said[0])
        system.wait_idle(5)
    else:
        charge(system, 5, **more)
    assert payment.tried == 1
    assert types(said).count("till.charged") == 1
    assert not system.dead_letters()


def test_another_case_is_another_step(
    system: ActorSystem, payment: Payment, said: list[Event]
) -> None:
    charge(system, 5)
    charge(system, 5)
    assert types(said).count("till.charged") == 2


def test_step_failed_emits_what_fails_and_nothing_else(
    system: ActorSystem, payment: Payment, said: list[Event], states: States
) -> None:
    charge(system, 500)
    assert payment.tried == 1
    assert types(said) == ["shelf.reserved", "till.refused"]
    assert said[1].payload == {"step": "charge", "reason": "too much"}
    assert states() == {"payment/charge": "failed"}
    assert not system.dead_letters()


@pytest.mark.parametrize(("amount", "why"), [(66, "odd"), (67, "odder")])
def test_step_failed_may_bring_the_payload(
    system: ActorSystem, payment: Payment, said: list[Event], amount: int, why: str
) -> None:
    charge(system, amount)
    assert said[1].type == "till.refused"
    assert said[1].payload == {"order": "A", "why": why}


def test_what_was_tried_often_enough_has_failed_and_is_no_dead_letter(
    system: ActorSystem, payment: Payment, said: list[Event], states: States
) -> None:
    charge(system, -1)
    assert payment.tried == 2
    assert said[1].payload == {"step": "charge", "reason": "ValueError: negative"}
    assert states() == {"payment/charge": "failed"}
    assert not system.dead_letters()


def test_a_failed_step_is_not_taken_by_a_duplicate(
    system: ActorSystem, payment: Payment, said: list[Event]
) -> None:
    charge(system, -1, correlation_id="case")
    charge(system, 5, correlation_id="case")
    assert types(said).count("till.refused") == 1
    assert "till.charged" not in types(said)


def test_a_step_that_says_nothing_is_being_done(
    system: ActorSystem, payment: Payment, said: list[Event], states: States
) -> None:
    charge(system, 0, correlation_id="case")
    assert states() == {"payment/charge": "doing"}
    charge(system, 5, correlation_id="case")
    assert payment.tried == 1


# -- late steps -----------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["order.failed", "order.withdrawn"])
def test_a_step_that_comes_after_the_failure_is_refused(
    system: ActorSystem, payment: Payment, said: list[Event], states: States, end: str
) -> None:
    system.publish(end, correlation_id="case")
    system.wait_idle(5)
    assert states() == {"payment/charge": "tombstoned"}
    assert records(system)["payment/charge"]["event"] is None
    charge(system, 5, correlation_id="case")
    assert payment.tried == 0
    assert types(said) == [end, "shelf.reserved", "till.refused"]
    assert said[2].payload == {"step": "charge", "reason": "withdrawn"}
    assert states() == {"payment/charge": "tombstoned"}
    charge(system, 5, correlation_id="case")  # and it is refused once
    assert types(said).count("till.refused") == 1


def test_what_is_withdrawn_stays_if_it_is_done(
    system: ActorSystem, payment: Payment, said: list[Event], states: States
) -> None:
    charge(system, 5, correlation_id="case")
    system.publish("order.withdrawn", correlation_id="case")
    system.wait_idle(5)
    assert payment.refunded == []
    assert states() == {"payment/charge": "done"}


def test_a_failure_of_another_case_is_none_of_this(
    system: ActorSystem, payment: Payment, said: list[Event], states: States
) -> None:
    charge(system, 5, correlation_id="case")
    system.publish("order.failed", correlation_id="another")
    system.wait_idle(5)
    assert payment.refunded == []


# -- undoing --------------------------------------------------------------------------------


def test_a_failure_has_the_step_undone_with_what_it_was_given(
    system: ActorSystem, payment: Payment, said: list[Event], states: States
) -> None:
    charge(system, 5, correlation_id="case")
    for _ in range(2):
        system.publish("order.failed", correlation_id="case")
        system.wait_idle(5)
    assert payment.refunded == [Reserved("A", 5)]
    assert types(said).count("till.refunded") == 1
    assert states() == {"payment/charge": "compensated"}


def test_a_step_that_has_failed_is_not_undone(
    system: ActorSystem, payment: Payment, said: list[Event]
) -> None:
    charge(system, 500, correlation_id="case")
    system.publish("order.failed", correlation_id="case")
    system.wait_idle(5)
    assert payment.refunded == []


# -- a step that is done elsewhere ------------------------------------------------------------


class Gateway(SagaParticipant):
    """Charges by asking somebody outside, who answers later."""

    compensate_on = ("order.failed",)

    @step(
        "shelf.reserved",
        emits=("till.charged", "till.free"),
        fails="till.refused",
        compensate="refund",
        awaits="gateway.answered",
    )
    def charge(self, event: Event) -> None:
        self.emit("gateway.asked", {})

    @on("gateway.answered")
    def answered(self, event: Event) -> None:
        self.emit(event.payload["type"], {})

    def refund(self, event: Event) -> None:
        self.emit("till.refunded", {"handled": event.type})


@pytest.mark.parametrize(
    ("type", "state"),
    [
        ("till.charged", "done"),
        ("till.free", "done"),
        ("till.refused", "failed"),
        ("till.other", "doing"),
    ],
)
def test_a_step_is_done_when_the_answer_has_come(
    system: ActorSystem, said: list[Event], states: States, type: str, state: str
) -> None:
    system.spawn(Gateway)
    system.publish("shelf.reserved", correlation_id="case")
    system.wait_idle(5)
    assert states() == {"gateway/charge": "doing"}
    assert records(system)["gateway/charge"]["awaits"] == ["gateway.answered"]
    system.publish("gateway.answered", {"type": type}, correlation_id="case")
    system.wait_idle(5)
    assert states() == {"gateway/charge": state}
    stands_on = said[-1].metadata.extensions.get("saga")
    assert stands_on == (["gateway/charge"] if state != "doing" else None)


def test_what_is_done_after_the_case_has_failed_is_undone_at_once(
    system: ActorSystem, said: list[Event], states: States
) -> None:
    system.spawn(Gateway)
    system.publish("shelf.reserved", correlation_id="case")
    system.wait_idle(5)
    system.publish("order.failed", correlation_id="case")
    system.wait_idle(5)
    assert states() == {"gateway/charge": "doing"}
    system.publish("gateway.answered", {"type": "till.charged"}, correlation_id="case")
    system.wait_idle(5)
    assert types(said)[-3:] == ["till.charged", "saga.resumed", "till.refunded"]
    assert said[-1].payload == {"handled": "shelf.reserved"}
    assert states() == {"gateway/charge": "compensated"}


# -- all kinds of methods ---------------------------------------------------------------------


class Kinds(SagaParticipant):
    compensate_on = ("order.failed",)

    @step("go.plain", emits="plain.done", compensate="undo_plain")
    def plain(self, event: Event) -> object:
        return {}

    def undo_plain(self, event: Event) -> None:
        self.emit("plain.undone")

    @step("go.coroutine", emits="coroutine.done", compensate="undo_coroutine")
    async def coroutine(self, event: Event) -> object:
        return {}

    async def undo_coroutine(self, event: Event) -> None:
        self.emit("coroutine.undone")

    @step("go.generator", emits="generator.done", compensate="undo_generator")
    def generator(self, event: Event) -> Generator[object, None, None]:
        yield "generator.began", {}
        yield "generator.done", {}

    def undo_generator(self, event: Event) -> Generator[object, None, None]:
        yield "generator.undone", {}

    @step("go.stream", emits="stream.done", compensate="undo_stream")
    async def stream(self, event: Event) -> AsyncGenerator[object, None]:
        yield "stream.done", {}

    async def undo_stream(self, event: Event) -> AsyncGenerator[object, None]:
        yield "stream.undone", {}


@pytest.mark.parametrize("kind", ["plain", "coroutine", "generator", "stream"])
def test_any_kind_of_method_is_a_step_and_undoes_one(
    system: ActorSystem, said: list[Event], states: States, kind: str
) -> None:
    system.spawn(Kinds)
    system.publish(f"go.{kind}", correlation_id="case")
    system.wait_idle(5)
    assert states() == {f"kinds/{kind}": "done"}
    [done] = [event for event in said if event.type == f"{kind}.done"]
    assert done.metadata.extensions["saga"] == [f"kinds/{kind}"]
    system.publish("order.failed", correlation_id="case")
    system.wait_idle(5)
    assert types(said).count(f"{kind}.undone") == 1
    assert states()[f"kinds/{kind}"] == "compensated"
    assert not system.dead_letters()


class Careless(SagaParticipant):
    retry = Retry(attempts=1)

    @step("go", emits="done", fails="failed")
    def go(self, event: Event) -> object:
        return 3


def test_a_step_that_returns_something_else_has_failed(
    system: ActorSystem, said: list[Event]
) -> None:
    system.spawn(Careless)
    system.publish("go")
    system.wait_idle(5)
    assert said[1].type == "failed"
    assert "returned a int" in said[1].payload["reason"]


# -- without `fails` ---------------------------------------------------------------------------


class Fragile(SagaParticipant):
    retry = Retry(attempts=1)
    works = False

    def __init__(self) -> None:
        super().__init__()
        self.noted = 0

    @step("go", emits="done")
    def go(self, event: Event) -> object:
        if not self.works:
            raise ValueError("broken")
        return {}

    @on("go")
    def beside(self, event: Event) -> None:
        self.noted += 1
        self.emit("noted")


def test_without_fails_it_is_a_dead_letter_and_may_be_redelivered(
    system: ActorSystem, said: list[Event], states: States, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.spawn(Fragile)
    system.publish("go")
    system.wait_idle(5)
    [letter] = system.dead_letters()
    assert (letter.reason, letter.agent) == ("failed", "fragile")
    assert isinstance(letter.error, ValueError)
    assert states() == {"fragile/go": "failed"}
    assert types(said).count("noted") == 1  # the other handler of the event is none the worse
    monkeypatch.setattr(Fragile, "works", True)
    system.redeliver(letter)
    system.wait_idle(5)
    assert "done" in types(said)
    assert states() == {"fragile/go": "done"}
    assert not system.dead_letters()


# -- with a state ------------------------------------------------------------------------------


@attrs.frozen
class Total:
    charged: int = 0

    @applies("till.charged")
    def add(self, event: Event) -> Total:
        return Total(self.charged + 1)


class Sourced(SagaParticipant, EventSourcedAgent[Total]):
    emits = ("till.charged",)

    @step("shelf.reserved", emits="till.charged", fails="till.refused")
    def charge(self, event: Event) -> object:
        self.emit("till.charged", {})
        if event.payload.get("fail"):
            raise StepFailed("no")
        return None


def test_a_participant_may_be_event_sourced(system: ActorSystem, said: list[Event]) -> None:
    ref = system.spawn(Sourced)
    system.publish("shelf.reserved")
    system.publish("shelf.reserved", {"fail": True})
    system.wait_idle(5)
    assert types(said).count("till.charged") == 1
    assert types(said).count("till.refused") == 1
    assert ref.proxy().state.get().charged == 1


# -- what is declared wrongly -------------------------------------------------------------------


def test_an_overriding_method_stays_a_step(system: ActorSystem, said: list[Event]) -> None:
    class Cheaper(Payment):
        def charge(self, reserved: Reserved) -> object:
            return {"order": "cheap"}

    system.spawn(Cheaper)
    charge(system, 5)
    assert said[1].payload == {"order": "cheap"}


def test_the_pivot_is_a_step_too(system: ActorSystem, said: list[Event], states: States) -> None:
    class Shipping(SagaParticipant):
        @pivot("go", emits="crate.sent")
        def send(self, event: Event) -> object:
            return {}

    system.spawn(Shipping)
    system.publish("go")
    system.wait_idle(5)
    assert states() == {"shipping/send": "done"}
