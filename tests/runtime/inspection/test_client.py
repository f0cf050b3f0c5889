"""A client: what a system says, and what it says no more, without ever waiting for ever."""

from __future__ import annotations

import gc
import os
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from choreia.runtime.errors import (
    InspectionFailed,
    InspectionRefused,
    InspectionTimeout,
    NoSuchSystem,
    SystemGone,
)
from choreia.runtime.inspection.client import Client
from choreia.runtime.inspection.frames import Refusal, Reply, encode_reply
from choreia.runtime.inspection.server import MOST_CLIENTS

if TYPE_CHECKING:
    from tests.runtime.inspection.conftest import Desk, MakeFeed, Serve, Until

HELLO = encode_reply(Reply(1, "hello", True, {"node": "n1"}))
Pretend = Callable[..., None]


@pytest.fixture
def pretend(path: Path) -> Iterator[Pretend]:
    """``pretend(b"…", …)``: a system that answers one client's first lines with these, and hangs
    up then, or not if the last is None."""
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen()
    over = threading.Event()
    threads: list[threading.Thread] = []

    def serve(answers: tuple[bytes | None, ...]) -> None:
        connected, _ = listening.accept()
        with connected, connected.makefile("rb") as lines:
            for answer in answers:
                if answer is None:
                    over.wait(20)
                else:
                    lines.readline()
                    with suppress(OSError):  # the client need not wait for it
                        connected.sendall(answer)

    def begin(*answers: bytes | None) -> None:
        threads.append(threading.Thread(target=serve, args=(answers,)))
        threads[-1].start()

    yield begin
    over.set()
    for thread in threads:
        thread.join()
    listening.close()


def test_it_asks_and_is_answered(serve: Serve, path: Path) -> None:
    serve()
    with Client(path) as client:
        assert client.hello == {"node": "n1", "pid": 7}
        assert client.call("echo", text="ä", number=1) == {"text": "ä", "number": 1}
        assert client.call("hello")["node"] == "n1"


def test_what_is_refused_and_what_fails(serve: Serve, path: Path, desk: Desk) -> None:
    def refuse(args: object) -> dict[str, object]:
        raise Refusal("refused", "looking only\x1b[2J")

    desk.verbs["stop"] = refuse
    serve()
    with Client(path) as client:
        with pytest.raises(InspectionRefused, match=r"^looking only\[2J$") as refused:
            client.call("stop")
        assert refused.value.code == "refused"
        with pytest.raises(InspectionFailed, match="no verb") as failed:
            client.call("eval")
        assert failed.value.code == "unknown_verb"
        assert not isinstance(failed.value, InspectionRefused)
        assert client.call("hello")


@pytest.mark.parametrize("value", ["x" * 5_000, object(), "\ud800", 2**80])
def test_what_cannot_be_asked_is_told_and_the_connection_goes_on(
    serve: Serve, path: Path, value: object
) -> None:
    serve()
    with Client(path) as client:
        with pytest.raises(InspectionFailed, match="echo: ") as failed:
            client.call("echo", value=value)
        assert failed.value.code == "bad_argument"
        assert client.call("hello")


def test_the_ninth_is_told(serve: Serve, path: Path) -> None:
    serve()
    clients = [Client(path) for _ in range(MOST_CLIENTS)]
    with pytest.raises(InspectionRefused, match="8 others look already") as refused:
        Client(path)
    assert refused.value.code == "busy"
    for client in clients:
        client.close()
    with Client(path) as client:
        assert client.hello


@pytest.mark.parametrize("what", ["nothing", "file", "stale", "folder", "long", "no path"])
def test_where_nobody_listens(path: Path, what: str) -> None:
    if what == "file":
        path.touch()
    elif what == "folder":
        path.mkdir()
    elif what == "stale":
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(path))
    elif what == "long":
        path = path.with_name("x" * 200)
    elif what == "no path":
        path = path.with_name("\ud800")
    with pytest.raises(NoSuchSystem, match="no system can be reached there"):
        Client(path)
    gc.collect()  # a socket that is left open is an error here


def test_a_system_that_says_nothing(pretend: Pretend, path: Path) -> None:
    pretend(None)
    with pytest.raises(InspectionTimeout, match=r"did not answer 'hello' within 0.01 s") as late:
        Client(path, timeout=0.01)
    assert late.value.seconds == 0.01


