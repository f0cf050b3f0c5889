"""The server: answers whoever asks, and whoever looks hurts nobody."""

from __future__ import annotations

import errno
import gc
import json
import os
import socket
import stat
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from choreia.runtime.errors import InspectionInsecure, SystemGone
from choreia.runtime.inspection import server as serving
from choreia.runtime.inspection.answering import Answer
from choreia.runtime.inspection.frames import LONGEST, SCHEMA, Refusal
from choreia.runtime.inspection.meter import Meter
from choreia.runtime.inspection.peers import Peer
from choreia.runtime.inspection.places import sockets
from choreia.runtime.inspection.server import AT_ONCE, MOST_CLIENTS, Server

if TYPE_CHECKING:
    from tests.runtime.inspection.conftest import Connect, Desk, MakeFeed, Serve, Until


def raising(error: BaseException) -> Answer:
    raise error


# -- asking ----------------------------------------------------------------------------------------


def test_a_question_is_answered_under_its_number(serve: Serve, connect: Connect) -> None:
    serve()
    assert connect().answer("echo", 42, text="ä") == {
        "id": 42, "verb": "echo", "ok": True, "data": {"text": "ä"}
    }  # fmt: skip


def test_answers_come_in_the_order_of_questions(serve: Serve, connect: Connect) -> None:
    serve()
    client = connect()
    for number in range(100):
        client.ask("echo", number, number=number)
    assert [client.reply()["id"] for _ in range(100)] == list(range(100))


def test_the_socket_is_for_its_user_alone_and_found(serve: Serve, path: Path, room: Path) -> None:
    serve()
    assert stat.S_IMODE(path.lstat().st_mode) == 0o600
    assert sockets(room) == [path]


def test_an_unknown_verb_is_an_error_and_the_connection_goes_on(
    serve: Serve, connect: Connect
) -> None:
    serve()
    client = connect()
    told = client.answer("eval", 3)
    assert (told["id"], told["verb"], told["ok"]) == (3, "eval", False)
    assert told["error"]["code"] == "unknown_verb"
    assert client.answer("hello", 4)["ok"]


@pytest.mark.parametrize(
    ("said", "says"),
    [
        (b"hello\n", "no JSON"),
        (b"\xff\xfe\x00\n", "no JSON"),
        (b"[]\n", "JSON object"),
        (b"[" * 4_000 + b"\n", "no JSON"),
        (b'{"schema":' + b"[" * 900 + b"]" * 900 + b"}\n", "schema"),
        (b"x" * LONGEST + b"\n", "at most 4,096 bytes"),
        (b"x" * 1_000_000 + b"\n", "at most 4,096 bytes"),
        (b"GET / HTTP/1.1\r\n", "no JSON"),
    ],
)
def test_a_bad_frame_is_told_and_the_connection_goes_on(
    serve: Serve, connect: Connect, said: bytes, says: str
) -> None:
    serve()
    client = connect()
    client.say(said)
    told = client.reply()
    assert (told["id"], told["ok"], told["error"]["code"]) == (None, False, "bad_frame")
    assert says in told["error"]["message"]
    assert client.answer("hello", 4)["ok"]


def test_of_a_bad_frame_the_number_is_said_if_there_is_one(serve: Serve, connect: Connect) -> None:
    serve()
    client = connect()
    client.say({"schema": SCHEMA, "id": 9, "verb": "hello", "payload": {}})
    assert client.reply()["id"] == 9


def test_empty_lines_are_nothing(serve: Serve, connect: Connect) -> None:
    serve()
    client = connect()
    client.say(b"\n\r\n  \n" * 1_000)
    assert client.answer("hello", 4)["id"] == 4


def test_a_byte_at_a_time(serve: Serve, connect: Connect) -> None:
    serve()
    client = connect()
    for byte in b'{"schema":"choreia.inspect/1","id":1,"verb":"hello"}\n':
        client.say(bytes([byte]))
    assert client.reply()["ok"]


@pytest.mark.parametrize("end", [b"\n", b""])
def test_who_asks_and_ends_is_answered_and_left(
    serve: Serve, connect: Connect, until: Until, end: bytes
) -> None:
    """``echo … | nc -U``, and ``printf``."""
    server = serve()
    client = connect()
    client.say(b'{"schema":"choreia.inspect/1","id":1,"verb":"hello"}' + end)
    client.socket.shutdown(socket.SHUT_WR)
    assert client.reply()["data"]["node"] == "n1"
    assert client.line() is None
    until(lambda: server.clients == 0)


def test_who_asks_and_ends_gets_slow_answers_too(
    serve: Serve, connect: Connect, desk: Desk
) -> None:
    desk.slow.add("echo")
    serve()
    client = connect()
    for number in range(5):
        client.ask("echo", number)
    client.socket.shutdown(socket.SHUT_WR)
    assert [client.reply()["id"] for _ in range(5)] == list(range(5))
    assert client.line() is None


