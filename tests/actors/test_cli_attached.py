"""The commands that look at a running system: what they show, and how they fail."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from choreia import ActorSystem, Agent, Event, Inspection, on
from choreia.cli.ps import lasting
from choreia.runtime.inspection.client import Client

if TYPE_CHECKING:
    from tests.actors.conftest import Cli

pytestmark = pytest.mark.usefixtures("sockets")


class Greeter(Agent):
    capabilities = ("greeting",)
    emits = ("greeted",)

    @on("go", {"payload.n": {"$gt": 0}})
    def greet(self, event: Event) -> None:
        self.emit("greeted", {"n": event.payload["n"], "password": "hunter2"})


class Fails(Agent):
    @on("bad")
    def bad(self, event: Event) -> None:
        raise ValueError("that \x1b[31mhurts")


@pytest.fixture
def system(sockets: Path) -> Iterator[ActorSystem]:
    with ActorSystem(node="here", inspect=Inspection(control=True)) as system:
        system.spawn(Greeter)
        system.spawn(Fails, retry=None)
        yield system


# -- ps -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("system")
def test_ps_shows_each_system(cli: Cli) -> None:
    with ActorSystem(node="other", inspect=True):
        done = cli("ps")
        head, *lines = done.out.splitlines()
        assert head.split() == ["NODE", "PID", "UPTIME", "AGENTS", "CONTROL", "STORE", "PROGRAM"]
        assert [line.split()[0] for line in lines] == ["here", "other"]
        document = json.loads(cli("ps", "-o", "json").out)
        each = [json.loads(line) for line in cli("ps", "-o", "jsonl").out.splitlines()]
    assert document["schema"] == "choreia.ps/1"
    first, second = document["systems"]
    assert (first["node"], first["control"], second["control"]) == ("here", True, False)
    assert first["agents"] == second["agents"] + 2
    assert [one["node"] for one in each] == ["here", "other"]
    assert {one["schema"] for one in each} == {"choreia.ps/1"}


def test_ps_of_nothing_is_no_failure(cli: Cli) -> None:
    done = cli("ps")
    assert (done.code, done.out) == (0, "")
    assert "no system is running" in done.err
    assert json.loads(cli("ps", "-o", "json").out)["systems"] == []


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.9, "0:00"), (725, "12:05"), (10_812, "3:00:12"), (183_612, "2 d 03:00:12")],
)
def test_uptime(seconds: float, shown: str) -> None:
    assert lasting(seconds) == shown


# -- agents ---------------------------------------------------------------------------------------


def test_agents_under_pressure_are_first(cli: Cli, system: ActorSystem) -> None:
    system.pause("greeter")
    system.wait_idle(30)
    for n in range(3):
        system.publish("go", {"n": n + 1})
    head, first, second = cli("agents").out.splitlines()
    assert head.split()[:3] == ["AGENT", "STATE", "MAILBOX"]
    assert first.split()[:3] == ["greeter", "paused", "3/1,000"]
    assert second.split()[0] == "fails"
    document = json.loads(cli("agents", "--all", "-o", "json").out)
    assert document["schema"] == "choreia.agents/1"
    assert {"registry", "supervisor", "greeter", "fails"} <= {a["name"] for a in document["agents"]}
    assert document["system"]["node"] == "here"


def test_agents_that_are_not_shown_are_counted(cli: Cli, system: ActorSystem) -> None:
    done = cli("agents", "--limit", "1", "-o", "jsonl")
    assert len(done.out.splitlines()) <= 1
    assert "more, under less pressure: see --limit" in done.err


# -- one agent ------------------------------------------------------------------------------------


def test_an_agent_looked_at_closely(cli: Cli, system: ActorSystem) -> None:
    system.publish("go", {"n": 1})
    system.wait_idle(30)
    said = cli("agent", "greeter").out
    assert "did:choreia:here:greeter" in said
    assert 'go → greet if {"payload.n": {"$gt": 0}}' in said
    assert "1 handled" in said
    assert "says         greeted" in said
    assert "hunter2" not in said
    shown = cli("agent", "greeter", "--payloads").out
    assert '{"n": 1, "password": "***"}' in shown
    document = json.loads(cli("agent", "greeter", "--payloads", "-o", "json").out)
    assert (document["schema"], document["name"]) == ("choreia.agent/1", "greeter")
    assert document["recent"][0]["payload"]["password"] == "***"


def test_what_events_and_errors_say_is_plain(cli: Cli, system: ActorSystem) -> None:
    system.publish("bad")
    system.wait_idle(30)
    done = cli("agent", "fails")
    assert "that [31mhurts" in done.out
    assert "\x1b" not in done.out
    assert "\x1b" not in cli("agent", "fails", "-o", "json").out


def test_an_agent_that_is_not_there(cli: Cli, system: ActorSystem) -> None:
    done = cli("agent", "nobody")
    assert (done.code, done.out) == (1, "")
    assert "no agent named 'nobody'" in done.err


# -- publish and control --------------------------------------------------------------------------


def test_publish_to_a_running_system(cli: Cli, system: ActorSystem) -> None:
    heard: list[Event] = []
    system.subscribe("greeted", heard.append)
    done = cli("publish", "go", '{"n": 5}')
    system.wait_idle(30)
    assert done.code == 0
    assert heard[0].metadata.causation_id == done.out.strip()
    assert json.loads(cli("publish", "go", '{"n": 0}', "-o", "json").out)["type"] == "go"


@pytest.mark.parametrize("payload", ["[1]", "{", '{"n": 1, "n": 2}', '{"n": NaN}', "5"])
def test_what_is_no_payload_is_wrong_usage(cli: Cli, system: ActorSystem, payload: str) -> None:
    done = cli("publish", "go", payload)
    assert done.code == 2
    assert "give a JSON object" in done.err


def test_too_much_for_one_request(cli: Cli, system: ActorSystem) -> None:
    done = cli("publish", "go", json.dumps({"text": "x" * 5_000}))
    assert done.code == 1
    assert "may be 4,096" in done.err


def test_publish_into_a_store(cli: Cli, tmp_path: Path) -> None:
    where = str(tmp_path / "events.db")
    done = cli("publish", "go", "--store", where)
    assert done.code == 1
    assert "there is no store" in done.err
    with ActorSystem(store=where) as system:
        system.spawn(Greeter)
        done = cli("publish", "go", "--store", where)
        assert done.code == 1, "it is in use"
    done = cli("publish", "go", '{"n": 7}', "--store", where)
    assert done.code == 0
    heard: list[Event] = []
    with ActorSystem(store=where) as system:
        system.subscribe("greeted", heard.append)
        system.spawn(Greeter)
        system.wait_idle(30)
        assert system.case(done.out.strip()).verdict.word == "died"
    assert [event.payload["n"] for event in heard] == [7]


def test_publish_goes_to_one_of_both(cli: Cli) -> None:
    done = cli("publish", "go", "--store", "x.db", "--system", "here")
    assert done.code == 2


def test_a_store_in_the_environment_is_not_published_into(
    cli: Cli, system: ActorSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHOREIA_STORE", "/nowhere.db")
    monkeypatch.setenv("CHOREIA_PUBLISH_STORE", "/nowhere.db")
    assert cli("publish", "go").code == 0


def test_control(cli: Cli, system: ActorSystem) -> None:
    controlled: list[Event] = []
    system.subscribe("system.controlled", controlled.append)
    assert cli("control", "pause", "greeter").out == "greeter is paused\n"
    system.wait_idle(30)
    assert re.search(r"^greeter +paused ", cli("agents").out, re.MULTILINE)
    assert json.loads(cli("control", "resume", "greeter", "-o", "json").out)["verb"] == "resume"
    assert cli("control", "restart", "greeter").code == 0
    system.wait_idle(30)
    system.publish("bad", id="the-letter")
    system.wait_idle(30)
    assert cli("control", "redeliver", "fails", "the-letter").code == 0
    assert cli("control", "redeliver", "fails", "no-letter").code == 1
    assert cli("control", "stop", "greeter").code == 0
    system.wait_idle(30)
    assert [event.payload["verb"] for event in controlled] == [
        "pause", "resume", "restart", "redeliver", "stop"
    ]  # fmt: skip
    assert "greeter" not in cli("agents").out


# -- how they fail --------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [("agents",), ("agent", "x"), ("publish", "go")])
def test_no_system_is_3(cli: Cli, arguments: tuple[str, ...]) -> None:
    done = cli(*arguments)
    assert (done.code, done.out) == (3, "")
    assert "no running system was found" in done.err
    assert cli(*arguments, "--system", "nobody").code == 3
    assert cli(*arguments, "--system", "/nowhere/x.sock").code == 3


@pytest.mark.usefixtures("system")
def test_several_systems_are_wrong_usage_until_one_is_named(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ActorSystem(node="other", inspect=True):
        done = cli("agents")
        assert done.code == 2
        assert "--system" in done.err
        assert cli("agents", "--system", "other").code == 0
        monkeypatch.setenv("CHOREIA_SYSTEM", "other")
        assert "greeter" not in cli("agents").out
        assert "greeter" in cli("agents", "--system", "here").out


def test_refused_is_4(cli: Cli) -> None:
    with ActorSystem(inspect=True) as system:
        system.spawn(Greeter)
        for arguments in (("publish", "go"), ("control", "pause", "greeter")):
            done = cli(*arguments)
            assert (done.code, done.out) == (4, "")
            assert "--control" in done.err


def test_no_answer_is_5(cli: Cli, sockets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sockets.mkdir(mode=0o700)
    path = sockets / "1-1.sock"
    monkeypatch.setattr(Client.__init__, "__defaults__", (0.05,))
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen()
        done = cli("agents", "--system", str(path))
    assert done.code == 5
    assert "did not answer" in done.err


def test_a_system_that_ends_is_3(cli: Cli, sockets: Path) -> None:
    sockets.mkdir(mode=0o700)
    path = sockets / "1-1.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()

        def hang_up() -> None:
            listening.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        done = cli("agents", "--system", str(path))
        thread.join()
    assert done.code == 3
    assert "is gone" in done.err
