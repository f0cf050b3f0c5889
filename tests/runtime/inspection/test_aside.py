"""Slow answers: nobody waits for another's, and there are never many."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from choreia.runtime.inspection.answering import Answer

if TYPE_CHECKING:
    from tests.runtime.inspection.conftest import Connect, Desk, MakeFeed, Serve, Until


def test_slow_answers_hold_up_nobody_else_and_one_client_has_one(
    serve: Serve, connect: Connect, desk: Desk, until: Until
) -> None:
    going, most, lock = 0, 0, threading.Lock()
    go_on = threading.Event()

    def slow(args: object) -> Answer:
        nonlocal going, most
        with lock:
            going += 1
            most = max(most, going)
        go_on.wait(20)
        with lock:
            going -= 1
        return {}

    desk.verbs["slow"] = slow
    desk.slow.add("slow")
    serve()
    first, second, other = connect(), connect(), connect()
    for number in range(5):
        first.ask("slow", number)
    first.ask("hello", 99)
    until(lambda: going == 1)
    second.ask("slow")
    until(lambda: going == 2)
    assert other.answer("hello")["ok"]
    assert most == 2
    go_on.set()
    assert [first.reply()["id"] for _ in range(6)] == [0, 1, 2, 3, 4, 99]  # in order
    assert second.reply()["ok"]
    assert most == 2


def test_slow_answers_that_nobody_waits_for_are_bounded(
    serve: Serve, connect: Connect, desk: Desk, until: Until
) -> None:
    go_on = threading.Event()
    desk.verbs["x"] = lambda _: {"went": go_on.wait(20)}
    desk.slow.add("x")
    server = serve()
    for _ in range(8):
        client = connect()
        client.ask("x")
        until(lambda: len(desk.asked) == 1)
        desk.asked.clear()
        client.hang_up()
        until(lambda: server.clients == 0)
    client = connect()
    assert client.answer("x")["error"]["code"] == "busy"
    assert client.answer("hello")["ok"]
    go_on.set()
    until(lambda: client.answer("x")["ok"])


def test_no_thread_for_a_slow_answer_is_told(
    serve: Serve, connect: Connect, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.slow.add("echo")
    serve()
    client = connect()
    assert client.answer("hello")["ok"]

    def fail(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fail)
    assert client.answer("echo")["error"]["code"] == "busy"
    monkeypatch.undo()
    assert client.answer("echo")["ok"]


def test_a_stream_that_comes_too_late_is_closed(
    serve: Serve, connect: Connect, desk: Desk, feed: MakeFeed, until: Until
) -> None:
    made, go_on = feed(), threading.Event()
    begin = desk.verbs["feed"]
    desk.verbs["feed"] = lambda args: begin({"went": go_on.wait(20)})
    desk.slow.add("feed")
    server = serve()
    client = connect()
    client.ask("feed")
    until(lambda: desk.peers)
    client.hang_up()
    until(lambda: server.clients == 0)
    go_on.set()
    until(lambda: made.closed == made.begun == 1)
