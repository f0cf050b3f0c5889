"""The commands that look back: what they print, what they hide, and what they refuse."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import pytest
from click.testing import CliRunner, Result

from choreia import ActorSystem, Agent, Difference, Event, EventSourcedAgent, applies, on
from choreia.cli.app import app
from choreia.cli.failures import run
from choreia.cli.looking import difference_lines


@attrs.frozen
class Orders:
    """What the clerk knows."""

    status: dict[str, str] = attrs.field(factory=dict)
    password: str = ""
    lock: object = attrs.field(default=object, repr=False)

    @applies("order.*")
    def change(self, event: Event) -> Orders:
        id, kind = event.payload["id"], event.type.removeprefix("order.")
        return attrs.evolve(self, status={**self.status, id: kind}, password=f"hunter-{id}")


class Clerk(EventSourcedAgent[Orders]):
    @on("ask")
    def ask(self, event: Event) -> None:
        self.emit("order.new", {"id": event.payload["id"], "token": "hunter2"})

    @on("order.new")
    def pay(self, event: Event) -> None:
        self.emit("order.paid", {"id": event.payload["id"]})


class Deaf(Agent):
    @on("nothing")
    def hear(self, event: Event) -> None: ...


def build(system: ActorSystem) -> None:
    system.spawn(Clerk)
    system.spawn(Deaf)


def needy(system: ActorSystem, more: int) -> None: ...


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As `people:Clerk`, whatever this module is called."""
    module = ModuleType("people")
    vars(module).update(Clerk=Clerk, Deaf=Deaf, build=build, needy=needy, number=7)
    monkeypatch.setitem(sys.modules, "people", module)
    before = list(sys.path)
    yield
    sys.path[:] = before


@pytest.fixture
def store(tmp_path: Path) -> str:
    path = tmp_path / "events.db"
    with ActorSystem(mode="simulated", store=path) as system:
        build(system)
        for id in ("o-1", "o-2\x1b[31m"):
            system.publish("ask", {"id": id}, id=f"ask-{id[:3]}")
            system.wait_idle()
    return str(path)


def choreia(*arguments: str, **options: Any) -> Result:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False, **options)
    assert "hunter" not in result.stdout, "what is secret is masked"
    assert "\x1b" not in result.stdout, "a terminal obeys nothing"
    return result


def position(store: str, type: str, nth: int = 0) -> int:
    shown = choreia("events", "show", store, "--type", type, "-o", "jsonl").stdout
    found: int = json.loads(shown.splitlines()[nth])["position"]
    return found


# -- state ----------------------------------------------------------------------------------------


def test_a_state_is_shown_as_it_was_at_a_moment(store: str) -> None:
    def shown(*options: str) -> dict[str, Any]:
        result = choreia("state", store, "clerk", *options, "-o", "json")
        document: dict[str, Any] = json.loads(result.stdout)
        return document

    by_class = shown("--class", "people:Clerk")
    assert by_class == shown("--build", "people:build")
    assert [*by_class["state"]["status"].values()] == ["paid", "paid"]
    assert by_class["state"]["password"] == "***"
    assert by_class["state"]["lock"] == "<class 'object'>"
    assert (by_class["agent"], by_class["events"]) == ("did:choreia:local:clerk", 4)
    first = position(store, "order.new")
    at = shown("--class", "people:Clerk", "--at", str(first))
    assert (at["state"]["status"], at["events"], at["position"]) == ({"o-1": "new"}, 1, first)
    by_id = choreia("events", "show", store, "--type", "order.new", "-o", "jsonl").stdout
    id = json.loads(by_id.splitlines()[0])["id"]
    assert shown("--class", "people:Clerk", "--at", id) == at
    assert shown("--class", "people:Clerk", "--at", "1969-12-31")["state"]["status"] == {}
    later = shown("--class", "people:Clerk", "--at", "2200-01-01T00:00:00Z")
    assert later == by_class


