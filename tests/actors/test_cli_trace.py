"""`choreia trace` and `choreia explain`, on a store that a seeded run has filled.

``CHOREIA_EXPECT=write`` writes the expected files anew: look at them before they are committed.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner, Result

from choreia import ActorSystem, Agent, Event, on
from choreia.cli.app import app
from choreia.cli.failures import run

EXPECTED = Path(__file__).with_name("expected")
SUFFIXES = {"tree": "txt", "mermaid": "mmd", "html": "html", "json": "json"}


class Cook(Agent):
    @on("dish.ordered")
    def cook(self, event: Event) -> None:
        self.after(5, "dish.cold", {"dish": event.payload["dish"]}, key=event.payload["dish"])
        self.emit("dish.ready", {"dish": event.payload["dish"]})


class Waiter(Agent):
    key = "payload.dish"
    retry = None

    @on("dish.ready")
    def serve(self, event: Event) -> None:
        if event.payload["dish"] == "soup":
            raise ValueError("the soup is \x1b[31m too hot [/bold]")
        self.emit("dish.served", {"dish": event.payload["dish"]})


class Boss(Agent):
    @on("dish.served", {"payload.dish": {"$in": ["fish"]}})
    def taste(self, event: Event) -> None: ...


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("trace") / "events.db"
    with ActorSystem(mode="simulated", seed=7, store=path) as system:
        for agent in (Cook, Waiter, Boss):
            system.spawn(agent)
        system.publish("dish.ordered", {"dish": "soup", "token": "hunter2"}, id="soup")
        system.advance(1)
        system.publish("dish.ordered", {"dish": "cake"}, id="cake")
        system.advance(9)
        system.publish("dish.ordred", {"dish": "typo"}, id="typo")
    return str(path)


def choreia(*arguments: str, **options: Any) -> Result:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False, **options)
    assert "hunter" not in result.stdout, "what is secret is masked"
    assert "\x1b" not in result.stdout, "a terminal obeys nothing"
    return result


def expected(name: str, found: str) -> None:
    file = EXPECTED / name
    if os.environ.get("CHOREIA_EXPECT") == "write":
        file.parent.mkdir(exist_ok=True)
        file.write_text(found)
    assert found == file.read_text()


@pytest.mark.parametrize("form", SUFFIXES)
def test_a_trace_of_a_seeded_run(store: str, form: str) -> None:
    shown = choreia("trace", store, "soup", "--format", form)
    assert shown.exit_code == 0
    expected(f"trace.{SUFFIXES[form]}", shown.stdout)


def test_a_case_is_named_by_any_of_its_events(store: str) -> None:
    document = json.loads(choreia("trace", store, "cake", "--format", "json").stdout)
    last = document["events"][-1]["id"]
    assert choreia("trace", store, last).stdout == choreia("trace", store, "cake").stdout


@pytest.mark.parametrize("form", SUFFIXES)
def test_shuffled_timestamps_change_nothing(store: str, form: str, tmp_path: Path) -> None:
    """They are for people, and anybody may set them: the order is the log's."""
    copy = tmp_path / "events.db"
    with sqlite3.connect(store) as given, sqlite3.connect(copy) as taken:
        given.backup(taken)
        rows = [number for (number,) in taken.execute("SELECT position FROM events")]
        random = Random(1)
        for number in rows:
            new = random.uniform(1, 2e9)
            taken.execute("UPDATE events SET timestamp = ? WHERE position = ?", (new, number))
    given.close()
    taken.close()
    copy.chmod(0o600)
    for case in ("soup", "cake"):
        before = choreia("trace", store, case, "--format", form).stdout
        assert choreia("trace", str(copy), case, "--format", form).stdout == before


def test_no_times_leaves_them_out(store: str) -> None:
    shown = choreia("trace", store, "soup", "--no-times").stdout
    assert not re.search(r"\d m?s\b", shown)


def test_it_is_written_to_a_file(store: str, tmp_path: Path) -> None:
    file = tmp_path / "case.html"
    result = choreia("trace", store, "soup", "--format", "html", "-o", str(file))
    assert result.stdout == ""
    assert file.read_text() == (EXPECTED / "trace.html").read_text()


def test_nothing_is_written_when_there_is_no_such_case(store: str, tmp_path: Path) -> None:
    file = tmp_path / "case.html"
    assert run(app, ["trace", store, "nobody", "-o", str(file)]) == 1
    assert not file.exists()


@pytest.mark.parametrize("event", ["soup", "cake", "typo"])
def test_an_explanation(store: str, event: str) -> None:
    expected(f"explain-{event}.txt", choreia("explain", store, event).stdout)


def test_an_explanation_for_programs(store: str) -> None:
    served = next(
        one["id"]
        for one in json.loads(choreia("trace", store, "cake", "--format", "json").stdout)["events"]
        if one["type"] == "dish.served"
    )
    document = json.loads(choreia("explain", store, served, "--json").stdout)
    with_schema = json.loads(choreia("explain", store, served, "-o", "json").stdout)
    assert with_schema == {"schema": "choreia.explain/1", **document}
    by_agent = {one["agent"]: one for one in document["subscribers"]}
    assert by_agent["boss"]["misses"][0]["filter"]["found"] == ["cake"]
    assert (document["matched"], document["nearest"]) == (0, [])


# -- which store ----------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["trace", "explain"])
def test_the_store_may_come_from_elsewhere(store: str, command: str) -> None:
    plain = choreia(command, store, "soup").stdout
    assert choreia(command, "--store", store, "soup").stdout == plain
    assert choreia(command, "soup", env={"CHOREIA_STORE": store}).stdout == plain
    other = {"CHOREIA_STORE": "/nowhere/else.db"}
    assert choreia(command, store, "soup", env=other).stdout == plain


@pytest.mark.parametrize("command", ["trace", "explain"])
def test_what_is_missing_or_too_much_is_named(store: str, command: str) -> None:
    none = choreia(command, "soup", env={"CHOREIA_STORE": ""})
    assert none.exit_code == 2
    assert "which store? Give STORE before" in none.stderr
    many = choreia(command, store, "soup", "more")
    assert many.exit_code == 2
    assert "and nothing more: got 3" in many.stderr


@pytest.mark.parametrize("command", ["trace", "explain"])
def test_what_is_not_there_is_said(
    store: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(app, [command, store, "no\x1b[31mbody"]) == 1
    said = capsys.readouterr().err
    assert "there is no case and no event no[31mbody in this store" in said
    assert "\x1b" not in said


def test_a_case_that_is_no_event_cannot_be_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "events.db"
    with ActorSystem(mode="simulated", store=path) as system:
        system.publish("a.b", {}, correlation_id="trip")
    assert run(app, ["trace", str(path), "trip"]) == 0
    assert run(app, ["explain", str(path), "trip"]) == 1
    assert "there is no event trip in the case trip" in capsys.readouterr().err
