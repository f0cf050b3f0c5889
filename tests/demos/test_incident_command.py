"""``choreia demo incident``: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from click.testing import CliRunner, Result
from rich.console import Console

from choreia import ActorSystem
from choreia.cli.app import app
from choreia.cli.failures import run
from choreia.demos.incident import build, performance, service
from choreia.demos.incident.command import command
from choreia.demos.incident.events import ActionSubmitted
from choreia.demos.incident.faults import Fault
from choreia.demos.incident.live import Screen
from choreia.demos.incident.people import People, by_policy
from choreia.demos.incident.stage import play
from choreia.demos.incident.tempo import Tempo

REAL = evolve(
    Tempo(),
    sample=0.005,
    thought=0.02,
    deadline=30,
    work=0.02,
    beat=0.05,
    silent_after=20,
    stuck_after=20,
)


class Sloppy(service.Service):
    """Takes an action as often as it is brought, and once more."""

    def take(self, submitted: ActionSubmitted) -> None:
        super().take(submitted)
        self.book.executed.append((submitted.incident, submitted.digest))


def demo(*arguments: str, input: str | None = None) -> Result:
    return CliRunner().invoke(command, arguments, input=input, catch_exceptions=False)


def as_json(*arguments: str) -> Any:
    return json.loads(demo("--json", "-", *arguments).stdout)


@pytest.fixture
def sloppy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("choreia.demos.incident.choreography.Service", Sloppy)


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real time, but not much of it."""
    monkeypatch.setattr(performance, "Tempo", lambda: REAL)


def test_it_says_what_to_watch_for_and_how_it_went() -> None:
    result = demo()
    assert result.exit_code == 0
    assert result.stdout.startswith("Five watchers, two responders, one service, and nobody in ")
    for told in (
        "keeper            jumpy 50 -> 35 points: QUARANTINED",
        "fixer             PROPOSES roll_back checkout (to v41) 413b157d…",
        "supervisor        SUSPECTS fixer: stuck in act",
        "stand-by          TAKES OVER from fixer; the approval stays valid",
        "fixer             begins anew as instance 2; the old one is fenced",
        "stand-by          RESOLVED checkout-1",
        "jumpy          35  quarantined",
        "ok     actions: 1 executed",
    ):
        assert told in result.stdout
    assert result.stdout.endswith("\nIt all adds up.\n")
    assert "\x1b" not in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize("width", ["80", "100"])
def test_no_line_of_the_story_is_wider_than_the_terminal(width: str) -> None:
    result = CliRunner().invoke(command, [], env={"COLUMNS": width})
    assert max(map(len, result.stdout.splitlines())) <= int(width)


@pytest.mark.parametrize("fault", ["none", "hang", "crash", "slow"])
def test_what_is_expected_to_fail_is_not_logged_too(
    fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert demo("--fault", fault).exit_code == 0
    assert caplog.records == []


def test_the_outcome_as_json(tmp_path: Path) -> None:
    target = tmp_path / "result.json"
    assert demo("--json", str(target), "--service", "shop").exit_code == 0
    data = json.loads(target.read_text())
    assert data["format"] == 1
    assert data["adds_up"] is True
    assert all(check["holds"] for check in data["checks"])
    assert (data["service"], data["fault"]) == ("shop", "hang")
    [incident] = data["incidents"]
    assert incident["id"] == "shop-1"
    assert incident["action"] == {
        "name": "roll_back",
        "target": "shop",
        "parameters": {"to": "v41"},
    }
    assert len(incident["digest"]) == 64
    assert len(incident["alarms"]) == 3
    assert incident["outcomes"] == ["resolved"]
    assert incident["approved_by"] == ["did:human:ada"]
    assert incident["executed_by"] == ["stand-by"]
    assert [refused["by"] for refused in incident["refused"]] == ["did:humanoid:eve"]
    assert data["quarantined"] == ["jumpy"]
    assert data["suspected"] == [{"agent": "fixer", "reason": "stuck"}]
    assert {"time", "who", "type", "text"} == data["timeline"][0].keys()


def test_json_on_standard_output_is_nothing_but_json() -> None:
    result = demo("--json", "-")
    assert json.loads(result.stdout)["adds_up"] is True
    assert "It all adds up." in result.stderr


def test_a_simulated_run_is_a_function_of_its_seed() -> None:
    assert as_json("--seed", "1") == as_json("--seed", "1")
    assert as_json("--seed", "1") != as_json("--seed", "2")


def test_quiet_prints_nothing() -> None:
    result = demo("--quiet")
    assert (result.exit_code, result.output) == (0, "")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [("approve", "resolved"), ("veto", "vetoed"), ("nothing", "expired"), ("", "expired")],
)
def test_asking(answer: str, outcome: str) -> None:
    result = demo("--approve", "ask", input=f"{answer}\n")
    assert result.exit_code == 0
    assert "checkout-1: may this be done? (16 s to answer)" in result.stdout
    assert "  to = v41\n  because of watcher-" in result.stdout
    digest = "413b157d8369aff9f337c1edb675ceb0fadc61e7176c0d7753708a2cc6636715"
    assert f"  digest {digest}\n" in result.stdout
    assert f"incidents: each ended once: checkout-1 {outcome}\n" in result.stdout