# -- what fails ------------------------------------------------------------------------------------


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize("slow", [False, True])
@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (Refusal("bad_argument", "no such thing"), "bad_argument", "no such thing"),
        (SystemGone("it\x1b[2J is gone\n"), "failed", "it[2J is gone "),
        (ValueError("secret\x07"), "failed", "ValueError: secret"),
        (Unspeakable(), "failed", "Unspeakable: and cannot say why"),
        (RecursionError(), "failed", "RecursionError: "),
        (SystemExit(3), "failed", "SystemExit: 3"),
        (KeyboardInterrupt(), "failed", "KeyboardInterrupt: "),
    ],
)
def test_an_answer_that_raises_is_told_and_hurts_nobody(
    serve: Serve, connect: Connect, desk: Desk,
    slow: bool, error: BaseException, code: str, says: str,
) -> None:  # fmt: skip
    desk.verbs["x"] = lambda _: raising(error)
    desk.slow |= {"x"} if slow else set()
    serve()
    client, other = connect(), connect()
    told = client.answer("x", 5)
    assert (told["id"], told["verb"], told["ok"]) == (5, "x", False)
    assert told["error"] == {"code": code, "message": says}
    assert client.answer("hello")["ok"]
    assert other.answer("hello")["ok"]


@pytest.mark.parametrize("slow", [False, True])
def test_an_answer_that_cannot_be_told_is_told(
    serve: Serve, connect: Connect, desk: Desk, slow: bool
) -> None:
    class Mute:
        def __str__(self) -> str:
            raise RuntimeError("no words")

    desk.verbs["x"] = lambda _: {"value": Mute()}
    desk.slow |= {"x"} if slow else set()
    serve()
    client = connect()
    assert client.answer("x")["error"]["message"] == "RuntimeError: no words"
    assert client.answer("hello")["ok"]


def test_deep_and_huge_and_strange_answers_are_told(
    serve: Serve, connect: Connect, desk: Desk
) -> None:
    deep: object = "\ud800"
    for _ in range(500):
        deep = [deep]
    desk.verbs["x"] = lambda _: {"deep": deep, "huge": 10**5_000, "nan": float("nan")}
    serve()
    told = connect().answer("x")["data"]
    assert told["huge"].startswith("0x")
    assert told["nan"] is None


# -- clients ---------------------------------------------------------------------------------------


def test_eight_may_look_the_ninth_is_told_and_slots_come_free(
    serve: Serve, connect: Connect
) -> None:
    serve()
    clients = [connect() for _ in range(MOST_CLIENTS)]
    assert all(client.answer("hello")["ok"] for client in clients)
    ninth = connect()
    told = ninth.reply()
    assert (told["id"], told["ok"], told["error"]["code"]) == (None, False, "busy")
    assert ninth.line() is None
    for _ in range(50):  # whoever comes when another has left finds room at once
        clients.pop(0).hang_up()
        clients.append(connect())
        assert clients[-1].answer("hello")["ok"]


def test_looking_for_systems_takes_nobodys_slot(serve: Serve, connect: Connect, room: Path) -> None:
    serve()
    clients = [connect() for _ in range(MOST_CLIENTS - 1)]
    assert all(client.answer("hello")["ok"] for client in clients)
    for _ in range(50):
        assert len(sockets(room)) == 1
        client = connect()
        assert client.answer("hello")["ok"]
        client.hang_up()


def test_who_leaves_a_quiet_stream_leaves_its_slot(
    serve: Serve, connect: Connect, feed: MakeFeed, until: Until
) -> None:
    """Nothing is sent that would fail."""
    stream = feed(every=0.01, piece=lambda: None)
    server = serve()
    for whole in (True, False):
        for _ in range(MOST_CLIENTS):
            client = connect()
            client.ask("feed")
            assert client.answer("hello", 2)["id"] == 2
            if not whole:
                client.socket.shutdown(socket.SHUT_WR)
            client.hang_up()
        until(lambda: server.clients == 0)
    assert stream.closed == stream.begun == 2 * MOST_CLIENTS


def test_who_leaves_in_the_middle_of_a_slow_answer_leaves_its_slot(
    serve: Serve, connect: Connect, desk: Desk, until: Until
) -> None:
    go_on = threading.Event()
    desk.verbs["x"] = lambda _: {"went": go_on.wait(20)}
    desk.slow.add("x")
    server = serve()
    for _ in range(3):
        client = connect()
        client.ask("x")
        until(lambda: len(desk.peers) > 0)
        client.hang_up()
        until(lambda: server.clients == 0)
        desk.peers.clear()
    go_on.set()
    assert connect().answer("x")["data"] == {"went": True}


def test_another_user_is_refused(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "peer_of", lambda _: Peer(1, os.geteuid() + 1))
    serve()
    client = connect()
    told = client.reply()
    assert (told["ok"], told["error"]["code"]) == (False, "refused")
    assert client.line() is None


