"""Whatever comes in, and however large the screen: the picture keeps its shape."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Mapping
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from choreia.console.model.asks import Call
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
PLACES = ["system", "cost", "health", "flows", "presence", "suspicions", "restarts"]

texts = st.sampled_from(HOSTILE) | st.text(max_size=30)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -(10**30), float("nan"), float("inf"), 1e300, 20, 0.3])
    | st.floats()
    | texts
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(FIELDS) | texts, inner, max_size=6)
    ),
    max_leaves=12,
)
rows = st.lists(st.dictionaries(st.sampled_from(FIELDS), values, max_size=12), max_size=6)


def said(*lists: str, **parts: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    """An object that is right but for what is in its rows, or wrong altogether."""
    right = st.fixed_dictionaries({}, optional={**dict.fromkeys(lists, rows), **parts})
    wrong = st.dictionaries(st.sampled_from(FIELDS + PLACES), values, max_size=8)
    return cast("st.SearchStrategy[dict[str, object]]", right | wrong)


health = said("suspicions", "dead_letters", "restarts")
system = st.dictionaries(st.sampled_from(FIELDS), values, max_size=8)
frames = said(
    "agents", "flows", "presence", health=health, system=system, cost=system,
    at=st.floats(0, 100), time=scalars,
)  # fmt: skip
pieces = said("events", missed=scalars)
answers = said(
    "events", "cases", "letters", "timers", "recent", "queued", "subscriptions", "dead_letters",
    explanation=texts, stack=texts, options=system, in_hand=system, case=texts, verdict=texts,
)  # fmt: skip


@st.composite
def steps(draw: st.DrawFn) -> tuple[str, object]:
    kind = draw(st.sampled_from(["press"] * 5 + ["frame"] * 3 + ["events", "log", "lost", "tick"]))
    inputs: dict[str, st.SearchStrategy[object]] = {
        "press": st.sampled_from(KEYS) | st.characters(),
        "frame": frames,
        "events": pieces,
        "log": texts,
        "lost": texts,
        "tick": st.floats(0, 1e10),
    }
    return kind, draw(inputs[kind])


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


def take(console: Console, step: tuple[str, object], answer: Mapping[str, object]) -> None:
    """One step; whatever the console asks the system for is answered at once."""
    does = cast("Callable[[object], object]", getattr(console, step[0]))
    asks = does(step[1])
    for ask in asks if isinstance(asks, list) else ():
        if isinstance(ask, Call) and "refused" in answer:
            console.answer(ask.tag, None, Problem("unknown", "no such\x1b thing"))
        elif isinstance(ask, Call):
            console.answer(ask.tag, answer, None)


@pytest.mark.parametrize("ascii", [False, True])
@given(
    hello=system,
    walk=st.lists(st.tuples(steps(), answers), max_size=25),
    sizes=st.lists(
        st.tuples(st.integers(0, 180), st.integers(0, 50))
        | st.tuples(st.integers(20, 60), st.integers(5, 12)),
        min_size=1,
        max_size=5,
    ),
)
@settings(max_examples=120, deadline=None)
def test_lines_are_as_many_and_as_wide_as_was_asked_for(
    ascii: bool,
    hello: dict[str, object],
    walk: list[tuple[tuple[str, object], dict[str, object]]],
    sizes: list[tuple[int, int]],
) -> None:
    console = Console(hello, ascii=ascii)
    for place, (step, answer) in enumerate(walk):
        take(console, step, answer)
        width, height = sizes[place % len(sizes)]
        check(console.lines(width, height), width, height, ascii=ascii)
    json.dumps(console.document())


@given(frames, frames, texts)
@settings(max_examples=60, deadline=None)
def test_every_view_shows_whatever_comes(
    first: dict[str, object], second: dict[str, object], text: str
) -> None:
    console = Console({"node": text, "control": True})
    console.frame(first)
    console.frame(second)
    for key in ("1", "2", "3", "4", "5", "6"):
        for other in (key, "n", "s", "enter", "G", "esc"):
            take(console, ("press", other), second)
            check(console.lines(100, 20), 100, 20, ascii=False)