def test_a_system_that_lets_nobody_in(path: Path) -> None:
    """It is stopped, say, and as many wait already as may."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen(0)
        waiting = [socket.socket(socket.AF_UNIX) for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(str(path))
        with pytest.raises(InspectionTimeout, match="did not answer 'hello'"):
            Client(path, timeout=0.05)
        for one in waiting:
            one.close()


def test_whoever_waits_to_be_let_in_is_let_in(serve: Serve, path: Path, desk: Desk) -> None:
    hold, held = threading.Event(), threading.Event()

    def wait(_: object) -> dict[str, object]:
        held.set()
        return {"held": hold.wait(20)}

    desk.verbs["hold"] = wait
    serve()
    said: list[object] = []

    def ask() -> None:
        try:
            with Client(path, 20) as client:
                said.append(client.hello["node"])
        except InspectionRefused:
            said.append("busy")

    with Client(path, 20) as first:
        first.send("hold")
        assert held.wait(20)
        threads = [threading.Thread(target=ask) for _ in range(30)]  # more than may wait
        for thread in threads:
            thread.start()
        hold.set()
        for thread in threads:
            thread.join()
    assert len(said) == 30
    assert set(said) <= {"n1", "busy"}


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"\xff\n",
        b"[]\n",
        b'{"schema": "choreia.inspect/2"}\n',
        b"[" * 100_000 + b"\n",
        b"1" * 5_000 + b"\n",
    ],
)
def test_what_is_no_such_system(pretend: Pretend, path: Path, said: bytes) -> None:
    pretend(said)
    with pytest.raises(SystemGone, match="says what cannot be understood"):
        Client(path)


def test_a_system_that_breaks_off(pretend: Pretend, path: Path) -> None:
    pretend(HELLO, b'{"schema"')
    with Client(path) as client, pytest.raises(SystemGone) as gone:
        client.call("echo")
    assert gone.value.reason == "the connection broke"
    assert isinstance(gone.value, ConnectionError)


def test_the_end_of_a_system_has_a_reason(serve: Serve, path: Path) -> None:
    server = serve()
    with Client(path) as client:
        server.stop("stopped\x1b[2J")
        with pytest.raises(SystemGone, match="is gone") as gone:
            client.receive(20)
        assert gone.value.reason == "stopped[2J"


def test_also_for_who_asks_after_it(serve: Serve, path: Path) -> None:
    server = serve()
    with Client(path) as client:
        server.stop("stopped")
        with pytest.raises(SystemGone) as gone:
            client.call("hello")
        assert gone.value.reason == "stopped"
        with pytest.raises(SystemGone):
            client.call("hello")


def test_pieces_of_a_stream_are_received(serve: Serve, path: Path, feed: MakeFeed) -> None:
    feed()
    serve()
    with Client(path) as client:
        number = client.send("feed")
        for expected in range(1, 10):
            reply = client.receive(20)
            assert reply is not None
            assert (reply.id, reply.verb, reply.ok) == (number, "feed", True)
            assert reply.data == {"number": expected}
        assert client.call("echo", text="x") == {"text": "x"}  # pieces are let go meanwhile


def test_nothing_comes(serve: Serve, path: Path) -> None:
    serve()
    with Client(path) as client:
        for timeout in (0.0, -1.0, 0.001):
            assert client.receive(timeout) is None


@pytest.mark.parametrize("timeout", [None, 1e12, float("inf")])
def test_it_may_be_waited_for_long(serve: Serve, path: Path, timeout: float | None) -> None:
    serve()
    with Client(path) as client:
        number = client.send("hello")
        reply = client.receive(timeout)
        assert reply is not None
        assert reply.id == number


def test_a_client_is_for_select(serve: Serve, path: Path, feed: MakeFeed) -> None:
    feed(every=60)
    serve()
    with Client(path) as client:
        client.send("feed")
        ready, _, _ = select.select([client], [], [], 20)
        assert ready == [client]
        assert not client.waiting
        assert client.receive(0) is not None


def test_several_replies_at_once_wait_their_turn(pretend: Pretend, path: Path) -> None:
    pretend(HELLO, b"".join(encode_reply(Reply(2, "x", True, {"n": n})) for n in range(3)), None)
    with Client(path) as client:
        client.send("x")
        numbers = []
        for left in (True, True, False):
            reply = client.receive(20)
            assert reply is not None
            numbers.append(reply.data["n"])
            assert client.waiting is left
        assert numbers == [0, 1, 2]
        assert client.receive(0) is None


def test_an_answer_that_does_not_come_is_late_though_a_stream_goes_on(
    pretend: Pretend, path: Path
) -> None:
    pretend(HELLO, b"".join(encode_reply(Reply(1, "x", True)) for _ in range(50_000)), None)
    with Client(path, timeout=20) as client:
        client._timeout = 0.0
        with pytest.raises(InspectionTimeout):
            client.call("y")


def test_a_large_answer_comes_whole(serve: Serve, path: Path, desk: Desk) -> None:
    text = "ä\n" * 2_000_000
    desk.verbs["big"] = lambda _: {"text": text}
    serve()
    with Client(path, 20) as client:
        assert client.call("big") == {"text": text}


def test_a_closed_client_is_gone(serve: Serve, path: Path, until: Until) -> None:
    server = serve()
    client = Client(path)
    client.close()
    client.close()
    with pytest.raises(SystemGone):
        client.receive(1)
    with pytest.raises(SystemGone):
        client.call("hello")
    until(lambda: server.clients == 0)


def test_a_system_that_does_not_read(pretend: Pretend, path: Path) -> None:
    pretend(HELLO, None)
    with Client(path, timeout=20) as client:
        client._timeout = 0.05
        with pytest.raises(InspectionTimeout, match="did not answer 'x'"):
            say_for_ever(client)


def say_for_ever(client: Client) -> None:
    while True:
        client.send("x", text="x" * 4_000)


def test_nothing_is_left_open_by_what_fails(pretend: Pretend, path: Path) -> None:
    gc.collect()
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else 0  # noqa: PTH208
    pretend(None)
    with pytest.raises(InspectionTimeout):
        Client(path, timeout=0.01)
    for _ in range(10):
        with pytest.raises(NoSuchSystem):
            Client(path.with_name("other"))
    if before:
        assert len(os.listdir("/proc/self/fd")) <= before + 2  # noqa: PTH208  # the pretended end
