"""One client: lines out of its bytes, and a bounded queue of what it has not read yet."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from choreia.runtime.inspection import connection
from choreia.runtime.inspection.answering import Stream
from choreia.runtime.inspection.connection import Connection, Inbox, Running
from choreia.runtime.inspection.frames import LONGEST, SCHEMA, Refusal, Reply, Request
from choreia.runtime.inspection.peers import Peer

lines = st.lists(
    st.binary(max_size=20).map(lambda line: line.replace(b"\n", b""))
    | st.integers(LONGEST - 3, 2 * LONGEST + 3).map(lambda length: b"x" * length)
)


# -- the inbox -------------------------------------------------------------------------------------


@given(lines, st.binary(max_size=20), st.lists(st.integers(1, 3 * LONGEST), max_size=12))
def test_lines_do_not_depend_on_how_their_bytes_come(
    said: list[bytes], rest: bytes, cuts: list[int]
) -> None:
    whole = b"".join(line + b"\n" for line in said) + rest.replace(b"\n", b"")
    inbox, heard = Inbox(), []
    for cut in cuts:
        heard += inbox.take(whole[:cut])
        whole = whole[cut:]
    heard += inbox.take(whole)
    assert heard == [
        line if len(line) < LONGEST else None
        for line in said
        if line.strip() or len(line) >= LONGEST
    ]


def test_bytes_one_at_a_time() -> None:
    inbox = Inbox()
    said = b"one\n\r\n \ntwo\r\n" + b"x" * 5_000 + b"\nthree\n"
    heard = [line for byte in said for line in inbox.take(bytes([byte]))]
    assert heard == [b"one", b"two\r", None, b"three"]


def test_a_line_without_end_is_told_once_and_kept_nowhere() -> None:
    inbox = Inbox()
    assert inbox.take(b"x" * LONGEST) == [None]
    for _ in range(100):
        assert inbox.take(b"x" * 10_000) == []
        assert len(inbox._bytes) == 0
    assert inbox.take(b"x\nnext\n") == [b"next"]


@pytest.mark.parametrize(("length", "fits"), [(LONGEST - 1, True), (LONGEST, False)])
def test_the_longest_line_is_with_its_end(length: int, fits: bool) -> None:
    line = b"x" * length
    assert Inbox().take(line + b"\n") == [line if fits else None]


# -- the queue -------------------------------------------------------------------------------------


@pytest.fixture
def pair() -> Iterator[tuple[Connection, socket.socket]]:
    near, far = socket.socketpair()
    client = Connection(near, Peer())
    yield client, far
    client.close()
    far.close()


Pair = tuple[Connection, socket.socket]


def some(size: int = 10) -> Reply:
    return Reply(1, "x", True, {"text": "y" * size})


def test_a_client_that_does_not_read_is_congested_by_lines(pair: Pair) -> None:
    client, far = pair
    client.reply(some(2**20))  # more than the kernel takes
    assert client.write()
    for _ in range(connection.MOST_WAITING - 2):
        client.reply(some())
        assert not client.congested
    client.reply(some())
    assert client.congested
    assert not client.reads
    lines = 0
    while lines < connection.MOST_WAITING:
        lines += far.recv(2**20).count(b"\n")
        assert client.write()
    assert not client.writes
    assert not client.congested
    assert client.reads


def test_and_by_bytes(pair: Pair) -> None:
    client, _ = pair
    client.reply(some(connection.MOST_BYTES))
    assert client.congested


def test_what_is_read_at_once_is_bounded(pair: Pair) -> None:
    client, far = pair
    far.setblocking(False)
    far.send(b"x\n" * 50_000)
    assert client.read()
    assert connection.MOST_REQUESTS < len(client.requests) < 5_000
    assert not client.reads


def test_the_end_of_what_it_says_ends_its_last_line(pair: Pair) -> None:
    client, far = pair
    far.sendall(json.dumps({"schema": SCHEMA, "id": 3, "verb": "hello"}).encode())
    far.shutdown(socket.SHUT_WR)
    assert client.read()
    assert list(client.requests) == []
    assert client.read()
    assert list(client.requests) == [Request("hello", 3)]
    assert client.ended
    assert not client.reads
    assert not client.finished
    client.requests.clear()
    assert client.finished


def test_a_line_too_long_that_is_not_ended_is_told_once(pair: Pair) -> None:
    client, far = pair
    far.sendall(b"x" * 5_000)
    far.shutdown(socket.SHUT_WR)
    assert client.read()
    assert client.read()
    (refusal,) = client.requests
    assert isinstance(refusal, Refusal)
    assert "4,096 bytes" in str(refusal)


def test_who_says_no_more_may_still_read_its_streams(pair: Pair) -> None:
    client, far = pair
    client.streams["x"] = Running(1, "x", Stream(1.0, lambda: None, lambda: None), 0.0)
    far.shutdown(socket.SHUT_WR)
    assert client.read()
    assert client.ended
    assert not client.finished
    far.close()
    assert client.finished  # though nothing is sent, which would tell


@pytest.mark.parametrize("left", ["answering", "waiting"])
def test_nothing_is_owed_to_who_is_gone(pair: Pair, left: str) -> None:
    client, far = pair
    if left == "answering":
        client.answering = True
    else:
        client.reply(some())
    far.close()
    client.read()
    assert client.finished


def test_a_connection_that_breaks_is_no_error(pair: Pair) -> None:
    client, far = pair
    far.close()
    client.reply(some())
    assert not client.write()
    client.socket.close()
    assert not client.read()
    assert client.finished is False  # it has not been seen to end


def test_a_stream_is_closed_once_and_its_failure_hurts_nobody(
    pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    client, _ = pair
    closed: list[str] = []

    def close(name: str) -> None:
        closed.append(name)
        raise OSError(name)

    for verb in ("a", "b"):
        stream = Stream(1.0, lambda: None, partial(close, verb))
        client.streams[verb] = Running(1, verb, stream, 0.0)
    client.end_stream("a")
    client.end_stream("a")
    client.close()
    client.close()
    assert closed == ["a", "b"]
    assert caplog.text.count("has failed") == 2


def test_a_client_that_leaves_does_not_end_a_program_that_obeys_sigpipe() -> None:
    code = """if True:
        import signal, socket
        from choreia.runtime.inspection.connection import Connection
        from choreia.runtime.inspection.frames import Reply
        from choreia.runtime.inspection.peers import Peer
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        near, far = socket.socketpair()
        client = Connection(near, Peer())
        client.reply(Reply(1, "x", True))
        far.close()
        client.ended = True
        print(client.write(), client.finished)
    """
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, timeout=60)
    assert ran.returncode != -signal.SIGPIPE
    assert ran.stdout == b"False True\n"


class SlowReader(RuleBasedStateMachine):
    """Whatever a client reads, and when: it gets all answers, in order, whole; the pieces of its
    stream that it gets tell of those that it does not."""

    def __init__(self) -> None:
        super().__init__()
        near, self.far = socket.socketpair()
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        self.far.setblocking(False)
        self.client = Connection(near, Peer())
        self.got = b""
        self.answers = 0
        self.pieces = 0
        self.dropped = 0

    @rule(size=st.sampled_from([0, 100, 5_000, 100_000]))
    def answer(self, size: int) -> None:
        if not self.client.congested:  # else no request is read
            self.client.reply(Reply(self.answers, "answer", True, {"text": "x" * size}))
            self.answers += 1

    @rule(size=st.sampled_from([0, 100, 5_000, 100_000]))
    def piece(self, size: int) -> None:
        if self.client.congested:
            self.dropped += 1
        else:
            data = {"number": self.pieces, "text": "x" * size}
            self.client.reply(Reply(0, "piece", True, data, dropped=self.dropped))
            self.dropped = 0
        self.pieces += 1

    @rule()
    def write(self) -> None:
        assert self.client.write()

    @rule(size=st.sampled_from([1, 100, 10_000, 1_000_000]))
    def read(self, size: int) -> None:
        with suppress(BlockingIOError):
            self.got += self.far.recv(size)

    @invariant()
    def the_queue_is_bounded(self) -> None:
        assert len(self.client._waiting) <= connection.MOST_WAITING
        assert self.client._bytes == sum(map(len, self.client._waiting))

    def teardown(self) -> None:
        while self.client.writes:
            self.client.write()
            self.read(1_000_000)
        for _ in range(100):
            self.read(1_000_000)
        self.client.close()
        self.far.close()
        said = [json.loads(line) for line in self.got.splitlines()]
        assert [one["id"] for one in said if one["verb"] == "answer"] == list(range(self.answers))
        number = -1
        for one in said:
            if one["verb"] == "piece":
                number += 1 + one.get("dropped", 0)
                assert one["data"]["number"] == number
        assert number + 1 + self.dropped == self.pieces


TestSlowReader = SlowReader.TestCase
