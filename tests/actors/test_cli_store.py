"""The commands about stores: what they print, what they change, and how they end."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from choreia import ActorSystem, Agent, Event, GiveUp, SqliteStore, StoreLocked, on
from choreia.cli.app import app
from choreia.cli.failures import run
from choreia.runtime.errors import InvalidStore


class Fussy(Agent):
    fussy = True

    @on("order.placed")
    def take(self, event: Event) -> None:
        if event.payload["n"] == 3 and Fussy.fussy:
            raise GiveUp("not a three \x1b[31m")
        self.emit("order.taken", {"n": event.payload["n"]})


@pytest.fixture
def store(tmp_path: Path) -> str:
    """Five orders, of which one is a dead letter."""
    path = tmp_path / "events.db"
    with ActorSystem(store=path) as system:
        system.spawn(Fussy, name="fussy")
        for n in range(1, 6):
            payload = {"n": n, "password": "hunter2", "note": "\x1b[31mred"}
            system.publish("order.placed", payload, id=f"order-{n}")
        system.wait_idle(10)
    return str(path)


def choreia(*arguments: str, **options: Any) -> Result:
    return CliRunner().invoke(app, arguments, catch_exceptions=False, **options)


def lines(*arguments: str) -> list[dict[str, Any]]:
    result = choreia("events", *arguments, "-o", "jsonl")
    assert result.exit_code == 0
    return [json.loads(line) for line in result.stdout.splitlines()]


# -- events ---------------------------------------------------------------------------------------


def test_show_selects(store: str) -> None:
    def found(*options: str) -> list[int]:
        shown = lines("show", store, *options)
        return [one["payload"]["n"] for one in shown if one["type"].startswith("order.")]

    assert found("--type", "order.placed") == [1, 2, 3, 4, 5]
    assert found("--type", "order.placed", "--limit", "2") == [1, 2]
    assert found("--case", "order-2") == [2, 2]
    assert found("--source", "fussy") == [1, 2, 4, 5]
    assert found("--source", "did:choreia:local:fussy", "--type", "order.#") == [1, 2, 4, 5]
    everything = lines("show", store)
    assert [one["position"] for one in everything] == list(range(1, len(everything) + 1))
    third = next(one for one in everything if one["id"] == "order-3")
    after = lines("show", store, "--after", str(third["position"]))
    assert after == everything[third["position"] :]
    since = lines("show", store, "--since", str(third["recorded"]))
    until = lines("show", store, "--until", str(third["recorded"]))
    assert until + since == everything
    assert third in since
    assert lines("show", store, "--since", "2200-01-01") == []
    assert lines("show", store, "--until", "1999-12-31T00:00:00Z") == []
    assert choreia("events", "show", store, "--since", "noon").exit_code == 2


def test_show_is_for_eyes_and_masks_what_is_secret(store: str) -> None:
    result = choreia("events", "show", store, "--type", "order.placed", "--limit", "1")
    assert "order.placed" in result.stdout
    assert "local:outside" in result.stdout
    assert "hunter2" not in result.stdout
    assert "\x1b" not in result.stdout
    document = json.loads(choreia("events", "show", store, "-o", "json").stdout)
    assert document["schema"] == "choreia.events/1"
    assert len(document["events"]) == len(lines("show", store))
    assert "hunter2" not in json.dumps(document)


def test_tail_shows_the_last(store: str) -> None:
    everything = lines("show", store)
    assert lines("tail", store, "--no-follow", "-n", "3") == everything[-3:]
    placed = [one for one in everything if one["type"] == "order.placed"]
    assert lines("tail", store, "--no-follow", "-n", "2", "--type", "order.placed") == placed[-2:]
    assert lines("tail", store, "--no-follow", "-n", "0") == []


def test_tail_follows_a_store_that_is_written_to(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    with ActorSystem(store=path) as system:
        system.publish("first")
        arguments = [
            "events",
            "tail",
            str(path),
            "-o",
            "jsonl",
            "--type",
            "first",
            "--type",
            "next",
        ]
        with subprocess.Popen(
            [sys.executable, "-m", "choreia", *arguments], stdout=subprocess.PIPE
        ) as tail:
            assert tail.stdout is not None
            assert json.loads(tail.stdout.readline())["type"] == "first"
            system.publish("next")
            assert json.loads(tail.stdout.readline())["type"] == "next"
            tail.terminate()


def test_export_and_import_lose_nothing(store: str, tmp_path: Path) -> None:
    file, copy = tmp_path / "all.jsonl", str(tmp_path / "copy.db")
    assert choreia("events", "export", store, str(file)).exit_code == 0
    assert b"hunter2" in file.read_bytes(), "nothing is masked there"
    result = choreia("events", "import", copy, str(file))
    assert result.exit_code == 0
    assert choreia("events", "export", copy).stdout_bytes == file.read_bytes()
    assert lines("show", copy) == lines("show", store)
    with pytest.raises(InvalidStore, match="empty store"):
        choreia("events", "import", copy, str(file))
    assert run(app, ["events", "import", str(tmp_path / "bad.db"), __file__]) == 1


# -- dead letters ----------------------------------------------------------------------------------


def test_dead_letters_are_listed_and_shown(store: str) -> None:
    result = choreia("deadletters", "list", store)
    assert "fussy" in result.stdout
    assert "gave_up" in result.stdout
    assert "GiveUp: not a three" in result.stdout
    assert "\x1b" not in result.stdout
    listed = json.loads(choreia("deadletters", "list", store, "-o", "json").stdout)
    assert listed["schema"] == "choreia.deadletters/1"
    [letter] = listed["letters"]
    assert (letter["number"], letter["agent"], letter["event"]["id"]) == (1, "fussy", "order-3")
    one = json.loads(choreia("deadletters", "show", store, "1", "-o", "json").stdout)
    assert one["schema"] == "choreia.deadletter/1"
    assert "GiveUp: not a three" in one["traceback"]
    assert "hunter2" not in json.dumps(one)
    shown = choreia("deadletters", "show", store, "1").stdout
    assert "Traceback" in shown
    assert "order-3" in shown
    assert "hunter2" not in shown
    assert "\x1b" not in shown
    assert choreia("deadletters", "list", store, "--agent", "nobody").stdout == "no dead letters\n"
    with pytest.raises(InvalidStore, match="no dead letter 7"):
        choreia("deadletters", "show", store, "7")
    assert choreia("deadletters", "drop", store).exit_code == 2


def test_a_letter_is_retried_when_its_agent_is_started(
    store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = choreia("deadletters", "retry", store, "1")
    assert result.stdout == "1 will be tried again when their agents are started\n"
    assert "to be retried" in choreia("deadletters", "list", store).stdout
    monkeypatch.setattr(Fussy, "fussy", False)
    with ActorSystem(store=store) as system:
        system.spawn(Fussy, name="fussy")
        system.wait_idle(10)
        taken = [one.event.payload["n"] for one in system.store.read(pattern="order.taken")]
    assert taken == [1, 2, 4, 5, 3]
    assert choreia("deadletters", "list", store).stdout == "no dead letters\n"


def test_a_letter_is_dropped_and_its_event_stays(store: str) -> None:
    assert choreia("deadletters", "drop", store, "--all").stdout == "1 dropped\n"
    assert choreia("deadletters", "list", store).stdout == "no dead letters\n"
    assert len(lines("show", store, "--case", "order-3", "--type", "order.placed")) == 1


def test_who_writes_must_have_the_store_for_himself(store: str) -> None:
    with ActorSystem(store=store):
        with pytest.raises(StoreLocked):
            choreia("deadletters", "retry", store, "1")
        assert choreia("deadletters", "list", store).exit_code == 0


# -- a store as a whole ---------------------------------------------------------------------------


def test_info(store: str) -> None:
    told = choreia("store", "info", store).stdout
    assert "kind          sqlite" in told
    assert "dead letters  1" in told
    facts = json.loads(choreia("store", "info", store, "-o", "json").stdout)
    assert facts["schema"] == "choreia.store-info/1"
    [line] = choreia("store", "verify", store, "-o", "jsonl").stdout.splitlines()
    verdict = json.loads(line)
    assert (verdict["schema"], verdict["whole"]) == ("choreia.store-verify/1", True)
    assert verdict["head"] == facts["head"]
    assert (facts["agents"], facts["durability"], facts["clean"]) == (1, "full", True)


def test_verify(store: str) -> None:
    result = choreia("store", "verify", store)
    assert result.exit_code == 0
    assert result.stdout.endswith("whole\n")
    db = sqlite3.connect(store)
    db.execute("""UPDATE events SET payload = CAST('{"n":9}' AS BLOB) WHERE position = 5""")
    db.commit()
    db.close()
    result = choreia("store", "verify", store)
    assert result.exit_code == 1
    assert "DAMAGED  position 5: it is not what was recorded there" in result.stdout


def test_going_on_from_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    script = (
        "import os\nfrom choreia import ActorSystem\n"
        f"system = ActorSystem(store={str(path)!r})\n"
        "for n in range(20): system.publish('x', {'n': n})\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=False)
    Path(f"{path}-wal").unlink()
    assert run(app, ["store", "verify", str(path)]) == 1
    assert run(app, ["store", "compact", str(path)]) == 1
    result = choreia("store", "verify", str(path), "--accept")
    assert (result.exit_code, "accepted" in result.stdout) == (0, True)
    assert choreia("store", "verify", str(path)).exit_code == 0


def test_compact_and_erase(store: str) -> None:
    assert choreia("store", "compact", store).exit_code == 0
    asked = choreia("store", "erase", store, "--case", "order-2", "--reason", "x", input="n\n")
    assert asked.exit_code == 1
    result = choreia("store", "erase", store, "--case", "order-2", "--reason", "asked", "--yes")
    assert result.stdout == "2 events erased\n"
    assert "(erased)" in choreia("events", "show", store, "--case", "order-2").stdout
    assert choreia("store", "verify", store).exit_code == 0
    kept = SqliteStore(store, readonly=True)
    assert [one.reason for one in kept.erasures()] == ["asked"]
    kept.close()


def test_a_store_that_is_not_there_is_not_made_by_looking(tmp_path: Path) -> None:
    path = str(tmp_path / "none.db")
    for arguments in (["events", "show"], ["store", "info"], ["deadletters", "list"]):
        assert run(app, [*arguments, path]) == 1
    assert list(tmp_path.iterdir()) == []
