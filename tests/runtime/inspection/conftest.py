"""A server with answers made up by the test, and a client that is only a socket."""

from __future__ import annotations

import json
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from choreia.runtime.inspection.answering import Answer, Stream
from choreia.runtime.inspection.frames import SCHEMA, Fields, Refusal
from choreia.runtime.inspection.meter import Meter
from choreia.runtime.inspection.peers import Peer
from choreia.runtime.inspection.server import Server

PATIENCE = 20.0
Until = Callable[[Callable[[], object]], None]


class Desk:
    """Answers what the test has taught it."""

    def __init__(self) -> None:
        self.verbs: dict[str, Callable[[Mapping[str, object]], Answer]] = {
            "hello": lambda _: {"node": "n1", "pid": 7},
            "echo": dict,
        }
        self.slow: set[str] = set()
        self.peers: list[Peer] = []
        self.asked: list[str] = []

    def is_slow(self, verb: str) -> bool:
        return verb in self.slow

    def answer(self, verb: str, args: Mapping[str, object], peer: Peer) -> Answer:
        self.peers.append(peer)
        self.asked.append(verb)
        if verb not in self.verbs:
            raise Refusal("unknown_verb", f"no verb {verb}")
        return self.verbs[verb](args)


class Feed:
    """A stream, and what has become of it."""

    def __init__(self, every: float, piece: Callable[[], Fields | None] | None) -> None:
        self.begun = self.closed = self.said = 0
        self.stream: Stream | None = None
        self._every = every
        self._piece = piece

    def begin(self, _: object) -> Stream:
        self.begun += 1
        self.stream = Stream(self._every, self._next, self._close)
        return self.stream

    def _next(self) -> Fields | None:
        self.said += 1
        return {"number": self.said} if self._piece is None else self._piece()

    def _close(self) -> None:
        self.closed += 1


class Counted(Server):
    """One that counts how often its thread has gone round."""

    passes = 0

    def _once(self) -> None:
        self.passes += 1
        super()._once()

    @property
    def clients(self) -> int:
        return len(self._clients)

    @property
    def thread(self) -> threading.Thread:
        return self._thread


class Raw:
    """A client that says what it likes."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(str(path))
        self._rest = b""

    def say(self, *said: bytes | dict[str, Any]) -> None:
        for one in said:
            self.socket.sendall(one if isinstance(one, bytes) else json.dumps(one).encode() + b"\n")

    def ask(self, verb: str, id: int = 1, **args: object) -> None:
        self.say({"schema": SCHEMA, "id": id, "verb": verb, "args": args})

    def line(self) -> dict[str, Any] | None:
        """The next reply; None: the connection has been closed."""
        while b"\n" not in self._rest:
            try:
                piece = self.socket.recv(65_536)
            except ConnectionResetError:
                piece = b""
            if not piece:
                assert not self._rest, "half a line"
                return None
            self._rest += piece
        line, self._rest = self._rest.split(b"\n", 1)
        said = json.loads(line)
        assert said.pop("schema") == SCHEMA
        assert isinstance(said, dict)
        return said

    def reply(self) -> dict[str, Any]:
        said = self.line()
        assert said is not None, "it has hung up"
        return said

    def answer(self, verb: str, id: int = 1, **args: object) -> dict[str, Any]:
        self.ask(verb, id, **args)
        return self.reply()

    def hang_up(self) -> None:
        self.socket.close()


Serve = Callable[..., Counted]
MakeFeed = Callable[..., Feed]
Connect = Callable[..., Raw]


@pytest.fixture
def until() -> Until:
    """``until(condition)``: wait for it, not for ever."""

    def wait(condition: Callable[[], object]) -> None:
        ends = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < ends, "it has not come to that"
            time.sleep(0.001)

    return wait


@pytest.fixture
def room() -> Iterator[Path]:
    """A folder of ours alone, whose name is short enough for sockets."""
    made = Path(tempfile.mkdtemp(prefix="chi-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def path(room: Path) -> Path:
    return room / "it.sock"


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def feed(desk: Desk) -> MakeFeed:
    """``feed()``: teaches the desk a verb, ``feed`` unless told, that answers with a stream."""

    def build(
        every: float = 0.001, piece: Callable[[], Fields | None] | None = None, verb: str = "feed"
    ) -> Feed:
        made = Feed(every, piece)
        desk.verbs[verb] = made.begin
        return made

    return build


@pytest.fixture
def serve(path: Path, desk: Desk) -> Iterator[Serve]:
    """``serve()``: a server that runs, with what `desk` answers; stopped when the test ends."""
    made: list[Counted] = []

    def build(where: Path = path, meter: Meter | None = None) -> Counted:
        made.append(Counted(where, desk, meter or Meter()))
        made[-1].start()
        return made[-1]

    yield build
    for server in made:
        server.stop("the test is over")
        server.thread.join(PATIENCE)
        assert not server.thread.is_alive()
        assert not server.path.exists()


@pytest.fixture
def connect(path: Path) -> Iterator[Connect]:
    made: list[Raw] = []

    def build(where: Path = path) -> Raw:
        made.append(Raw(where))
        return made[-1]

    yield build
    for one in made:
        one.hang_up()
