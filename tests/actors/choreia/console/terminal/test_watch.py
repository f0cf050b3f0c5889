"""The whole of the terminal, at a real one: what is drawn, and how it is left."""

from __future__ import annotations

import base64
import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.actors.choreia.conftest import Run, Serve, Terminal

PLAYING = str(Path(__file__).with_name("playing.py"))

Play = Callable[..., "Terminal"]


@pytest.fixture
def play(run: Run, kitchen: Path) -> Play:
    def start(**how: object) -> Terminal:
        terminal = run(PLAYING, str(kitchen), **how)
        terminal.until("many frames")
        return terminal

    return start


def left_as_it_was(terminal: Terminal) -> bool:
    return (
        terminal.attributes() == terminal.before
        and not terminal.on_other_screen
        and not terminal.screen.cursor.hidden
    )


def test_keys_and_pictures(play: Play) -> None:
    terminal = play()
    assert "100x30" in terminal.text
    assert terminal.on_other_screen
    assert terminal.screen.cursor.hidden
    terminal.press("j\x1b[A\x1b")
    terminal.until("key j\\s+key up\\s+key esc")
    terminal.press("q")
    assert terminal.ended() == 0
    assert left_as_it_was(terminal)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signals_end_it_and_the_terminal_is_as_it_was(play: Play, number: int) -> None:
    terminal = play()
    terminal.process.send_signal(number)
    assert terminal.ended() == 128 + number
    assert left_as_it_was(terminal)
    assert "Traceback" not in terminal.text


def test_ctrl_c(play: Play) -> None:
    terminal = play()
    terminal.press("\x03")
    assert terminal.ended() == 130
    assert left_as_it_was(terminal)
    assert "Traceback" not in terminal.text


def test_a_second_ctrl_c_ends_what_hangs(play: Play, tmp_path: Path) -> None:
    terminal = play()
    terminal.press("z")  # the model hangs, and so does the loop
    # Ctrl-C lets go what is typed before it and not read yet.
    terminal.until((tmp_path / "hanging").exists, "the key")

    def ended() -> bool:
        terminal.press("\x03")
        return terminal.process.poll() is not None

    terminal.until(ended)
    assert terminal.ended() == 130
    assert left_as_it_was(terminal)


def test_a_crash_is_told_on_a_terminal_that_is_as_it_was(play: Play) -> None:
    terminal = play()
    terminal.press("x")
    assert terminal.ended() == 1
    assert left_as_it_was(terminal)
    assert "ZeroDivisionError: the model is broken" in terminal.text
    left = terminal.written.rfind(b"\x1b[?1049l")
    assert terminal.written.find(b"Traceback") > left > 0


def test_the_window_is_closed(play: Play) -> None:
    terminal = play()
    terminal.hang_up()
    assert terminal.ended() == 128 + signal.SIGHUP


def test_resizing_draws_anew(play: Play) -> None:
    terminal = play()
    for columns, lines in [(120, 40), (40, 10), (1, 1), (100, 30)]:
        terminal.resize(columns, lines)
        terminal.until(f"^{columns}x{lines}" if columns > 1 else "^…$")


def test_what_is_printed_and_logged_does_not_spoil_the_screen(play: Play) -> None:
    terminal = play()
    terminal.press("o")
    terminal.until("log: printed +\\s+log: printed to stderr +\\s+log: logged")
    terminal.until(r"log: .*playing\.py:\d+: ")  # and as much of it as there is room for
    assert terminal.screen.display[0].startswith("100x30, many frames")


def test_what_the_system_does_not_know(play: Play) -> None:
    terminal = play()
    terminal.press("s")
    terminal.until("tag: Problem\\(code='unknown_verb'")


def test_copying_is_said_to_the_terminal_and_to_whoever_looks(play: Play) -> None:
    terminal = play()
    terminal.press("c")
    terminal.until("notice: copied the id")
    data = base64.b64encode(b"the id")
    assert b"\x1b]52;c;" + data + b"\x07" in terminal.written


def test_exports_do_not_overwrite(play: Play, tmp_path: Path) -> None:
    terminal = play()
    terminal.press("eee")
    said = "notice: exported to choreia-kitchen-plain_view-"
    terminal.until(lambda: terminal.text.count(said) == 3, said)
    assert len(list(tmp_path.glob("choreia-kitchen-plain_view-*.svg"))) == 3


