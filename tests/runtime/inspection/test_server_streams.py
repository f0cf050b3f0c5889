"""Answers that go on: at their pace, replaced, dropped and counted, and closed once."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from choreia.runtime.inspection.answering import END
from choreia.runtime.inspection.connection import MOST_WAITING

if TYPE_CHECKING:
    from tests.runtime.inspection.conftest import Connect, Desk, MakeFeed, Raw, Serve, Until


def test_pieces_come_under_one_number_until_the_client_leaves(
    serve: Serve, connect: Connect, feed: MakeFeed, until: Until
) -> None:
    made = feed()
    server = serve()
    client = connect()
    client.ask("feed", 7)
    for number in range(1, 20):
        assert client.reply() == {
            "id": 7, "verb": "feed", "ok": True, "data": {"number": number}
        }  # fmt: skip
    client.hang_up()
    until(lambda: server.clients == 0)
    assert made.closed == made.begun == 1


def test_nothing_new_is_not_told(serve: Serve, connect: Connect, feed: MakeFeed) -> None:
    said = iter([None, None, {"n": 1}, None, {"n": 2}])
    feed(piece=lambda: next(said, None))
    serve()
    client = connect()
    client.ask("feed", 7)
    assert [client.reply()["data"]["n"] for _ in range(2)] == [1, 2]
    assert client.answer("hello", 8)["id"] == 8


def test_questions_are_answered_meanwhile(serve: Serve, connect: Connect, feed: MakeFeed) -> None:
    feed(every=0.0)
    serve()
    client = connect()
    client.ask("feed", 7)
    for number in range(10, 20):
        client.ask("echo", number)
    answers: list[int] = []
    while len(answers) < 10:
        said = client.reply()
        answers += [said["id"]] if said["verb"] == "echo" else []
    assert answers == list(range(10, 20))


def last_of(client: Raw, id: int) -> None:
    while client.reply()["id"] != id:
        pass


def test_a_new_stream_of_the_verb_replaces_the_old(
    serve: Serve, connect: Connect, feed: MakeFeed
) -> None:
    made = feed()
    serve()
    client = connect()
    for number in range(1, 6):
        client.ask("feed", number)
        last_of(client, number)
        assert made.begun == number
        assert made.closed == number - 1
    assert {client.reply()["id"] for _ in range(10)} == {5}


def test_streams_of_two_verbs_go_on_beside_each_other(
    serve: Serve, connect: Connect, feed: MakeFeed, until: Until
) -> None:
    one, other = feed(), feed(verb="other")
    server = serve()
    client = connect()
    client.ask("feed", 1)
    client.ask("other", 2)
    last_of(client, 2)
    last_of(client, 1)
    assert one.closed == other.closed == 0
    client.hang_up()
    until(lambda: server.clients == 0)
    assert one.closed == other.closed == 1


def test_a_stream_is_of_its_client(serve: Serve, connect: Connect, feed: MakeFeed) -> None:
    made = feed()
    serve()
    first, second = connect(), connect()
    first.ask("feed", 1)
    second.ask("feed", 2)
    assert [first.reply()["data"], second.reply()["id"]] == [{"number": 1}, 2]
    assert (made.begun, made.closed) == (2, 0)


@pytest.mark.parametrize("begun", [True, False])
def test_the_end_of_a_stream_is_answered(
    serve: Serve, connect: Connect, feed: MakeFeed, desk: Desk, begun: bool
) -> None:
    made = feed()
    serve()
    client = connect()
    if begun:
        client.ask("feed", 1)
        assert client.reply()["id"] == 1
    desk.verbs["feed"] = lambda _: END
    client.ask("feed", 2)
    last_of(client, 2)
    assert made.closed == made.begun == int(begun)
    assert client.answer("hello", 3)["id"] == 3


@pytest.mark.parametrize("error", [ValueError("no more"), SystemExit(1)])
def test_one_that_fails_is_told_and_ended(
    serve: Serve, connect: Connect, feed: MakeFeed, error: BaseException
) -> None:
    def fail() -> dict[str, object]:
        raise error

    made = feed(piece=fail)
    serve()
    client = connect()
    client.ask("feed", 7)
    told = client.reply()
    assert (told["id"], told["ok"], told["error"]["code"]) == (7, False, "failed")
    assert client.answer("hello", 8)["id"] == 8
    assert (made.begun, made.closed, made.said) == (1, 1, 1)


def test_a_piece_that_cannot_be_told_is_told(
    serve: Serve, connect: Connect, feed: MakeFeed
) -> None:
    class Mute:
        def __str__(self) -> str:
            raise RuntimeError("no words")

    feed(piece=lambda: {"value": Mute()})
    serve()
    client = connect()
    client.ask("feed", 7)
    assert client.reply()["error"]["message"] == "RuntimeError: no words"
    last_of(client, 7)


def test_pieces_that_are_dropped_are_counted(
    serve: Serve, connect: Connect, feed: MakeFeed, until: Until
) -> None:
    numbers = iter(range(10**9))
    made = feed(piece=lambda: {"number": next(numbers), "text": "x" * 300_000})
    serve()
    slow, other = connect(), connect()
    slow.ask("feed", 7)
    until(lambda: made.said > 3 * MOST_WAITING)
    assert other.answer("hello")["ok"]
    expected, dropped = 0, 0
    while not dropped:
        said = slow.reply()
        dropped = said.get("dropped", 0)
        assert said["data"]["number"] == expected + dropped
        expected += dropped + 1
    assert dropped >= MOST_WAITING


def test_who_says_no_more_still_gets_its_stream(
    serve: Serve, connect: Connect, feed: MakeFeed, until: Until
) -> None:
    made = feed()
    server = serve()
    client = connect()
    client.ask("feed", 7)
    client.socket.shutdown(socket.SHUT_WR)
    assert [client.reply()["data"]["number"] for _ in range(50)] == list(range(1, 51))
    client.hang_up()
    until(lambda: server.clients == 0)
    assert made.closed == 1


def test_dear_pieces_are_made_seldom(
    serve: Serve, connect: Connect, feed: MakeFeed, until: Until
) -> None:
    made = feed(every=0.05, piece=lambda: {"sum": sum(range(2_000_000))})
    serve()
    client = connect()
    client.ask("feed", 7)
    assert client.reply()["ok"]
    until(lambda: made.stream is not None and made.stream.pause > 0)
    assert made.stream is not None
    assert made.stream.pause > 0.05  # adding up so much takes more than a hundredth of that
    assert client.answer("hello", 8)["id"] == 8


@pytest.mark.parametrize("every", [1e308, float("inf"), 1e10])
def test_a_piece_a_century_is_no_harm(
    serve: Serve, connect: Connect, feed: MakeFeed, every: float
) -> None:
    feed(every=every)
    serve()
    client = connect()
    client.ask("feed", 7)
    assert client.reply()["id"] == 7
    for number in range(10):
        assert client.answer("hello", number)["id"] == number