def test_whoever_cannot_answer_ends_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO())
    assert run(app, ["demo", "incident", "--approve", "ask", "--quiet"]) == 130
    assert "Your answer" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("approve", "told"),
    [("veto", "ESCALATED checkout-1, vetoed"), ("none", "ESCALATED checkout-1, expired")],
)
def test_without_approval_nothing_is_done(approve: str, told: str) -> None:
    result = demo("--approve", approve)
    assert result.exit_code == 0
    assert told in result.stdout
    assert "ok     actions: 0 executed" in result.stdout


@pytest.mark.usefixtures("sloppy")
def test_what_does_not_add_up_is_exit_code_1(tmp_path: Path) -> None:
    target = tmp_path / "result.json"
    result = demo("--json", str(target))
    assert result.exit_code == 1
    assert "WRONG  actions: checkout-1: 2 times 413b157d, 1 due" in result.stdout
    assert result.stdout.endswith("\nIt does not add up: actions.\n")
    assert json.loads(target.read_text())["adds_up"] is False


@pytest.mark.usefixtures("sloppy")
def test_quiet_is_not_silent_about_it() -> None:
    result = demo("--quiet")
    assert result.exit_code == 1
    assert (result.stdout, result.stderr) == ("", "It does not add up: actions.\n")


@pytest.mark.usefixtures("sloppy")
def test_the_shell_sees_the_exit_code() -> None:
    assert run(app, ["demo", "incident", "--quiet"]) == 1


def test_the_name_of_the_service_cannot_drive_the_terminal() -> None:
    result = demo("--service", "[red]shop[/red]\x1b[31m\u202e", "--approve", "ask", input="veto\n")
    assert result.exit_code == 0
    assert "ALARM [red]shop[/red][31m: latency" in result.stdout
    assert "  roll_back [red]shop[/red][31m\n" in result.stdout
    assert "each ended once: [red]shop[/red][31m-1 vetoed" in result.stdout
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout


@pytest.mark.parametrize("name", ["", "x" * 41, "\udcff"])
def test_a_senseless_name_is_wrong_usage(name: str) -> None:
    assert demo("--service", name).exit_code == 2


def test_a_result_that_cannot_be_written_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "none" / "result.json"
    assert run(app, ["demo", "incident", "--json", str(target)]) == 1
    assert f"Error: {target}: cannot be written: No such file" in capsys.readouterr().err


# -- in real time, and drawn ------------------------------------------------------------------


@pytest.mark.usefixtures("real")
@pytest.mark.parametrize("arguments", [("--mode", "threads"), ("--live",)])
def test_in_real_time(arguments: tuple[str, ...]) -> None:
    result = demo("--fault", "none", "--pace", "1", *arguments)
    assert result.exit_code == 0
    assert result.stdout.count("RESOLVED checkout-1") == 1
    assert result.stdout.endswith("\nIt all adds up.\n")


def screen(height: int) -> tuple[Screen, str]:
    """Of a whole story, and all that was drawn meanwhile."""
    file = StringIO()
    console = Console(file=file, force_terminal=True, width=80, height=height)
    with ActorSystem(mode="simulated") as system:
        books = build(system, fault=Fault.HANG)
        with Screen(console, system, books) as screen:
            drawn = 0

            def look() -> None:
                nonlocal drawn
                if len(books.chronicle.lines) > drawn:  # once is enough: time is not real
                    drawn = len(books.chronicle.lines)
                    screen.look()

            play(system, books, People(system, books.service, by_policy, 4), 120, look)
    return screen, file.getvalue()


def test_the_screen_shows_agents_scores_and_the_story() -> None:
    _, text = screen(height=24)
    for shown in "fixer (2)", "stuck", "awaiting", "quarantined", "handled", "TAKES OVER":
        assert shown in text
    for hidden in "chronicle", "registry":
        assert hidden not in text


def test_the_screen_fits_its_terminal() -> None:
    view, _ = screen(height=24)
    assert len(view.console.render_lines(view, pad=False)) <= 24
