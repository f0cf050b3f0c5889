"""The server: one thread that waits for clients, and does nothing while there are none.

Quick questions are answered on it, and so are streams made: that is the sampler. Slow ones get a
thread each, one at a time for a client. Whatever fails is told to whoever asked, and to nobody
else: who looks cannot hurt what is looked at.
"""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import socket
import threading
from collections import deque
from pathlib import Path
from typing import Final, cast

from choreia.runtime.errors import ChoreiaError
from choreia.runtime.events.display import plain
from choreia.runtime.inspection import real
from choreia.runtime.inspection.answering import END, Answer, Answers, Stream
from choreia.runtime.inspection.binding import bind
from choreia.runtime.inspection.connection import Connection, Running
from choreia.runtime.inspection.frames import Refusal, Reply, Request
from choreia.runtime.inspection.meter import Meter
from choreia.runtime.inspection.peers import peer_of

MOST_CLIENTS: Final = 8
LAST_WORDS: Final = 0.2
"""Seconds for what is left to be sent when the system ends."""

log = logging.getLogger("choreia.inspection")

Done = tuple[Connection, Request, Answer | Exception, float]
"""Who asked, what, what there is to say, and what that took: seconds of computing."""


class Server:
    """Serves one system, from `start` to `stop`."""

    def __init__(self, path: Path, answers: Answers, meter: Meter) -> None:
        """Raises `InspectionInsecure` for a place that is not safe, or taken."""
        self.path = path
        self.meter = meter
        self._answers = answers
        self._listening = bind(path)
        self._selector = selectors.DefaultSelector()
        self._near, self._far = socket.socketpair()  # to wake the thread by
        self._near.setblocking(False)
        self._far.setblocking(False)
        self._clients: dict[int, Connection] = {}
        self._done: deque[Done] = deque()
        self._ending: str | None = None
        self._thread = threading.Thread(target=self._serve, name="choreia-inspect", daemon=True)

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self, reason: str) -> None:
        """Tell the clients, and end. Calling it again does nothing."""
        if self._ending is None:
            self._ending = reason
            self._wake()
            self._thread.join(LAST_WORDS * 5)

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # full: it will wake; closed: it is over
            self._far.send(b"\0")

    # -- the loop -----------------------------------------------------------------------------

    def _serve(self) -> None:
        try:
            self._selector.register(self._listening, selectors.EVENT_READ)
            self._selector.register(self._near, selectors.EVENT_READ)
            while self._ending is None:
                self._once()
            self._say_goodbye(self._ending)
        except Exception:
            log.exception("the inspection of this system has failed, and is switched off")
        finally:
            self._close()

    def _once(self) -> None:
        for key, mask in self._selector.select(self._patience()):
            if key.fileobj is self._listening:
                self._accept()
            elif key.fileobj is self._near:
                with contextlib.suppress(OSError):
                    self._near.recv(4_096)
            else:
                self._attend(cast("Connection", key.data), mask)
        while self._done:
            client, asked, answer, cost = self._done.popleft()
            self.meter.add(cost)
            self._finish(client, asked, answer)
        self._feed()
        self.meter.mark()
        self._watch_all()

    def _patience(self) -> float | None:
        dues = [one.due for client in self._clients.values() for one in client.streams.values()]
        return max(0.0, min(dues) - real.monotonic()) if dues else None

    def _watch_all(self) -> None:
        """What each client is waited for: to be read from, or to be ready for more."""
        for number, client in list(self._clients.items()):
            if client.finished:
                self._keep(client, False)
                continue
            wanted = selectors.EVENT_READ if client.reads else 0
            wanted |= selectors.EVENT_WRITE if client.writes else 0
            known = self._selector.get_map().get(number)
            if not wanted:
                if known is not None:
                    self._selector.unregister(client.socket)
            elif known is None:
                self._selector.register(client.socket, wanted, client)
            elif known.events != wanted:
                self._selector.modify(client.socket, wanted, client)

    # -- clients ------------------------------------------------------------------------------

    def _accept(self) -> None:
        try:
            connected, _ = self._listening.accept()
        except OSError:
            return
        try:
            client = Connection(connected, peer_of(connected))
        except OSError:
            connected.close()
            return
        self._clients[connected.fileno()] = client
        if not client.peer.trusted:
            self._turn_away(client, Refusal("refused", "this is another user's system"))
        elif len(self._clients) > MOST_CLIENTS:
            self._turn_away(client, Refusal("busy", f"{MOST_CLIENTS} others look already"))

    def _turn_away(self, client: Connection, refusal: Refusal) -> None:
        client.leaving = True
        client.refuse(refusal, None, "hello")
        self._keep(client, client.write())

    def _attend(self, client: Connection, mask: int) -> None:
        there = client.read() if mask & selectors.EVENT_READ else True
        if there and mask & selectors.EVENT_WRITE:
            there = client.write()
        if self._keep(client, there):
            self._go_on(client)

    def _keep(self, client: Connection, there: bool) -> bool:
        if not there:
            number = client.socket.fileno()
            if number in self._selector.get_map():
                self._selector.unregister(client.socket)
            self._clients.pop(number, None)
            client.close()
        return there

    # -- requests -----------------------------------------------------------------------------

    def _go_on(self, client: Connection) -> None:
        """Answer what it has asked, in order, up to what takes a thread."""
        while client.requests and not client.answering:
            asked = client.requests.popleft()
            if isinstance(asked, Refusal):
                client.refuse(asked, asked.id, "")
            elif self._answers.is_slow(asked.verb):
                client.answering = True
                threading.Thread(
                    target=self._answer_slowly,
                    args=(client, asked),
                    name=f"choreia-inspect-{asked.verb}",
                    daemon=True,
                ).start()
            else:
                self._tell(client, asked, self._answer(client, asked))
        self._keep(client, client.write())

    def _answer_slowly(self, client: Connection, asked: Request) -> None:
        self._done.append((client, asked, self._answer(client, asked), real.cpu()))
        self._wake()

    def _answer(self, client: Connection, asked: Request) -> Answer | Exception:
        try:
            return self._answers.answer(asked.verb, asked.args, client.peer)
        except Exception as error:
            return error

    def _finish(self, client: Connection, asked: Request, answer: Answer | Exception) -> None:
        client.answering = False
        if self._clients.get(client.socket.fileno()) is client:
            self._tell(client, asked, answer)
            self._go_on(client)

    def _tell(self, client: Connection, asked: Request, answer: Answer | Exception) -> None:
        if isinstance(answer, Exception):
            client.refuse(_told(answer, asked.verb), asked.id, asked.verb)
        elif not isinstance(answer, Stream):
            client.reply(Reply(asked.id, asked.verb, True, answer))
        else:
            former = client.streams.pop(asked.verb, None)
            if former is not None:
                former.stream.close()
            if answer is END:
                client.reply(Reply(asked.id, asked.verb, True))
            else:
                now = real.monotonic()
                client.streams[asked.verb] = Running(asked.id, asked.verb, answer, now)

    # -- streams ------------------------------------------------------------------------------

    def _feed(self) -> None:
        now = real.monotonic()
        for client in list(self._clients.values()):
            due = [running for running in client.streams.values() if running.due <= now]
            for running in due:
                self._piece(client, running, now)
            if due:
                self._keep(client, client.write())

    def _piece(self, client: Connection, running: Running, now: float) -> None:
        before = real.cpu()
        try:
            piece = running.stream.next()
        except Exception as error:
            client.refuse(_told(error, running.verb), running.id, running.verb)
            client.streams.pop(running.verb).stream.close()
            return
        if piece is not None and client.congested:
            running.dropped += 1
        elif piece is not None:
            client.reply(Reply(running.id, running.verb, True, piece, dropped=running.dropped))
            running.dropped = 0
        streams = sum(len(one.streams) for one in self._clients.values())
        running.count((real.cpu() - before) * streams)
        running.due = now + self.meter.pause(running.stream.every, running.cost)

    # -- the end ------------------------------------------------------------------------------

    def _say_goodbye(self, reason: str) -> None:
        for client in list(self._clients.values()):
            client.reply(Reply(None, "bye", True, {"reason": reason}))
            client.leaving = True
        ends = real.monotonic() + LAST_WORDS
        while self._clients and real.monotonic() < ends:
            for client in list(self._clients.values()):
                self._keep(client, client.write())
            self._watch_all()
            if self._clients:
                self._selector.select(LAST_WORDS / 10)

    def _close(self) -> None:
        for client in list(self._clients.values()):
            client.close()
        self._clients.clear()
        self._listening.close()
        self._selector.close()
        self._near.close()
        self._far.close()
        with contextlib.suppress(OSError):
            os.unlink(self.path)  # noqa: PTH108  # whatever it is


def _told(error: Exception, verb: str) -> Refusal:
    """What the client is to know of it."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, ChoreiaError):
        return Refusal("failed", plain(str(error), 2_000))
    log.error("answering %r failed", plain(verb, 40), exc_info=error)
    return Refusal("failed", f"{type(error).__name__}: {plain(str(error), 500)}")
