"""``choreia demo review``: what it prints, writes and returns."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from choreia import ActorSystem, DemoError
from choreia.demos.review import command as module
from choreia.demos.review.choreography import build
from choreia.demos.review.command import command
from choreia.demos.review.live import LiveView
from choreia.demos.review.report import Report
from choreia.demos.review.tables import show


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "source"
    root.mkdir()
    (root / "a.py").write_text("def f(x=[]):\n    x.append(1)\n    return x\n")
    (root / "b.py").write_text("f() == None\n")
    (root / "broken.py").write_text("def broken(:\n")
    return root


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, catch_exceptions=False)


def test_it_says_what_to_watch_for_then_the_result(tree: Path) -> None:
    result = run(str(tree))
    assert result.exit_code == 0
    assert "What to watch for" in result.output
    assert "the default of x is made once" in result.output
    assert "line 1: invalid syntax" in result.output
    assert "files: 3, unreadable: 1" in result.output
    assert "files/s" in result.output
    assert "\x1b" not in result.output  # plain where there is no terminal
    assert "Traceback" not in result.output  # told in the report, not logged


def test_quiet_leaves_out_all_but_the_result(tree: Path) -> None:
    result = run(str(tree), "--quiet")
    assert "What to watch for" not in result.output
    assert "the default of x is made once" in result.output


def test_json_to_a_file_is_the_report(tree: Path, tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    assert run(str(tree), "--json", str(file), "--analysts", "1").exit_code == 0
    result = json.loads(file.read_text())
    assert result["complete"] is True
    assert result["root"] == str(tree)
    assert [(item["path"], item["rule"]) for item in result["findings"]] == [
        ("a.py", "mutable-default"),
        ("b.py", "none-comparison"),
    ]
    assert result["unreadable"] == [{"path": "broken.py", "reason": "line 1: invalid syntax"}]


def test_json_to_standard_output_is_nothing_but_json(tree: Path) -> None:
    result = run(str(tree), "--json", "-")
    assert json.loads(result.stdout)["summary"]["files"] == 3
    assert "What to watch for" in result.stderr


def test_a_limit(tree: Path) -> None:
    assert json.loads(run(str(tree), "--limit", "1", "--json", "-").stdout)["summary"]["files"] == 1


def test_the_default_is_the_standard_library() -> None:
    result = json.loads(run("--limit", "3", "--json", "-").stdout)
    assert Path(result["root"]) == Path(json.__file__).parent.parent.resolve()
    assert result["complete"] is True


def test_a_missing_path_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="nowhere"):
        run(str(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--limit", "0"],
        ["--analysts", "0"],
        ["--analysts", "many"],
        ["--json", "/nonexistent/folder/x.json"],
        ["--json", "/"],
        ["--unknown"],
        ["a", "b"],
    ],
)
def test_wrong_usage_exits_2(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


def test_a_review_that_does_not_come_to_its_end_is_an_error(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build_without_clerk(system: ActorSystem, root: Path, **options: int) -> object:
        review = build(system, root, **options)
        system.ref("clerk").stop()
        return review

    monkeypatch.setattr(module, "build", build_without_clerk)
    file = tmp_path / "result.json"
    with pytest.raises(DemoError, match=r"2 files were left .*a\.py"):
        run(str(tree), "--json", str(file))
    assert json.loads(file.read_text())["unsettled"] == ["a.py", "b.py"]


def test_names_from_files_cannot_command_the_terminal(tmp_path: Path) -> None:
    root = tmp_path / "hostile"
    root.mkdir()
    (root / "a\x1b[2J\u202e[red]b[bold].py").write_text("x == None\n")
    (root / "c\x1b]0;title\x07.py").write_text("(")
    result = run(str(root))
    assert result.exit_code == 0
    assert not {"\x1b", "\x07", "\u202e"} & set(result.output)
    assert "[red]" in result.output


def test_other_failures_are_logged_as_ever(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("choreia.demos.review.metrics.measure", fail)
    logger = logging.getLogger("choreia.agent")
    before = (list(logger.handlers), logger.propagate)
    result = run(str(tree), "--limit", "1")
    assert "ZeroDivisionError: a bug" in result.output
    assert (logger.handlers, logger.propagate) == before


def test_the_live_view_shows_every_agent_and_its_mailbox(tree: Path) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100)
    with ActorSystem(mode="simulated") as system:
        review = build(system, tree)
        with LiveView(system, review.report, 3, console) as view:
            review.start()
            view.update()
            system.wait_idle(timeout=5)
            view.update()
        agents = [agent.name for agent in system.inspect().agents if agent.kind == "agent"]
    shown = screen.getvalue()
    assert all(name in shown for name in agents)
    assert "scout" in agents
    assert "3/3" in shown
    assert "░" in shown


def test_it_is_live_on_a_terminal(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    views: list[object] = []

    class Seen(LiveView):
        def update(self) -> None:
            views.append(self)
            super().update()

    looks = iter([True, False, True])

    def idle(system: ActorSystem) -> bool:
        system.wait_idle(timeout=60)
        return next(looks)

    def terminal(stderr: bool) -> Console:
        return Console(file=io.StringIO(), force_terminal=True, stderr=stderr)

    monkeypatch.setattr(module, "LiveView", Seen)
    monkeypatch.setattr(module, "Console", terminal)
    monkeypatch.setattr(module, "_idle", idle)
    run(str(tree), "--quiet")
    assert not views
    run(str(tree))
    assert len(views) == 1


def test_an_empty_report_can_be_shown() -> None:
    screen = io.StringIO()
    show(Report("/"), Console(file=screen))
    assert "files: 0" in screen.getvalue()