def test_a_folder_that_cannot_be_written_is_told(run: Run, kitchen: Path, tmp_path: Path) -> None:
    terminal = run(PLAYING, str(kitchen))
    terminal.until("many frames")
    tmp_path.rmdir()
    terminal.press("e")
    terminal.until("notice: not exported: No such file")
    terminal.press("q")
    assert terminal.ended() == 0
    tmp_path.mkdir()


def test_without_colours(play: Play) -> None:
    terminal = play(env={"NO_COLOR": "1"})
    terminal.press("q")
    terminal.ended()
    assert not colours(terminal.written)


def test_with_colours(play: Play) -> None:
    assert colours(play(env={"NO_COLOR": ""}).written)


def test_where_only_ascii_can_be_shown(play: Play) -> None:
    for env in ({"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}):
        terminal = play(env=env)
        terminal.press("u")
        terminal.until("wide: \\?{4}, \\?")
        assert max(terminal.written) <= 0x7E


def test_ctrl_z_gives_the_terminal_back_until_it_goes_on(run: Run, kitchen: Path) -> None:
    play = f'"{sys.executable}" "{PLAYING}" "{kitchen}"'
    shell = f"set -m; {play}; echo stopped; read line; fg; echo over"
    terminal = run("-c", shell, program="/bin/sh")
    terminal.until("many frames")
    raw = terminal.attributes()
    terminal.press("\x1a")
    terminal.until("stopped")
    assert left_as_it_was(terminal)
    terminal.press("\n")
    terminal.until(lambda: terminal.on_other_screen and terminal.attributes() == raw, "the screen")
    terminal.press("j")
    terminal.until("key j")
    assert terminal.screen.cursor.hidden
    terminal.press("q")
    terminal.until("over")
    assert terminal.ended() == 0
    assert left_as_it_was(terminal)


def test_a_terminal_that_was_taken_away_is_set_up_again(play: Play) -> None:
    terminal = play()
    raw = terminal.attributes()
    terminal.process.send_signal(signal.SIGSTOP)
    terminal.set_attributes(terminal.before)
    terminal.process.send_signal(signal.SIGCONT)
    terminal.until(lambda: terminal.attributes() == raw, "the mode")
    terminal.press("q")
    assert terminal.ended() == 0
    assert left_as_it_was(terminal)


def test_keys_come_from_the_terminal_when_input_is_led_elsewhere(run: Run, kitchen: Path) -> None:
    shell = f'"{sys.executable}" "{PLAYING}" "{kitchen}" < /dev/null'
    terminal = run("-c", shell, program="/bin/sh")
    terminal.until("many frames")
    terminal.press("q")
    assert terminal.ended() == 0
    assert left_as_it_was(terminal)


def test_the_end_of_the_system_is_shown(run: Run, serve: Serve, place: Path) -> None:
    process = serve(place)
    terminal = run(PLAYING, str(place))
    terminal.until("many frames")
    process.kill()
    terminal.until("lost: the connection broke")
    terminal.press("s")
    terminal.until("tag: Problem\\(code='failed', message='there is no connection'")
    terminal.press("q")
    assert terminal.ended() == 0


def test_a_system_is_waited_for_and_found_again(run: Run, serve: Serve, place: Path) -> None:
    terminal = run(PLAYING, str(place), "wait")
    terminal.until("waiting for a running system")
    process = serve(place)
    terminal.until("hello kitchen")
    terminal.until("many frames")
    assert process.stdin is not None
    process.stdin.close()
    terminal.until("lost: stopped")
    serve(place)
    terminal.until("found kitchen")


def test_waiting_can_be_given_up(run: Run, place: Path) -> None:
    terminal = run(PLAYING, str(place), "wait")
    terminal.until("waiting for a running system")
    terminal.press("q")
    assert terminal.ended() == 0
    assert left_as_it_was(terminal)


def test_a_system_that_is_stuck_keeps_no_key_waiting(run: Run, serve: Serve, place: Path) -> None:
    process = serve(place)
    terminal = run(PLAYING, str(place))
    terminal.until("many frames")
    os.kill(process.pid, signal.SIGSTOP)
    terminal.press("sssssj")
    terminal.until("key j")
    terminal.until("notice: the system has not answered for")
    os.kill(process.pid, signal.SIGCONT)
    terminal.until("notice: the system answers again")
    terminal.press("q")
    assert terminal.ended() == 0


def colours(written: bytes) -> list[str]:
    """The codes of colours in what was written."""
    found = b";".join(re.findall(rb"\x1b\[([0-9;]*)m", written)).decode().split(";")
    return [code for code in found if code and 30 <= int(code) <= 107]
