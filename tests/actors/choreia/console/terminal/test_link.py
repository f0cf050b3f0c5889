"""The connection's thread, against a system that says what the test wants it to."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from choreia.console.model.asks import EVENTS
from choreia.console.terminal.link import MOST_CALLS, Link
from choreia.console.terminal.news import (
    Answered,
    Complained,
    Connected,
    Heard,
    Logged,
    Lost,
    News,
    Pictured,
)
from choreia.runtime.errors import NoSuchSystem, SeveralSystems
from choreia.runtime.inspection.client import Client
from choreia.runtime.inspection.frames import SCHEMA, Problem

DEADLINE = 30.0
HELLO = {"node": "n", "pid": 1}


class System:
    """One that is looked at: `asked` is the next request, `say` a reply."""

    def __init__(self, path: Path) -> None:
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(path))
        self._listening.listen()
        self._listening.settimeout(DEADLINE)
        self._open = contextlib.ExitStack()

    def accept(self) -> None:
        """Take the next connection; `Client` waits for its hello meanwhile, in another thread."""
        peer, _ = self._listening.accept()
        self._peer = self._open.enter_context(peer)
        self._peer.settimeout(DEADLINE)
        self._file = self._open.enter_context(peer.makefile("rb"))
        self.say(self.asked("hello"), HELLO)

    def asked(self, verb: str) -> dict[str, Any]:
        request: dict[str, Any] = json.loads(self._file.readline())
        assert request["verb"] == verb
        return request

    def say(self, request: Mapping[str, Any], data: object, **more: object) -> None:
        said = {"schema": SCHEMA, "id": request["id"], "verb": request["verb"], "ok": True}
        self._peer.sendall(json.dumps({**said, "data": data, **more}).encode() + b"\n")

    def refuse(self, request: Mapping[str, Any], code: str) -> None:
        self.say(request, {}, ok=False, error={"code": code, "message": "because"})

    def leave(self, reason: str | None = None) -> None:
        if reason is not None:
            self.say({"id": None, "verb": "bye"}, {"reason": reason})
        self._open.close()

    def close(self) -> None:
        self.leave()
        self._listening.close()


class Ear:
    """What is told."""

    def __init__(self) -> None:
        self.news: SimpleQueue[News] = SimpleQueue()

    def next(self) -> News:
        return self.news.get(timeout=DEADLINE)


@pytest.fixture
def system(place: Path) -> Iterator[System]:
    there = System(place)
    yield there
    there.close()


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def link(place: Path, ear: Ear) -> Iterator[Link]:
    yield from linked(place, ear, wait=False)


@pytest.fixture
def patient(place: Path, ear: Ear) -> Iterator[Link]:
    yield from linked(place, ear, wait=True)


def linked(place: Path, ear: Ear, *, wait: bool) -> Iterator[Link]:
    link = Link(lambda _: Client(place), ear.news.put, client=None, every=0.5, wait=wait)
    link.start()
    yield link
    link.stop()


def test_snapshots_have_the_parts_that_are_wanted(system: System, link: Link, ear: Ear) -> None:
    system.accept()
    assert ear.next() == Connected(HELLO)
    link.look(frozenset({"flows", "agents"}))
    first = system.asked("snapshot")
    assert first["args"] == {"every": 0.5, "parts": ["agents", "flows"]}
    system.say(first, {"at": 1})
    assert ear.next() == Pictured({"at": 1})
    link.look(frozenset({"agents"}))
    second = system.asked("snapshot")
    system.say(first, {"at": 2})  # was on its way: it has other parts
    system.say(second, {"at": 3})
    assert ear.next() == Pictured({"at": 3})


def test_calls_are_answered_under_their_tags(system: System, link: Link, ear: Ear) -> None:
    system.accept()
    ear.next()
    link.call("agent", {"name": "a"}, "one")
    link.call("agent", {"name": "b"}, "two")
    one, two = system.asked("agent"), system.asked("agent")
    system.refuse(two, "unknown")
    system.say(one, {"name": "a"})
    assert ear.next() == Answered("two", None, Problem("unknown", "because"))
    assert ear.next() == Answered("one", {"name": "a"}, None)


def test_the_stream_of_events(system: System, link: Link, ear: Ear) -> None:
    system.accept()
    ear.next()
    link.follow({"topic": "a"})
    old = system.asked("events")
    assert old["args"] == {"topic": "a", "follow": True}
    link.follow({"topic": "b"})
    new = system.asked("events")
    system.say(old, {"events": [1], "missed": 0})
    system.say(new, {"events": [2], "missed": 0}, dropped=3)
    assert ear.next() == Heard({"events": [2], "missed": 0})
    assert ear.next() == Logged("3 pieces of events came too fast to be shown")
    link.follow({"topic": "#.#"})
    system.refuse(system.asked("events"), "bad_argument")
    assert ear.next() == Answered(EVENTS, None, Problem("bad_argument", "because"))
    link.unfollow()
    end = system.asked("events")
    assert end["args"] == {"follow": None}
    system.say(end, {"done": True})
    link.call("cases", {}, "tag")
    system.say(system.asked("cases"), {})
    assert ear.next() == Answered("tag", {}, None), "the end of a stream is no piece of it"


def test_a_snapshot_that_is_refused_is_complained_of(system: System, link: Link, ear: Ear) -> None:
    system.accept()
    ear.next()
    link.look(frozenset({"agents"}))
    system.refuse(system.asked("snapshot"), "failed")
    assert ear.next() == Complained("because")


def test_a_request_that_is_too_long_is_not_sent(system: System, link: Link, ear: Ear) -> None:
    system.accept()
    ear.next()
    link.call("agent", {"name": "x" * 5_000}, "tag")
    answer = ear.next()
    assert isinstance(answer, Answered)
    assert answer.problem is not None
    assert "5,0" in answer.problem.message


def test_who_is_stuck_is_asked_no_more(system: System, link: Link, ear: Ear) -> None:
    system.accept()
    ear.next()
    for number in range(MOST_CALLS + 1):
        link.call("cases", {}, str(number))
    answer = ear.next()
    assert isinstance(answer, Answered)
    assert (answer.tag, answer.problem and answer.problem.code) == (str(MOST_CALLS), "busy")
    system.say(system.asked("cases"), {})
    assert ear.next() == Answered("0", {}, None)


def test_a_loss_is_told_and_fails_what_was_asked(system: System, link: Link, ear: Ear) -> None:
    system.accept()
    ear.next()
    link.call("cases", {}, "tag")
    system.asked("cases")
    system.leave("stopped")
    assert ear.next() == Answered("tag", None, Problem("failed", "the connection broke"))
    assert ear.next() == Lost("stopped")
    link.look(frozenset())
    link.call("cases", {}, "late")
    assert ear.next() == Answered("late", None, Problem("failed", "there is no connection"))


def test_after_a_loss_the_streams_are_asked_for_again(
    system: System, patient: Link, ear: Ear
) -> None:
    system.accept()
    assert ear.next() == Connected(HELLO)
    patient.look(frozenset({"agents"}))
    patient.follow({"topic": "a"})
    system.asked("snapshot")
    system.asked("events")
    system.leave()
    assert ear.next() == Lost("the connection broke")
    system.accept()
    assert ear.next() == Connected(HELLO)
    snapshot, events = system.asked("snapshot"), system.asked("events")
    assert events["args"] == {"topic": "a", "follow": True}
    system.say(snapshot, {"at": 1})
    assert ear.next() == Pictured({"at": 1})


def test_why_nothing_is_found_is_told_once(ear: Ear) -> None:
    reasons = iter([NoSuchSystem("none"), SeveralSystems("two"), SeveralSystems("two")])
    tried: SimpleQueue[object] = SimpleQueue()

    def connect(hello: object) -> Client:
        tried.put(hello)
        raise next(reasons, SeveralSystems("three"))

    link = Link(connect, ear.news.put, client=None, every=1, wait=True)
    link.start()
    assert [ear.next(), ear.next()] == [Complained("two"), Complained("three")]
    link.stop()
    assert tried.get() is None


def test_a_fault_ends_the_thread_and_is_told(ear: Ear) -> None:
    def connect(hello: object) -> Client:
        raise ZeroDivisionError

    link = Link(connect, ear.news.put, client=None, every=1, wait=True)
    link.start()
    assert "ZeroDivisionError" in str(ear.next())
    link.stop()


def test_what_talks_nonsense_is_lost(system: System, link: Link, ear: Ear) -> None:
    system.accept()
    ear.next()
    system.say({"id": 1, "verb": "x"}, {}, schema="choreia.inspect/9")
    lost = ear.next()
    assert isinstance(lost, Lost)
    assert "choreia.inspect/9" in lost.reason
