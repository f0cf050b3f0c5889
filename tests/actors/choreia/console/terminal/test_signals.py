"""Signals are told, and handled as before afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from choreia.console.terminal.news import News, Signalled
from choreia.console.terminal.signals import HANDLED, told


def never() -> None:
    raise AssertionError("nobody wanted to end")


@pytest.mark.parametrize("number", HANDLED)
def test_each_is_told(number: int) -> None:
    news: list[News] = []
    before = signal.getsignal(number)
    with told(news.append, never):
        os.kill(os.getpid(), number)
    assert news == [Signalled(number)]
    assert signal.getsignal(number) == before


def test_what_is_ignored_stays_ignored() -> None:
    news: list[News] = []
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with told(news.append, never):
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert not news


def test_a_second_request_to_end_is_obeyed_at_once() -> None:
    code = """if True:
        import os, signal
        from choreia.console.terminal.signals import told
        with told(lambda news: None, lambda: print("put back", flush=True)):
            os.kill(os.getpid(), signal.SIGWINCH)
            os.kill(os.getpid(), signal.SIGWINCH)
            os.kill(os.getpid(), signal.SIGTERM)
            print("goes on", flush=True)
            os.kill(os.getpid(), signal.SIGTERM)
            print("never")
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("goes on\nput back\n", 128 + signal.SIGTERM)
