"""Senders of other nodes: silent when their deadline has passed, by one timer for all."""

from __future__ import annotations

from typing import Any

import pytest

from choreia.runtime.health import remotes
from choreia.runtime.health.heartbeat import Heartbeat
from choreia.runtime.health.remotes import SOON, Remotes, heartbeat_of
from choreia.runtime.simulation.clock import SimulatedClock


class Node:
    """A clock, and remotes that are looked after."""

    def __init__(self) -> None:
        self.clock = SimulatedClock()
        self.waiting = False
        self.allowance = 0.0
        self.silent: list[tuple[float, str]] = []
        self.remotes = Remotes(
            self.clock,
            self,
            Heartbeat(interval=1, timeout=3),
            waiting=lambda: self.waiting,
            silent=self.take,
        )

    def own_time(self) -> float:
        return self.clock.monotonic()

    def awake(self, due: float) -> tuple[float, float]:
        return self.own_time(), self.allowance

    def take(self) -> None:
        found = self.remotes.take_silent()
        self.silent += [(self.clock.monotonic(), one.source) for one in found]

    def pass_time(self, seconds: float) -> None:
        ends = self.clock.monotonic() + seconds
        while (due := self.clock.next_in_background()) is not None and due <= ends:
            self.clock.advance_to(due)
        self.clock.advance_to(ends)


@pytest.fixture
def node() -> Node:
    return Node()


def test_who_is_heard_regularly_is_not_silent(node: Node) -> None:
    for _ in range(100):
        assert node.remotes.heard("a") is None
        node.pass_time(2.9)
    assert node.silent == []


def test_who_is_not_heard_is_silent_once(node: Node) -> None:
    node.remotes.heard("a")
    node.pass_time(1)
    node.remotes.heard("b")
    node.pass_time(100)
    assert node.silent == [(3, "a"), (4, "b")]


def test_who_is_heard_again_is_believed(node: Node) -> None:
    node.remotes.heard("a")
    node.pass_time(5)
    assert node.remotes.heard("a") == 2
    node.pass_time(1)
    assert node.remotes.heard("a") is None
    node.pass_time(10)
    assert node.silent == [(3, "a"), (9, "a")]


def test_what_there_is_to_say(node: Node) -> None:
    node.pass_time(10)
    node.remotes.heard("a")
    kept: list[Any] = []
    node.take = lambda: kept.extend(node.remotes.take_silent())  # type: ignore[method-assign]
    node.remotes._silent = node.take
    node.pass_time(10)
    [silence] = kept
    assert (silence.source, silence.last_seen) == ("a", 10)
    assert silence.evidence == {"detector": "timeout", "silence": 3, "timeout": 3}


def test_a_sender_may_say_how_it_is_to_be_watched(node: Node) -> None:
    node.remotes.heard("a", Heartbeat(interval=10, timeout=40))
    node.remotes.heard("b")
    node.pass_time(2)
    node.remotes.heard("b", Heartbeat(interval=5, timeout=15))
    node.pass_time(100)
    assert node.silent == [(17, "b"), (40, "a")]


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        ({"interval": 2, "timeout": 6.5}, Heartbeat(interval=2, timeout=6.5)),
        ({}, None),
        ({"interval": 2}, None),
        ({"interval": "2", "timeout": 6}, None),
        ({"interval": 0, "timeout": 6}, None),
        ({"interval": 9, "timeout": 6}, None),
        ({"interval": -1, "timeout": float("inf")}, None),
        ({"interval": True, "timeout": True}, None),
    ],
)
def test_nonsense_about_it_is_ignored(payload: dict[str, Any], found: Heartbeat | None) -> None:
    assert heartbeat_of(payload) == found


def test_who_goes_is_forgotten(node: Node) -> None:
    node.remotes.heard("a")
    node.remotes.forget("a")
    node.remotes.forget("never heard of")
    node.pass_time(10)
    assert node.silent == []
    assert len(node.remotes) == 0


def test_what_has_arrived_is_read_before_anybody_is_accused(node: Node) -> None:
    node.remotes.heard("a")
    node.waiting = True
    node.pass_time(3 + 10 * SOON)
    assert node.silent == []
    node.remotes.heard("a")
    node.waiting = False
    node.pass_time(2)
    assert node.silent == []
    node.pass_time(10)
    assert len(node.silent) == 1


def test_but_not_for_ever(node: Node) -> None:
    node.remotes.heard("a")
    node.waiting = True
    node.pass_time(3 + (remotes.PATIENCE + 2) * SOON)
    assert len(node.silent) == 1


def test_whoever_was_held_up_allows_for_it(node: Node) -> None:
    node.remotes.heard("a")
    node.allowance = 1.5
    node.pass_time(4)
    assert node.silent == []
    node.pass_time(1)
    assert node.silent == [(4.5, "a")]


def test_anybody_can_invent_names_and_fills_no_memory(
    node: Node, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(remotes, "MOST", 3)
    for number in range(10):
        node.remotes.heard(f"invented-{number}")
    assert len(node.remotes) == 3
    assert "the first are forgotten" in caplog.text
    node.pass_time(10)
    assert [source for _, source in node.silent] == ["invented-7", "invented-8", "invented-9"]
