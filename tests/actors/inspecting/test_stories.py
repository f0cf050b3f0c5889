"""Cases, and what came of what in them, as whoever looks is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from choreia import Agent, Event, InspectionFailed, MemoryStore, Retry, on
from choreia.actors.inspecting import stories as module
from choreia.saga import SagaParticipant, step

if TYPE_CHECKING:
    from tests.actors.inspecting.conftest import Look


class Stock(SagaParticipant):
    retry = Retry(attempts=1)
    terminal = ("order.done",)
    compensate_on = ("order.undone",)

    @step("order.made", emits="stock.taken", compensate="give_back")
    def take(self, event: Event) -> None:
        self.emit("stock.taken", {"token": "t", "n": event.payload["n"]})

    def give_back(self, event: Event) -> None:
        self.emit("stock.given")

    @on("stock.taken", filter={"payload.n": 1})
    def end(self, event: Event) -> None:
        self.emit("order.done")

    @on("stock.taken", filter={"payload.n": 2})
    def fail(self, event: Event) -> None:
        raise ValueError("no")


class Auditor(Agent):
    @on("paid", filter={"payload.card.number": {"$regex": "^5"}})
    def look_at_it(self, event: Event) -> None:
        pass


@pytest.fixture(params=["memory", "log"])
def looked(request: pytest.FixtureRequest, look: Look) -> Any:
    looked = look(store=None if request.param == "memory" else MemoryStore())
    looked.system.spawn(Stock, name="stock")
    return looked


def test_cases_are_listed_with_their_verdicts_and_steps(looked: Any) -> None:
    done = looked.system.publish("order.made", {"n": 1})
    died = looked.system.publish("order.made", {"n": 3})
    looked.system.wait_idle(30)
    said = looked.call("cases")
    assert said["age"] >= 0
    by_id = {one["case"]: one for one in said["cases"]}
    assert by_id[done.id]["verdict"] == "completed"
    assert by_id[done.id]["type"] == "order.made"
    assert by_id[done.id]["events"] == 3
    assert by_id[done.id]["over"] is True
    [step_] = by_id[done.id]["steps"]
    assert (step_["agent"], step_["name"], step_["state"]) == ("stock", "take", "done")
    assert step_["compensates"] is True
    assert by_id[died.id]["verdict"] == "died"
    assert by_id[died.id]["reason"]


def test_one_may_ask_for_a_verdict(looked: Any) -> None:
    looked.system.publish("order.made", {"n": 1})
    died = looked.system.publish("order.made", {"n": 3})
    looked.system.wait_idle(30)
    assert [one["case"] for one in looked.call("cases", verdict="died")["cases"]] == [died.id]
    with pytest.raises(InspectionFailed, match="one of running"):
        looked.call("cases", verdict="great")
    with pytest.raises(InspectionFailed, match="limit=0"):
        looked.call("cases", limit=0)


def test_a_trace_is_what_the_command_shows(looked: Any) -> None:
    made = looked.system.publish("order.made", {"n": 1})
    looked.system.wait_idle(30)
    said = looked.call("trace", of=made.id)
    assert said["case"] == made.id
    assert said["verdict"] == "completed"
    assert [one["type"] for one in said["events"]] == ["order.made", "stock.taken", "order.done"]
    assert [one["depth"] for one in said["events"]] == [0, 1, 2]
    assert [line.split()[0] for line in said["tree"].splitlines() if "stock.taken" in line]
    assert said["explanation"] is None
    assert not any("payload" in one for one in said["events"])
    shown = looked.call("trace", of=made.id, payloads=True)["events"]
    assert shown[1]["payload"] == {"token": "***", "n": 1}


def test_of_a_long_case_the_first_events_are_shown(
    looked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_EVENTS", 2)
    made = looked.system.publish("order.made", {"n": 1})
    looked.system.wait_idle(30)
    said = looked.call("trace", of=made.id)
    assert [one["type"] for one in said["events"]] == ["order.made", "stock.taken"]
    assert said["more"] == 1


def test_any_event_of_a_case_names_it_and_is_explained(looked: Any) -> None:
    made = looked.system.publish("order.made", {"n": 1})
    looked.system.wait_idle(30)
    [taken] = looked.call("events", topic="stock.taken")["events"]
    said = looked.call("trace", of=taken["id"], explain=True)
    assert said["case"] == made.id
    shown = looked.call("trace", of=taken["id"], explain=True, payloads=True)
    assert shown["explanation"] == str(looked.system.explain(taken["id"]))
    assert said["explanation"] != shown["explanation"]


def test_what_is_hidden_is_hidden_in_every_text(look: Look) -> None:
    looked = look(redact=("card.number",))
    looked.system.spawn(Auditor, name="auditor")
    paid = looked.system.publish(
        "paid", {"card": {"number": "4242"}, "note": "a gift", "password": "swordfish"}
    )
    looked.system.wait_idle(30)
    hidden = str(looked.call("trace", of=paid.id, explain=True))
    shown = str(looked.call("trace", of=paid.id, explain=True, payloads=True))
    assert "a gift" not in hidden
    assert "paid (hidden), from" in hidden  # and not {}, as if there were nothing in it
    assert "a gift" in shown
    for secret in "4242", "swordfish":
        assert secret not in hidden
        assert secret not in shown


def test_what_is_not_known_is_unknown(looked: Any) -> None:
    with pytest.raises(InspectionFailed) as caught:
        looked.call("trace", of="nothing")
    assert caught.value.code == "unknown"


def test_a_system_that_remembers_nothing_says_so(look: Look) -> None:
    looked = look(remember=0)
    for verb, args in (("cases", {}), ("trace", {"of": "x"}), ("events", {})):
        with pytest.raises(InspectionFailed, match="remembers nothing"):
            looked.call(verb, **args)
