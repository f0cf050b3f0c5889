"""The connection's thread: asks the system what the model wants to know, and tells what it says.

It owns the `Client`. Whoever calls a method here only leaves a request and wakes the thread, so a
system that does not answer keeps nobody else waiting.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

import attrs

from choreia.console.model.asks import EVENTS
from choreia.console.terminal.news import (
    Answered,
    Broken,
    Complained,
    Connected,
    Heard,
    Logged,
    Lost,
    Pictured,
    Tell,
)
from choreia.runtime.errors import ChoreiaError, InspectionFailed, NoSuchSystem, SystemGone
from choreia.runtime.events.display import plain
from choreia.runtime.inspection.client import Client
from choreia.runtime.inspection.frames import Problem, Reply

AGAIN: Final = 0.5
"""Seconds between two attempts to find a system."""
MOST_CALLS: Final = 16
"""Calls that may be on their way. A system that is stuck answers none, and is asked no more."""
LAST_WORDS: Final = 0.5
"""Seconds that the thread has to end; it may hang in a connection that is being made."""

Connect = Callable[[Mapping[str, object] | None], Client]
"""Find the system, or find again the one that said this of itself. Raises `ChoreiaError`."""


@attrs.frozen
class _Wanted:
    """A request that is left for the thread."""

    verb: str
    args: Mapping[str, object]
    tag: str | None = None
    """Of a call; None for a stream."""


class Link:
    """A connection between `start` and `stop`.

    `client`: the connection, if there is one already. `wait`: find the system, again and again,
    when there is none, instead of letting it be `Lost` for good. `every`: seconds between two
    snapshots.
    """

    def __init__(
        self, connect: Connect, tell: Tell, *, client: Client | None, every: float, wait: bool
    ) -> None:
        self._connect = connect
        self._tell = tell
        self._client = client
        self._every = every
        self._wait = wait
        self._hello: Mapping[str, object] | None = None
        self._left: deque[_Wanted] = deque()
        self._streams: dict[str, Mapping[str, object]] = {}  # what is asked anew after a loss
        self._current: dict[str, int] = {}  # the number of each stream; what older ones say is past
        self._tags: dict[int, str] = {}  # of calls, by their number
        self._why: str | None = None  # there is no connection
        self._ended = False
        self._near, self._far = os.pipe()  # to wake the thread by
        os.set_blocking(self._far, False)
        self._thread = threading.Thread(target=self._run, name="choreia-link", daemon=True)

    # -- for the loop -------------------------------------------------------------------------

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End; a connection that hangs is left to end with the process."""
        self._ended = True
        self._wake()
        self._thread.join(LAST_WORDS)
        if not self._thread.is_alive():
            os.close(self._near)
            os.close(self._far)

    def look(self, parts: frozenset[str]) -> None:
        """Have snapshots with these parts, from now on."""
        self._ask(_Wanted("snapshot", {"every": self._every, "parts": sorted(parts)}))

    def follow(self, args: Mapping[str, object]) -> None:
        """Have the events that `args` choose, from now on, and no others."""
        self._ask(_Wanted("events", {**args, "follow": True}))

    def unfollow(self) -> None:
        self._ask(_Wanted("events", {"follow": None}))

    def call(self, verb: str, args: Mapping[str, object], tag: str) -> None:
        """Ask once; the answer is told under `tag`."""
        self._ask(_Wanted(verb, args, tag))

    def _ask(self, wanted: _Wanted) -> None:
        self._left.append(wanted)
        self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):  # full: it is awake
            os.write(self._far, b"\0")

    # -- the thread ---------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._ended:
                if self._client is None and not self._try_to_connect():
                    continue
                self._talk()
        except Exception as error:
            self._tell(Broken(error))
        finally:
            if self._client is not None:
                self._client.close()

    def _try_to_connect(self) -> bool:
        try:
            self._client = self._connect(self._hello)
        except ChoreiaError as error:
            if str(error) != self._why and not isinstance(error, NoSuchSystem):
                self._why = str(error)
                self._tell(Complained(self._why))
            self._pause(AGAIN)
            self._refuse_calls()
            return False
        self._why = None
        return True

    def _talk(self) -> None:
        """Until the system is gone, or the console."""
        client = self._client
        assert client is not None
        self._hello = client.hello
        self._tell(Connected(client.hello))
        try:
            for verb, args in self._streams.items():
                self._send(client, _Wanted(verb, args))
            while not self._ended:
                self._once(client)
        except SystemGone as gone:
            self._lose(client, gone)

    def _lose(self, client: Client, gone: SystemGone) -> None:
        client.close()
        self._client = None
        for tag in self._tags.values():
            self._fail(tag, "failed", "the connection broke")
        self._tags.clear()
        self._current.clear()
        self._tell(Lost(gone.reason))
        while not self._wait and not self._ended:
            self._pause(None)
            self._refuse_calls()

    def _once(self, client: Client) -> None:
        """Send what is left to be sent, take what has come, or wait for either."""
        while self._left:
            self._send(client, self._left.popleft())
        if not client.waiting:
            ready, _, _ = select.select([client.fileno(), self._near], [], [])
            if self._near in ready:
                os.read(self._near, 4096)
            if client.fileno() not in ready:
                return
        reply = client.receive(0)
        if reply is not None:
            self._take(reply)

    def _send(self, client: Client, wanted: _Wanted) -> None:
        if wanted.tag is None:
            self._streams[wanted.verb] = wanted.args
        elif len(self._tags) >= MOST_CALLS:
            self._fail(wanted.tag, "busy", "the system has not answered what it was asked before")
            return
        try:
            number = client.send(wanted.verb, **wanted.args)
        except SystemGone:
            self._complain(wanted.tag, "failed", "the connection broke")
            raise
        except InspectionFailed as error:
            self._complain(wanted.tag, error.code, str(error))
        except TimeoutError as error:
            self._complain(wanted.tag, "failed", str(error))
        else:
            if wanted.tag is None:
                self._current[wanted.verb] = number
            else:
                self._tags[number] = wanted.tag

    def _take(self, reply: Reply) -> None:
        if reply.id in self._tags:
            data = None if reply.error is not None else reply.data
            self._tell(Answered(self._tags.pop(reply.id), data, reply.error))
        elif reply.id is not None and self._current.get(reply.verb) == reply.id:
            self._take_piece(reply)

    def _take_piece(self, reply: Reply) -> None:
        if reply.error is not None:
            tag = EVENTS if reply.verb == "events" else None
            self._complain(tag, reply.error.code, reply.error.message)
        elif reply.verb == "snapshot":
            self._tell(Pictured(reply.data))
        elif "events" in reply.data:  # and not the word that the stream has ended
            self._tell(Heard(reply.data))
            if reply.dropped:
                self._tell(Logged(f"{reply.dropped} pieces of events came too fast to be shown"))

    def _refuse_calls(self) -> None:
        """There is nobody to be asked: calls fail, streams are for whoever comes."""
        while self._left:
            wanted = self._left.popleft()
            if wanted.tag is None:
                self._streams[wanted.verb] = wanted.args
            else:
                self._fail(wanted.tag, "failed", "there is no connection")

    def _complain(self, tag: str | None, code: str, message: str) -> None:
        if tag is None:
            self._tell(Complained(plain(message)))
        else:
            self._fail(tag, code, message)

    def _fail(self, tag: str, code: str, message: str) -> None:
        self._tell(Answered(tag, None, Problem(code, message)))

    def _pause(self, seconds: float | None) -> None:
        """Wait so long, or until there is something to do."""
        if select.select([self._near], [], [], seconds)[0]:
            os.read(self._near, 4096)
