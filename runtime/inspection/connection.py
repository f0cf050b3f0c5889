"""One client: what it has sent, and what it is still to be sent.

Both are bounded. A client that sends what is no request is told so. One that does not read gets no
more pieces of its streams (they are counted, and the next says how many), and with too many replies
waiting its requests are not read either: so it stops itself, and nobody else.
"""

from __future__ import annotations

import socket
from collections import deque
from typing import Final

import attrs

from choreia.runtime.inspection.answering import Stream, end
from choreia.runtime.inspection.frames import (
    LONGEST,
    Problem,
    Refusal,
    Reply,
    Request,
    decode_request,
    encode_reply,
)
from choreia.runtime.inspection.peers import Peer

MOST_WAITING: Final = 8
"""Lines that wait to be sent before pieces of streams are let go."""
MOST_BYTES: Final = 4 * 2**20
"""The same in bytes."""
MOST_REQUESTS: Final = 16
"""Requests of one client that wait for an answer, and are read no further."""
_PIECE: Final = 8_192
_FLAGS: Final[int] = getattr(socket, "MSG_NOSIGNAL", 0)
"""A program may have given SIGPIPE back its meaning (many do, for `| head`): then one client that
goes away would end it."""

Incoming = Request | Refusal


class Inbox:
    """Lines out of bytes. Bytes of a line that is too long are let go of as they come."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._skipping = False

    def take(self, piece: bytes) -> list[bytes | None]:
        """The lines that are whole now; None for one that was too long."""
        lines: list[bytes | None] = []
        *ended, rest = piece.split(b"\n")
        for part in ended:
            self._bytes += part
            if self._skipping:
                self._skipping = False
            elif len(self._bytes) >= LONGEST:
                lines.append(None)
            elif self._bytes.strip():
                lines.append(bytes(self._bytes))
            self._bytes.clear()
        self._bytes += rest
        if len(self._bytes) >= LONGEST and not self._skipping:
            self._skipping = True
            lines.append(None)
        if self._skipping:
            self._bytes.clear()
        return lines


@attrs.define(eq=False)
class Running:
    """A stream that a client gets."""

    id: int
    verb: str
    stream: Stream
    due: float
    """When the next piece is wanted (monotonic seconds)."""
    dropped: int = 0
    """Pieces that were let go since the last."""
    cost: float = 0.0
    """Seconds of computing that a piece takes, lately: one alone may have had to clean up the whole
    process's garbage."""

    def count(self, cost: float) -> None:
        """The last piece took so long."""
        self.cost += (cost - self.cost) / 8


class Connection:
    """For the thread that serves."""

    def __init__(self, connected: socket.socket, peer: Peer) -> None:
        connected.setblocking(False)
        self.socket = connected
        self.peer = peer
        self.requests: deque[Incoming] = deque()
        """Read, and not answered yet."""
        self.answering = False
        """Whether one of them is being answered on another thread."""
        self.streams: dict[str, Running] = {}
        """By verb."""
        self.ended = False
        """Whether it asks for nothing more; it may still read."""
        self.leaving = False
        """Whether it is to be closed when all has been sent."""
        self._inbox = Inbox()
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._sent = 0
        """Bytes of the first line that have left."""

    # -- in -----------------------------------------------------------------------------------

    @property
    def reads(self) -> bool:
        """Whether more requests are to be read now."""
        full = self.congested or len(self.requests) >= MOST_REQUESTS
        return not (self.leaving or self.ended or full)

    def read(self) -> bool:
        """Take what has come: whether the client is still there."""
        try:
            piece = self.socket.recv(_PIECE)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.ended = not piece
        for line in self._inbox.take(piece or b"\n"):  # the end ends the last line, too
            self.requests.append(_request(line))
        return True

    # -- out ----------------------------------------------------------------------------------

    @property
    def congested(self) -> bool:
        """Whether the client reads too slowly."""
        return len(self._waiting) >= MOST_WAITING or self._bytes > MOST_BYTES

    @property
    def pending(self) -> bool:
        """Whether a request can be answered now."""
        return bool(self.requests) and not (self.answering or self.congested or self.leaving)

    @property
    def finished(self) -> bool:
        """Whether it has all that it asked for, and asks for nothing more."""
        left = self.requests or self.answering or self._waiting or self.streams
        return self.ended and (not left or self._is_deaf())

    def _is_deaf(self) -> bool:
        """Whether it reads nothing more, either. No event says so: whoever asks for nothing more
        looks to `select` as if there were always something to be read."""
        try:
            self.socket.send(b"", _FLAGS)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return False

    @property
    def writes(self) -> bool:
        """Whether something is left to be sent."""
        return bool(self._waiting)

    def reply(self, reply: Reply) -> None:
        """Have it sent. An answer is never let go."""
        line = encode_reply(reply)
        self._waiting.append(line)
        self._bytes += len(line)

    def refuse(self, refusal: Refusal, id: int | None, verb: str) -> None:
        """Have it told why not."""
        self.reply(Reply(id, verb, False, error=Problem(refusal.code, str(refusal))))

    def write(self) -> bool:
        """Send what there is room for: whether the client is still there."""
        while self._waiting:
            line = self._waiting[0]
            try:
                self._sent += self.socket.send(memoryview(line)[self._sent :], _FLAGS)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if self._sent == len(line):
                self._waiting.popleft()
                self._bytes -= len(line)
                self._sent = 0
        return not self.leaving

    def end_stream(self, verb: str) -> None:
        """Of this verb, if there is one."""
        running = self.streams.pop(verb, None)
        if running is not None:
            end(running.stream)

    def close(self) -> None:
        """Let go of it, and of its streams."""
        for verb in list(self.streams):
            self.end_stream(verb)
        self.socket.close()


def _request(line: bytes | None) -> Incoming:
    if line is None:
        return Refusal("bad_frame", f"a request is a line of at most {LONGEST:,} bytes")
    try:
        return decode_request(line)
    except Refusal as refusal:
        return refusal
