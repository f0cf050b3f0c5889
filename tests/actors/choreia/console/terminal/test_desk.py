"""Between the model and the connection: what is told goes in, what is asked goes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from choreia.console.model.asks import EVENTS, Ask, Call, Copy, Follow, Quit, Unfollow
from choreia.console.model.line import Line
from choreia.console.terminal.desk import PATIENCE, Desk
from choreia.console.terminal.link import Link
from choreia.console.terminal.news import (
    Answered,
    Broken,
    Complained,
    Connected,
    Heard,
    Logged,
    Lost,
    Pictured,
)
from choreia.runtime.inspection.frames import Problem

NO = Problem("failed", "no")


class Model:
    """Remembers what it is told; `asks` are what it wants at the next key or tick."""

    def __init__(self, hello: Mapping[str, object]) -> None:
        self.said: list[object] = [("hello", hello)]
        self.asks: list[Ask] = []
        self.parts: frozenset[str] = frozenset({"agents"})

    def frame(self, data: Mapping[str, object]) -> None:
        self.said.append(("frame", data))

    def events(self, data: Mapping[str, object]) -> None:
        self.said.append(("events", data))

    def answer(self, tag: str, data: Mapping[str, object] | None, problem: Problem | None) -> None:
        self.said.append((tag, data, problem))

    def silent(self, seconds: float | None) -> None:
        self.said.append(("silent", seconds))

    def lost(self, reason: str) -> None:
        self.said.append(("lost", reason))

    def found(self, hello: Mapping[str, object]) -> None:
        self.said.append(("found", hello))

    def log(self, text: str) -> None:
        self.said.append(("log", text))

    def notice(self, text: str, style: str = "") -> None:
        self.said.append((style, text))

    def tick(self, now: float) -> Sequence[Ask]:
        return self._asks()

    def press(self, key: str) -> Sequence[Ask]:
        self.said.append(("key", key))
        return self._asks()

    def lines(self, width: int, height: int) -> list[Line]:
        return []

    def document(self) -> dict[str, object]:
        return {}

    def _asks(self) -> list[Ask]:
        asks, self.asks = self.asks, []
        return asks


class Wire(Link):
    """A connection that only remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    def look(self, parts: frozenset[str]) -> None:
        self.asked.append(sorted(parts))

    def follow(self, args: Mapping[str, object]) -> None:
        self.asked.append(args)

    def unfollow(self) -> None:
        self.asked.append(None)

    def call(self, verb: str, args: Mapping[str, object], tag: str) -> None:
        self.asked.append((verb, args, tag))


class Setting:
    def __init__(self) -> None:
        self.wire = Wire()
        self.done: list[Ask] = []
        self.now = 0.0
        self.model = Model({})
        self.desk = Desk(
            self._make, self.wire, self.done.append, view="3", every=0.5,
            monotonic=lambda: self.now,
        )  # fmt: skip

    def _make(self, hello: Mapping[str, object]) -> Model:
        self.model = Model(hello)
        return self.model

    def connect(self) -> None:
        self.desk.take(Connected({"node": "n"}))
        self.model.said.clear()
        self.wire.asked.clear()


@pytest.fixture
def setting() -> Setting:
    return Setting()


@pytest.fixture
def connected(setting: Setting) -> Setting:
    setting.connect()
    return setting


def test_it_waits_until_there_is_a_system(setting: Setting) -> None:
    assert setting.desk.model.document()["view"] == "waiting"
    setting.desk.tick(0)
    assert not setting.wire.asked, "nobody is there to be looked at"
    setting.desk.take(Connected({"node": "n"}))
    assert setting.desk.model is setting.model
    assert setting.model.said == [("hello", {"node": "n"}), ("key", "3")]
    assert setting.wire.asked == [["agents"]]
    assert setting.desk.node == "n"


def test_what_is_told_goes_into_the_model(connected: Setting) -> None:
    for news in (
        Pictured({"at": 1}), Heard({"events": []}), Answered("tag", None, NO), Logged("line"),
        Complained("why"), Lost("stopped"), Connected({"node": "m"}),
    ):  # fmt: skip
        connected.desk.take(news)
    assert connected.model.said == [
        ("frame", {"at": 1}), ("events", {"events": []}), ("tag", None, NO), ("log", "line"),
        ("bad", "why"), ("lost", "stopped"), ("found", {"node": "m"}),
    ]  # fmt: skip


def test_what_is_asked_goes_out(connected: Setting) -> None:
    connected.model.asks = [Call("cases", {}, "tag"), Follow({"topic": "a"}), Unfollow(), Quit()]
    connected.desk.press("j")
    connected.model.asks = [Copy("id")]
    connected.desk.tick(0)
    assert connected.wire.asked == [("cases", {}, "tag"), {"topic": "a"}, None]
    assert connected.done == [Quit(), Copy("id")]


def test_other_parts_are_asked_for_when_they_are_needed(connected: Setting) -> None:
    connected.desk.press("j")
    assert not connected.wire.asked
    connected.model.parts = frozenset({"agents", "flows"})
    connected.desk.press("2")
    assert connected.wire.asked == [["agents", "flows"]]


def test_calls_on_their_way_are_counted(connected: Setting) -> None:
    connected.model.asks = [Call("cases", {}, "one"), Call("cases", {}, "two")]
    connected.desk.tick(0)
    connected.desk.take(Answered(EVENTS, None, NO))
    assert connected.desk.unanswered == 2
    connected.desk.take(Answered("one", {}, None))
    assert connected.desk.unanswered == 1


def test_silence_is_told_and_its_end(connected: Setting) -> None:
    connected.now = 0.5 + PATIENCE
    connected.desk.tick(0)
    assert not connected.model.said
    connected.now = 4.0
    connected.desk.tick(0)
    connected.desk.take(Pictured({}))
    connected.desk.tick(0)
    connected.desk.take(Pictured({}))
    assert connected.model.said == [
        ("silent", 4.0), ("warn", "the system has not answered for 4 s"),
        ("silent", None), ("good", "the system answers again"),
        ("frame", {}), ("frame", {}),
    ]  # fmt: skip


def test_who_is_gone_is_not_called_silent(connected: Setting) -> None:
    connected.desk.take(Lost("stopped"))
    connected.now = 1_000
    connected.desk.tick(0)
    assert connected.model.said == [("lost", "stopped")]


def test_a_fault_of_a_thread_is_raised(connected: Setting) -> None:
    with pytest.raises(ZeroDivisionError):
        connected.desk.take(Broken(ZeroDivisionError()))
