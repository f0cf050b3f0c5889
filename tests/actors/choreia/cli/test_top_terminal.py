"""`choreia top` at a real terminal, looking at a real system in another process."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.actors.choreia.conftest import Run, Serve, Terminal

Top = Callable[..., "Terminal"]


@pytest.fixture
def top(run: Run, kitchen: Path) -> Top:
    def start(*args: str, **how: object) -> Terminal:
        return run("-m", "choreia", "top", "--system", str(kitchen), *args, **how)

    return start


def test_every_view(top: Top) -> None:
    terminal = top()
    terminal.until(r"\[1 Agents\](?s:.*)cook +○ idle")
    terminal.until(r"cook .* [1-9]\S* +[1-9]")
    terminal.press("2")
    terminal.until(r"\[2 Flows\](?s:.*)dish\.ready .*cook +waiter")
    terminal.press("3")
    terminal.until(r"\[3 Events\](?s:.*)dish\.served +waiter")
    terminal.press("4")
    terminal.until(r"\[4 Cases\](?s:.*)timer\.c")
    terminal.press("5")
    terminal.until(r"\[5 Presence\](?s:.*)cook +✓ online")
    terminal.press("6")
    terminal.until(r"\[6 Health\](?s:.*)dead letter clumsy")
    terminal.until(r"ValueError: the soup is \[31m on the floor \[/bold\]")
    terminal.press("\t")
    terminal.until(r"\[1 Agents\]")
    terminal.press("q")
    assert terminal.ended() == 0
    assert terminal.attributes() == terminal.before
    assert not terminal.on_other_screen


def test_a_view_to_begin_with(top: Top) -> None:
    top("--view", "health", "--every", "0.1").until(r"\[6 Health\]")


def test_filter_sort_and_selection(top: Top) -> None:
    terminal = top()
    terminal.until("cook(?s:.*)waiter")
    terminal.press("/wai\r")
    terminal.until(lambda: "waiter" in terminal.text and "supervisor" not in terminal.text)
    terminal.press("\x1b")
    terminal.until("supervisor")
    terminal.press("/!wai\r")
    terminal.until(lambda: "supervisor" in terminal.text and "waiter " not in terminal.text)
    terminal.press("\x1b")
    terminal.until("waiter ")
    terminal.press("g")
    terminal.until("▸ +clumsy")
    terminal.press("j")
    terminal.until("▸ +cook")
    terminal.press("G")
    terminal.until("▸ +waiter")
    terminal.until("clumsy(?s:.*)waiter")
    terminal.press("S")
    terminal.until("waiter(?s:.*)clumsy")


def test_looking_closer_and_back(top: Top) -> None:
    terminal = top()
    terminal.until("cook")
    terminal.press("/waiter\r")
    terminal.until(lambda: "cook " not in terminal.text)
    terminal.press("\r")
    terminal.until("(?i)waiter(?s:.*)dish.ready")
    terminal.until("Waiter")
    terminal.press("\x1b")
    terminal.until(r"\[1 Agents\](?s:.*)waiter +○")


def test_a_trace(top: Top) -> None:
    terminal = top("--view", "events")
    terminal.until("dish.served +waiter")
    terminal.press("t")
    terminal.until("timer.cook.cook(?s:.*)dish.ready(?s:.*)dish.served")
    terminal.until("(?i)trace")


def test_pause_and_step(top: Top) -> None:
    terminal = top("--every", "0.1")
    terminal.until("cook .* [1-9]")
    terminal.press("p")
    terminal.until("PAUSED")
    uptime = re.search("up .*? s", terminal.text)
    assert uptime
    terminal.press("[[[")
    terminal.until(lambda: (now := re.search("up .*? s", terminal.text)) != uptime and bool(now))
    terminal.press("p")
    terminal.until("live")


def test_help(top: Top) -> None:
    terminal = top()
    terminal.until("cook")
    terminal.press("?")
    terminal.until("filter: rows that have this regex in them")
    terminal.press("\x1b")
    terminal.until("cook")


def test_exports(top: Top, tmp_path: Path) -> None:
    terminal = top()
    terminal.until("cook")
    for key, kind in (("s", "svg"), ("h", "html"), ("j", "json")):
        terminal.press("e" + key)
        terminal.until(rf"exported to choreia-kitchen-[Aa]gents-\d{{8}}T\d{{6}}Z\.{kind}")
    svg, html, data = (
        next(tmp_path.glob(f"choreia-kitchen-*.{kind}")).read_text("utf-8")
        for kind in ("svg", "html", "json")
    )
    assert "cook" in svg
    assert "cook" in html
    fetched = [text.replace('xmlns="http://www.w3.org/2000/svg"', "") for text in (svg, html)]
    assert not [text for text in fetched if "http" in text or "@import" in text]
    document = json.loads(data)
    assert document["schema"] == "choreia.console/1"
    assert "waiter" in data


def test_copying(top: Top) -> None:
    terminal = top()
    terminal.until("cook")
    terminal.press("y")
    terminal.until("copied clumsy")
    assert b"\x1b]52;c;" in terminal.written


def test_small_and_large_terminals(top: Top) -> None:
    terminal = top(columns=40, lines=10)
    terminal.until(r"cook +○")
    assert terminal.text.count("\n") == 9
    terminal.resize(160, 50)
    terminal.until(r"q quit(?s:.*)\Z")
    terminal.until(lambda: "q quit" in terminal.screen.display[49], "the footer at the foot")
    terminal.resize(10, 3)
    terminal.until("too small|too sma")


def test_without_colours_symbols_say_the_same(top: Top) -> None:
    terminal = top("--view", "health", env={"NO_COLOR": "1"})
    terminal.until("✗ dead letter")
    codes = b";".join(re.findall(rb"\x1b\[([0-9;]*)m", terminal.written)).decode().split(";")
    assert not [code for code in codes if code and 30 <= int(code) <= 107]


def test_ascii_only(top: Top) -> None:
    terminal = top(env={"LC_ALL": "C"})
    terminal.until("cook")
    for key in "23456?":
        terminal.press(key)
        terminal.until(rf"\[{key} \w+\]" if key != "?" else "filter: rows")
    assert max(terminal.written) <= 0x7E


@pytest.mark.parametrize(
    ("end", "code"), [("q", 0), ("\x03", 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_the_terminal_is_as_it_was(top: Top, end: str | int, code: int) -> None:
    terminal = top()
    terminal.until("cook")
    assert terminal.attributes() != terminal.before
    if isinstance(end, str):
        terminal.press(end)
    else:
        terminal.process.send_signal(end)
    assert terminal.ended() == code
    assert terminal.attributes() == terminal.before
    assert not terminal.on_other_screen
    assert not terminal.screen.cursor.hidden
    assert "Traceback" not in terminal.text


def test_the_end_of_the_system_is_shown(run: Run, serve: Serve, place: Path) -> None:
    process = serve(place)
    terminal = run("-m", "choreia", "top", "--system", str(place))
    terminal.until("cook")
    process.kill()
    terminal.until("ENDED: the connection broke")
    assert "cook" in terminal.text, "the last picture stays"
    terminal.press("2q")
    assert terminal.ended() == 0
    assert "Traceback" not in terminal.text


def test_a_system_is_waited_for_and_found_again(run: Run, serve: Serve, place: Path) -> None:
    terminal = run("-m", "choreia", "top", "--wait", "--system", str(place))
    terminal.until("waiting for a running system")
    process = serve(place)
    terminal.until("cook(?s:.*)waiter")
    assert process.stdin is not None
    process.stdin.close()
    terminal.until("ENDED: stopped")
    serve(place)
    terminal.until("live")
    terminal.until("cook .* [1-9]")


def test_control(run: Run, serve: Serve, place: Path) -> None:
    serve(place, "control")
    terminal = run("-m", "choreia", "top", "--system", str(place))
    terminal.until("cook")
    terminal.press("/cook\r")
    terminal.until(lambda: "waiter " not in terminal.text)
    terminal.press("ap")
    terminal.until("pause agent cook")
    terminal.press("y")
    terminal.until("cook +‖ paused")


def test_a_system_that_is_stuck_keeps_no_key_waiting(run: Run, serve: Serve, place: Path) -> None:
    process = serve(place)
    terminal = run("-m", "choreia", "top", "--system", str(place))
    terminal.until("cook")
    os.kill(process.pid, signal.SIGSTOP)
    terminal.press("?")
    terminal.until("filter: rows")
    terminal.press("\x1b")
    terminal.until("the system has not answered for")
    os.kill(process.pid, signal.SIGCONT)
    terminal.until("the system answers again")


def test_a_terminal_that_cannot_be_drawn_on_gets_the_table(top: Top) -> None:
    terminal = top(env={"TERM": "dumb"})
    assert terminal.ended() == 0
    terminal.until(r"agent +state +mailbox(?s:.*)cook +\w+")
    assert b"\x1b" not in terminal.written