def test_a_state_as_text(store: str) -> None:
    lines = choreia("state", store, "clerk", "--build", "people:build").stdout.splitlines()
    assert lines[0] == "agent     did:choreia:local:clerk"
    assert lines[1].startswith("position  ")
    assert lines[2] == "made of   4 events"
    assert '    "o-1": "paid",' in lines


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "give the agent's class: --class MODULE:CLASS, or --build"),
        (["--class", "people"], "write MODULE:NAME"),
        (["--class", "people:Nobody"], "people has no Nobody"),
        (["--class", "nowhere.at.all:X"], "No module named 'nowhere'"),
        (["--class", "people:Deaf"], "is no EventSourcedAgent"),
        (["--class", "people:build"], "is no EventSourcedAgent"),
        (["--build", "people:Clerk"], "is no function of a system"),
        (["--build", "people:number"], "is no function of a system"),
        (["--build", "people:needy"], "it is called with nothing but the system"),
        (["--class", "people:Clerk", "--at", "2026-99-99"], "give a time such as"),
        (["--class", "broken_on_purpose:X"], "raised ZeroDivisionError"),
    ],
)
def test_what_cannot_be_used_is_said(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken_on_purpose.py").write_text("1 / 0\n")
    result = choreia("state", store, "clerk", *options, env={"COLUMNS": "1000"})
    assert result.exit_code == 2
    assert says in " ".join(result.stderr.replace("│", " ").split())


def test_who_is_not_there_is_said(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(app, ["state", store, "nobody", "--class", "people:Clerk"]) == 1
    assert "no agent named 'nobody'" in capsys.readouterr().err
    assert run(app, ["state", store, "deaf", "--build", "people:build"]) == 2
    assert "of such, there are: clerk" in capsys.readouterr().err
    assert run(app, ["state", store, "clerk", "--class", "people:Clerk", "--at", "no-id"]) == 1
    assert "no event of the id" in capsys.readouterr().err


def test_a_module_of_the_current_folder_is_found(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "clerks_here.py").write_text("from people import Clerk\n")
    monkeypatch.chdir(tmp_path)
    result = choreia("state", store, "clerk", "--class", "clerks_here:Clerk")
    assert result.exit_code == 0
    monkeypatch.delitem(sys.modules, "clerks_here")


# -- replay ---------------------------------------------------------------------------------------


def test_replay_shows_what_each_event_changed(store: str) -> None:
    result = choreia("replay", store, "--build", "people:build")
    lines = result.stdout.splitlines()
    new = next(n for n, line in enumerate(lines) if " order.new " in line)
    assert lines[new + 1].strip() == "status.o-1: nothing → 'new'"
    assert lines[new + 2].strip() == "password: '***' → '***'"
    paid = next(n for n, line in enumerate(lines) if " order.paid " in line)
    assert lines[paid + 1].strip() == "status.o-1: 'new' → 'paid'"
    by_class = ("--agent", "clerk", "--class", "people:Clerk")
    assert choreia("replay", store, *by_class).stdout == result.stdout
    by_both = ("--agent", "clerk", "--build", "people:build")
    assert choreia("replay", store, *by_both).stdout == result.stdout


def test_replay_selects_and_still_knows_what_it_left_out(store: str) -> None:
    def shown(*options: str) -> list[dict[str, Any]]:
        command = ("replay", store, "--build", "people:build", "-o", "jsonl", *options)
        return [json.loads(line) for line in choreia(*command).stdout.splitlines()]

    paid = shown("--pattern", "order.paid")
    assert [one["type"] for one in paid] == ["order.paid", "order.paid"]
    assert paid[0]["changes"] == [{"path": "status.o-1", "before": "new", "after": "paid"}]
    assert shown("--pattern", "order.paid", "--limit", "1") == paid[:1]
    until = str(paid[0]["position"])
    assert shown("--until", until)[-1] == paid[0]
    everything = json.loads(choreia("replay", store, "-o", "json").stdout)
    assert everything["schema"] == "choreia.replay/1"
    assert all(one["changes"] == [] for one in everything["events"])
    assert [one["position"] for one in shown()] == list(range(1, len(shown()) + 1))


def test_replay_steps_only_for_somebody_who_types(store: str) -> None:
    command = ("replay", store, "--pattern", "order.*", "--step")
    assert len(choreia(*command, input="").stdout.splitlines()) == 4


def test_replay_says_what_is_missing(store: str) -> None:
    for options in (["--class", "people:Clerk"], ["--agent", "clerk"]):
        result = choreia("replay", store, *options)
        assert result.exit_code == 2
        assert "--class" in result.stderr


# -- fork -----------------------------------------------------------------------------------------


def test_fork_shows_what_comes_out_differently(store: str) -> None:
    at = position(store, "ask")
    before = Path(store).read_bytes()
    common = ("fork", store, "--at", str(at), "--build", "people:build")
    result = choreia(*common, "--set", "payload.id=o-9", "--set", "payload.token=hunter9")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[:3] == [
        f"at {at}, ask of local:outside",
        "    payload.id: 'o-1' → 'o-9'",
        "    payload.token: nothing → '***'",
    ]
    new = next(line for line in lines if line.startswith("changed") and " order.new " in line)
    assert lines[lines.index(new) + 1] == "    payload.id: 'o-1' → 'o-9'"
    assert "in the end local:clerk knows" in lines
    assert "    status.o-1: 'paid' → nothing" in lines
    assert "    status.o-9: nothing → 'paid'" in lines
    assert lines[-2] == "3 events as they were, 2 changed, 0 gone, 0 new"
    assert lines[-1].startswith("note: deaf (Deaf) keeps what it knows in plain attributes")
    assert Path(store).read_bytes() == before


def test_fork_without_a_change_shows_no_difference(store: str) -> None:
    at = str(position(store, "ask"))
    result = choreia("fork", store, "--at", at, "--build", "people:build", "-o", "json")
    document = json.loads(result.stdout)
    assert (document["differs"], document["divergences"], document["states"]) == (False, [], {})
    assert (document["same"], document["beyond"]) == (6, 0)
    assert document["anew"] == {"deaf": "Deaf"}
    changed = choreia(
        "fork", store, "--at", "ask-o-1", "--build", "people:build", "--set", 'payload.id="x"',
        "-o", "json",
    )  # fmt: skip
    document = json.loads(changed.stdout)
    assert document["change"] == [{"path": "payload.id", "before": "o-1", "after": "x"}]
    assert [one["kind"] for one in document["divergences"]] == ["changed", "changed"]


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--at", "1"], 2, "--build MODULE:FUNCTION"),
        (["--build", "people:build"], 2, "Missing option '--at'"),
        (["--at", "2026-01-01", "--build", "people:build"], 2, "give a position or the id"),
        (["--at", "ask-o-1", "--build", "people:build", "--set", "x"], 2, "write PATH=VALUE"),
        (["--at", "ask-o-1", "--build", "people:build", "--set", "x=1"], 1, "write payload.NAME"),
        (["--at", "1", "--build", "people:build"], 1, "the runtime's own news"),
        (["--at", "no-id", "--build", "people:build"], 1, "no such event"),
        (["--at", "ask-o-1", "--build", "people:needy"], 2, "nothing but the system"),
    ],
)
def test_fork_says_what_it_cannot_use(
    store: str, capsys: pytest.CaptureFixture[str], options: list[str], code: int, says: str
) -> None:
    assert run(app, ["fork", store, *options]) == code
    assert says in " ".join(capsys.readouterr().err.split())


def test_what_is_inside_of_what_is_secret_is_masked_too() -> None:
    inside = [Difference("card.token.digits[2]", 4, 5), Difference("n", {"secret": 1}, 2)]
    assert list(difference_lines(inside)) == [
        "card.token.digits[2]: '***' → '***'",
        "n: {'secret': '***'} → 2",
    ]
