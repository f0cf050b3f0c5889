"""`choreia cases` and `choreia case`, on a store that a seeded run has filled.

``CHOREIA_EXPECT=write`` writes the expected files anew: look at them before they are committed.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from choreia import ActorSystem, Agent, Event, Retry, SagaParticipant, StepFailed, on, pivot, step
from choreia.cli.app import app
from choreia.cli.failures import run

EXPECTED = Path(__file__).with_name("expected")
NOW = 100.0
"""When somebody looks; the run begins at 0."""


class Kitchen(SagaParticipant):
    compensate_on = ("payment.declined",)

    @step("dish.ordered", emits="dish.cooked", compensate="throw_away")
    def cook(self, event: Event) -> None:
        self.spend(usd=0.25)
        self.emit("dish.cooked", {"dish": event.payload["dish"]})

    def throw_away(self, event: Event) -> None:
        self.emit("dish.thrown_away", {"dish": event.payload["dish"]})


class Cash(SagaParticipant):
    terminal = ("payment.taken", "payment.declined")
    retry = Retry(attempts=1)

    @pivot("dish.cooked", emits="payment.taken", fails="payment.declined")
    def charge(self, event: Event) -> None:
        self.spend(usd=1)
        self.spend(usd=0.5)
        if event.payload["dish"] == "soup":
            raise StepFailed("no \x1b[31mmoney [/bold]")
        self.emit("payment.taken", {"dish": event.payload["dish"], "token": "hunter2"})


class Clock(Agent):
    retry = None

    @on("clock.set")
    def set(self, event: Event) -> None:
        if event.payload["seconds"] < 0:
            raise ValueError("the past is \x1b[31mover [/bold]")
        self.after(event.payload["seconds"], "clock.rings", {})


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("cases") / "events.db"
    with ActorSystem(mode="simulated", seed=7, store=path) as system:
        for agent in (Kitchen, Cash, Clock):
            system.spawn(agent)
        for dish in ("soup", "cake"):
            system.publish("dish.ordered", {"dish": dish}, id=dish)
            system.advance(1)
        system.publish("clock.set", {"seconds": -1}, id="past")
        system.publish("clock.set", {"seconds": 3600}, id="future")
        system.advance(3)
    with ActorSystem(mode="simulated", seed=8, store=path) as system:
        system.publish("clock.set", {"seconds": 1}, id="nobody")
    return str(path)


@pytest.fixture(autouse=True)
def at(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("choreia.cli.case", "choreia.cli.cases"):
        monkeypatch.setattr(f"{module}.time", SimpleNamespace(time=lambda: NOW))


def choreia(*arguments: str, **options: Any) -> Result:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False, **options)
    assert "hunter" not in result.stdout, "what is secret is masked"
    assert "\x1b" not in result.stdout, "a terminal obeys nothing"
    return result


def expected(name: str, found: str) -> None:
    file = EXPECTED / name
    if os.environ.get("CHOREIA_EXPECT") == "write":
        file.write_text(found)
    assert found == file.read_text()


def names(*arguments: str) -> list[str]:
    document = json.loads(choreia("cases", *arguments, "--json").stdout)
    with_schema = json.loads(choreia("cases", *arguments, "-o", "json").stdout)
    assert with_schema == {"schema": "choreia.cases/1", **document}
    each = [
        json.loads(one) for one in choreia("cases", *arguments, "-o", "jsonl").stdout.splitlines()
    ]
    assert each == [{"schema": "choreia.cases/1", **one} for one in document["cases"]]
    return [one["case"] for one in document["cases"]]


# -- a list ---------------------------------------------------------------------------------------


def test_cases_are_listed(store: str) -> None:
    expected("cases.txt", choreia("cases", store).stdout)
    expected("cases.json", choreia("cases", store, "--json").stdout)


def test_the_newest_come_first_and_no_more_than_wanted(store: str) -> None:
    assert names(store) == ["nobody", "future", "past", "cake", "soup"]
    assert names(store, "--limit", "2") == ["nobody", "future"]


@pytest.mark.parametrize(
    ("verdict", "wanted"),
    [
        ("completed", ["cake"]),
        ("compensated", ["soup"]),
        ("waiting", ["future"]),
        ("died", ["past"]),
        ("stuck", ["nobody"]),
        ("running", []),
    ],
)
def test_only_those_with_a_verdict(store: str, verdict: str, wanted: list[str]) -> None:
    assert names(store, "--verdict", verdict, "--limit", "1") == wanted


def test_what_has_just_come_is_not_stuck(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("choreia.cli.cases.time", SimpleNamespace(time=lambda: 30.0))
    assert names(store, "--verdict", "running") == ["nobody"]


def test_a_verdict_that_is_none_is_refused(store: str) -> None:
    assert "'stuck'" in choreia("cases", store, "--verdict", "lost").stderr


def test_that_there_are_none_is_said(store: str, tmp_path: Path) -> None:
    assert choreia("cases", store, "--verdict", "running").stdout == "no case is running\n"
    empty = tmp_path / "events.db"
    ActorSystem(mode="simulated", store=empty).stop()
    assert choreia("cases", str(empty)).stdout == "no cases\n"


def test_the_store_of_a_list_may_come_from_elsewhere(store: str) -> None:
    plain = choreia("cases", store).stdout
    assert choreia("cases", "--store", store).stdout == plain
    assert choreia("cases", env={"CHOREIA_STORE": store}).stdout == plain
    assert choreia("cases", store, env={"CHOREIA_STORE": "/nowhere/else.db"}).stdout == plain
    none = choreia("cases", env={"CHOREIA_STORE": ""})
    assert none.exit_code == 2
    assert "which store? Give STORE, or --store, or set CHOREIA_STORE" in none.stderr


# -- one ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["soup", "cake", "past", "future", "nobody"])
def test_a_case_is_shown(store: str, case: str) -> None:
    expected(f"case-{case}.txt", choreia("case", store, case).stdout)
    expected(f"case-{case}.json", choreia("case", store, case, "--json").stdout)


def test_a_case_is_named_by_any_of_its_events(store: str) -> None:
    document = json.loads(choreia("case", store, "cake", "--json").stdout)
    with_schema = json.loads(choreia("case", store, "cake", "-o", "json").stdout)
    assert with_schema == {"schema": "choreia.case/1", **document}
    last = document["outcome"]["id"]
    assert last != "cake"
    assert choreia("case", store, last).stdout == choreia("case", store, "cake").stdout
    assert choreia("case", last, env={"CHOREIA_STORE": store}).exit_code == 0


def test_a_case_that_is_not_there_is_said(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(app, ["case", store, "no\x1b[31mbody"]) == 1
    said = capsys.readouterr().err
    assert "there is no case and no event no[31mbody in this store" in said
