"""Whatever comes in, and however large the screen: the picture keeps its shape."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from choreia.console.model.asks import Ask, Call
from choreia.console.model.console import Console
from choreia.console.model.line import Line, width_of
from choreia.runtime.inspection.frames import Problem

HOSTILE = [
    "\x1b[2J\x1b]0;owned\x07", "a\nb\rc\td", "\u202egnp.exe", "x" * 10_000, "界" * 3_000,
    "e\u0301" * 500, "\u0301", "👨\u200d👩\u200d👧 👍🏽 ❤\ufe0f 🇩🇪", "\ud800", "\x9b31m",
    "[red]bold[/red]",
    "\u1160\u1161",
    "\uff46\uff55\uff4c\uff4c", "नमस्ते", "\u3164", "\ue000\U0010ffff", "", " ", "billing", "agent.x",
]  # fmt: skip
KEYS = [
    "j", "k", "g", "G", "up", "down", "left", "right", "pageup", "pagedown", "home", "end",
    "enter", "esc", "backspace", "tab", "ctrl-u", "ctrl-l", "/", "s", "S", "t", "x", "n", "z",
    "p", "[", "]", "f", "e", "y", "P", "l", "?", "a", "r", "R", "q", "1", "2", "3", "4", "5", "6",
    "!", "(", "*", "{", ".", "界", "h",
]  # fmt: skip
COMES = ["a frame", "a frame", "events", "a log", "a loss", "a find", "a tick"]
FIELDS = [
    "time", "at", "node", "pid", "uptime", "agents", "shown", "states", "published", "handled",
    "failed", "dropped", "dead_letters", "share", "every", "name", "id", "kind", "class", "state",
    "size", "capacity", "high_water", "parked", "received", "emitted", "handler",
    "handler_seconds", "p95", "suspected", "incarnation", "heartbeat_age", "lag", "parked_on",
    "type", "rate", "events", "emitters", "reactors", "unheard", "capabilities",
    "specializations", "available_capacity", "load", "status", "agent", "reason", "seconds",
    "stack", "event", "error", "traceback", "attempts", "redeliverable", "source", "case",
    "cause", "hops", "payload", "verdict", "steps", "waits", "until", "duration", "pivot",
    "owed", "depth", "deliveries", "latency", "explanation", "subscriptions", "options",
    "filter", "pattern", "emits", "in_hand", "queued", "recent", "timers", "cases", "letters",
    "missed", "whole", "more", "done", "key", "program", "control",
]  # fmt: skip
LISTS = [
    "agents", "flows", "presence", "suspicions", "restarts", "dead_letters", "events", "cases",
    "letters", "timers", "recent", "queued", "subscriptions", "deliveries", "steps", "waits",
]  # fmt: skip
PARTS = ["system", "cost", "health", "options", "in_hand", "payload", "states", "filter"]
NUMBERS = [0, 1, -1, 0.3, 20, 10**6, 10**400, -(10**30), 1e300, float("nan"), float("inf")]


class Maker:
    """Makes what a system might say: right but for what is in it, or wrong altogether.

    Of a seed, and not drawn piece by piece: hypothesis takes a hundred times as long for that.
    """

    def __init__(self, seed: int, texts: list[str]) -> None:
        self._random = Random(seed)
        self._texts = HOSTILE + texts

    def text(self) -> str:
        return self._random.choice(self._texts)

    def said(self) -> dict[str, object]:
        """An object with lists of rows and parts, at the places where they are looked for."""
        pick = self._random
        said = self.row(0)
        for name in pick.sample(LISTS, pick.randrange(len(LISTS))):
            said[name] = [self.row(1) for _ in range(pick.randrange(5))]
        for name in pick.sample(PARTS, pick.randrange(len(PARTS))):
            said[name] = self.row(1)
        health = {name: [self.row(1)] for name in ("suspicions", "restarts", "dead_letters")}
        said["health"] = pick.choice([health, said.get("health")])
        said["at"] = pick.choice([pick.uniform(0, 100), self.value(0)])
        return said

    def row(self, depth: int) -> dict[str, object]:
        pick = self._random
        names = pick.sample(FIELDS, pick.randrange(25))
        row = {name: self.value(depth + 1) for name in names}
        if pick.random() < 0.5:
            row["state"] = pick.choice(["running", "parked", "dead", "handled", "done", "failed"])
        if pick.random() < 0.1:
            row[self.text()] = self.value(depth + 1)
        return row

    def answer(self) -> tuple[dict[str, object] | None, Problem | None]:
        """To a call."""
        if self._random.random() < 0.2:
            return None, Problem("unknown", self.text())
        return self.said(), None

    def now(self) -> float:
        return self._random.uniform(0, 1e10)

    def value(self, depth: int) -> object:
        pick = self._random
        kind = pick.randrange(10 if depth < 3 else 8)
        if kind < 3:
            return self.text()
        if kind < 7:
            return pick.choice([*NUMBERS, pick.uniform(-5, 100), pick.randrange(100)])
        if kind == 7:
            return pick.choice([None, True, False])
        if kind == 8:
            return [self.value(depth + 1) for _ in range(pick.randrange(4))]
        return self.row(depth + 1)


def check(lines: list[Line], width: int, height: int, *, ascii: bool) -> None:
    assert len(lines) == height
    for line in lines:
        text = "".join(span.text for span in line)
        assert sum(width_of(span.text) for span in line) == width
        assert cell_len(text) == width, ascii_of(text)
        kinds = {unicodedata.category(character) for character in text}
        assert not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}, ascii_of(text)
        if ascii:
            assert all(" " <= character <= "~" for character in text), ascii_of(text)


def ascii_of(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode()


def take(console: Console, does: str, maker: Maker) -> None:
    """One step: a key, or what comes in. What the console asks of the system is answered."""
    asks: Sequence[Ask] = ()
    if does == "a frame":
        console.frame(maker.said())
    elif does == "events":
        console.events(maker.said())
    elif does == "a log":
        console.log(maker.text())
    elif does == "a loss":
        console.lost(maker.text())
    elif does == "a find":
        console.found(maker.row(0))
    elif does == "a tick":
        asks = console.tick(maker.now())
    else:
        asks = console.press(does)
    for ask in asks:
        if isinstance(ask, Call):
            console.answer(ask.tag, *maker.answer())


@pytest.mark.parametrize("ascii", [False, True])
@given(
    seed=st.integers(0, 2**32),
    texts=st.lists(st.text(max_size=30), max_size=5),
    walk=st.lists(st.sampled_from(KEYS + COMES * 8) | st.characters(), max_size=60),
    sizes=st.lists(
        st.tuples(st.integers(0, 180), st.integers(0, 50))
        | st.tuples(st.integers(20, 60), st.integers(5, 12)),
        min_size=1,
        max_size=5,
    ),
)
@settings(max_examples=200)
def test_lines_are_as_many_and_as_wide_as_was_asked_for(
    ascii: bool, seed: int, texts: list[str], walk: list[str], sizes: list[tuple[int, int]]
) -> None:
    maker = Maker(seed, texts)
    console = Console(maker.row(0), ascii=ascii)
    for place, does in enumerate(walk):
        take(console, does, maker)
        width, height = sizes[place % len(sizes)]
        check(console.lines(width, height), width, height, ascii=ascii)
    json.dumps(console.document())


@given(st.integers(0, 2**32), st.text())
@settings(max_examples=40)
def test_every_view_shows_whatever_comes(seed: int, text: str) -> None:
    maker = Maker(seed, [text])
    console = Console({"node": text, "control": True})
    for view in "123456":
        for does in ("a frame", view, "a frame", "events", "n", "s", "enter", "a tick", "G", "esc"):
            take(console, does, maker)
            check(console.lines(100, 20), 100, 20, ascii=False)