def test_a_peer_that_cannot_be_known_is_let_go(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: socket.socket) -> Peer:
        raise OSError(errno.ENOTCONN, "gone")

    monkeypatch.setattr(serving, "peer_of", fail)
    serve()
    assert connect().line() is None
    monkeypatch.undo()
    assert connect().answer("hello")["ok"]


def test_the_answers_know_who_asks(serve: Serve, connect: Connect, desk: Desk) -> None:
    serve()
    connect().answer("hello")
    assert all(peer.uid in (None, os.geteuid()) for peer in desk.peers)


def test_a_client_that_never_reads_stops_only_itself(
    serve: Serve, connect: Connect, desk: Desk, until: Until
) -> None:
    desk.verbs["big"] = lambda _: {"text": "x" * 500_000}
    server = serve()
    deaf, other = connect(), connect()
    # All at once: each small write takes room of its own in the kernel, which is soon full when the
    # server has stopped reading.
    asked = [{"schema": SCHEMA, "id": number, "verb": "big", "args": {}} for number in range(100)]
    deaf.say(b"".join(json.dumps(one).encode() + b"\n" for one in asked))
    assert other.answer("hello")["ok"]
    until(lambda: desk.asked.count("big") >= 8)
    passes = server.passes
    assert other.answer("hello")["ok"]
    assert desk.asked.count("big") < 20
    assert server.passes - passes < 5
    assert [deaf.reply()["id"] for _ in range(100)] == list(range(100))


def test_one_that_floods_does_not_hold_up_others(serve: Serve, connect: Connect) -> None:
    serve()
    flooding, calm = connect(), connect()
    over = threading.Event()

    def flood() -> None:
        said = b'{"schema":"choreia.inspect/1","id":1,"verb":"echo"}\n' * 100
        while not over.is_set():
            flooding.say(said)
            for _ in range(100):
                flooding.reply()

    thread = threading.Thread(target=flood)
    thread.start()
    for _ in range(50):
        assert calm.answer("hello")["ok"]
    over.set()
    thread.join()


def test_what_has_come_at_once_is_answered_in_turns(
    serve: Serve, connect: Connect, desk: Desk, until: Until
) -> None:
    hold, held = threading.Event(), threading.Event()

    def wait(_: object) -> Answer:
        held.set()
        return {"held": hold.wait(20)}

    desk.verbs["hold"] = wait
    serve()
    first, second, third = connect(), connect(), connect()
    assert second.answer("hello")["ok"]
    third.ask("hold")
    assert held.wait(20)
    for _ in range(30):
        first.ask("echo")
    second.ask("hello")
    hold.set()
    until(lambda: desk.asked.count("echo") == 30)
    assert len(desk.asked) == 33
    later = desk.asked[desk.asked.index("hold") + 1 :]
    assert later.index("hello") <= AT_ONCE


# -- cost ------------------------------------------------------------------------------------------


def test_nothing_is_done_while_nobody_looks(serve: Serve, connect: Connect, until: Until) -> None:
    server = serve()
    client = connect()
    assert client.answer("hello")["ok"]
    passes = server.passes  # it may be going round for this one
    assert client.answer("hello")["ok"]
    assert server.passes <= passes + 3
    client.hang_up()
    until(lambda: server.clients == 0)
    passes = server.passes
    assert connect().answer("hello")["ok"]
    assert server.passes <= passes + 3  # it sat in select


def test_no_file_is_left_open_by_500_connections(
    serve: Serve, connect: Connect, until: Until
) -> None:
    server = serve()
    assert connect().answer("hello")["ok"]
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for number in range(500):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(server.path))
            if number % 3:
                client.sendall(b'{"schema":"choreia.inspect/1","id":1,"verb":"hello"}\n')
            if number % 3 == 2:
                client.recv(10)
    until(lambda: server.clients == 1)
    until(lambda: len(os.listdir("/proc/self/fd")) == before)  # noqa: PTH208


def test_without_a_file_for_a_client_it_rests(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch, until: Until
) -> None:
    """The connection stays ready to be taken: it would go round and round."""
    monkeypatch.setattr(serving, "DEAF", 0.05)
    server = serve()
    first = connect()
    assert first.answer("hello")["ok"]
    failing = True

    class Full(socket.socket):
        def accept(self) -> tuple[socket.socket, object]:
            if failing:
                raise OSError(errno.EMFILE, "Too many open files")
            return super().accept()

    monkeypatch.setattr(socket.socket, "accept", Full.accept)
    second = connect()
    until(lambda: server._deaf_until is not None)
    passes = server.passes
    assert first.answer("hello")["ok"]
    assert server.passes - passes < 20
    failing = False
    monkeypatch.undo()
    assert second.answer("hello")["ok"]


def test_a_place_that_is_taken_leaves_nothing_open(
    serve: Serve, path: Path, desk: Desk, until: Until
) -> None:
    serve()
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    with pytest.raises(InspectionInsecure, match="in use"):
        Server(path, desk, Meter())
    gc.collect()
    until(lambda: len(os.listdir("/proc/self/fd")) == before)  # noqa: PTH208
