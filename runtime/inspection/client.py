"""A client: asks a running system, and reads what it says."""

from __future__ import annotations

import select
import socket
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final

from choreia.runtime.errors import (
    InspectionFailed,
    InspectionRefused,
    InspectionTimeout,
    NoSuchSystem,
    SystemGone,
)
from choreia.runtime.events.display import plain
from choreia.runtime.inspection import real
from choreia.runtime.inspection.frames import (
    Fields,
    Refusal,
    Reply,
    Request,
    decode_reply,
    encode_request,
)

_PIECE: Final = 262_144
_AGAIN: Final = 10
"""Milliseconds until it is tried again to connect."""
_LONGEST: Final = 2**30
"""Milliseconds that the kernel can be asked to wait: twelve days."""


class Client:
    """A connection to one system. Not thread-safe. A context manager.

    `timeout`: seconds that each answer may take. Raises `NoSuchSystem` when nobody listens at
    `path`, `InspectionRefused`, `InspectionTimeout`.
    """

    def __init__(self, path: Path, timeout: float = 5.0) -> None:
        self.path = path
        self._timeout = timeout
        self._lines: deque[bytes] = deque()
        self._rest = bytearray()
        self._number = 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._connect()
            self.hello: Mapping[str, object] = self.call("hello")
        except BaseException:
            self.close()
            raise

    def call(self, verb: str, **args: object) -> Mapping[str, object]:
        """Ask, and wait for the answer. Pieces of streams that come meanwhile are let go.

        Raises `InspectionRefused` for what the system does not allow, `InspectionFailed` for what
        it cannot answer, `InspectionTimeout` and `SystemGone`.
        """
        number = self.send(verb, **args)
        ends = real.monotonic() + self._timeout
        while True:
            left = ends - real.monotonic()
            reply = self.receive(max(0.0, left))
            if reply is not None and reply.id in (number, None):
                return _data(reply)
            if reply is None or left < 0:  # a stream may have something to say for ever
                raise _late(verb, self._timeout)

    def send(self, verb: str, **args: object) -> int:
        """Ask: the number that the replies will have."""
        self._number += 1
        try:
            line = encode_request(Request(verb, self._number, args))
        except Refusal as refusal:
            raise InspectionFailed(str(refusal), code=refusal.code) from None
        try:
            self._socket.settimeout(self._timeout)
            self._socket.sendall(line)
        except TimeoutError as error:
            raise _late(verb, self._timeout) from error
        except OSError:
            self._read_what_came()
            if not self._lines:  # else it has said why
                raise self._gone("the connection broke") from None
        return self._number

    def receive(self, timeout: float | None) -> Reply | None:
        """The next reply, whatever it answers; None when none comes for `timeout` seconds.

        Raises `SystemGone` when the system has ended, or says what is none of this protocol.
        """
        ends = None if timeout is None else real.monotonic() + timeout
        while not self._lines:
            left = None if ends is None else max(0.0, ends - real.monotonic())
            if not self._readable(left):
                return None
            self._read()
        line = self._lines.popleft()
        try:
            reply = decode_reply(line)
        except (ValueError, RecursionError) as error:
            raise self._gone(f"it says what cannot be understood: {error}") from None
        if reply.verb == "bye" and reply.id is None:
            raise self._gone(plain(str(reply.data.get("reason", "")), 200))
        return reply

    def fileno(self) -> int:
        """For `select`. What has been read already does not show there: see `waiting`."""
        return self._socket.fileno()

    @property
    def waiting(self) -> bool:
        """Whether a reply has come that `receive` would give at once."""
        return bool(self._lines)

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()

    # -- inside -------------------------------------------------------------------------------

    def _connect(self) -> None:
        ends = real.monotonic() + self._timeout
        try:
            self._socket.setblocking(False)
            while not self._is_let_in():
                if real.monotonic() > ends:
                    raise _late("hello", self._timeout)
                select.poll().poll(_AGAIN)
        except InspectionTimeout:
            raise
        except (OSError, ValueError) as error:  # ValueError: no path of a file
            reason = error.strerror if isinstance(error, OSError) and error.strerror else error
            raise NoSuchSystem(f"{self.path}: no system can be reached there ({reason})") from error

    def _is_let_in(self) -> bool:
        try:
            self._socket.connect(str(self.path))
        except BlockingIOError:  # it listens, but others wait before us, and Linux has no queue
            return False
        return True

    def _readable(self, timeout: float | None) -> bool:
        if self._socket.fileno() < 0:
            raise self._gone("the connection is closed")
        ready = select.poll()
        ready.register(self._socket, select.POLLIN)
        return bool(ready.poll(None if timeout is None else min(timeout * 1_000, _LONGEST)))

    def _read(self) -> None:
        try:
            piece = self._socket.recv(_PIECE)
        except OSError:
            piece = b""
        if not piece:
            raise self._gone("the connection broke")
        *ended, rest = piece.split(b"\n")
        for part in ended:
            self._lines.append(bytes(self._rest) + part)
            self._rest.clear()
        self._rest += rest

    def _read_what_came(self) -> None:
        try:
            while self._readable(0):
                self._read()
        except SystemGone:
            pass

    def _gone(self, reason: str) -> SystemGone:
        return SystemGone(f"the system at {self.path} is gone: {reason}", reason=reason)


def _data(reply: Reply) -> Fields:
    if reply.error is None:
        return dict(reply.data)
    message = plain(reply.error.message, 2_000)
    if reply.error.code in ("refused", "busy"):
        raise InspectionRefused(message, code=reply.error.code)
    raise InspectionFailed(message, code=reply.error.code)


def _late(verb: str, seconds: float) -> InspectionTimeout:
    return InspectionTimeout(
        f"the system did not answer {verb!r} within {seconds:g} s: it hangs, or the machine is "
        "busy; try again, or give it longer",
        seconds=seconds,
    )
