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
from collections.abc import Mapping
from pathlib import Path
from typing import Final, cast
from weakref import WeakSet

from choreia.runtime.errors import ChoreiaError
from choreia.runtime.events.display import plain
from choreia.runtime.inspection import real
from choreia.runtime.inspection.answering import END, Answers, Stream, end
from choreia.runtime.inspection.aside import Answered, Aside
from choreia.runtime.inspection.binding import bind
from choreia.runtime.inspection.connection import Connection, Running
from choreia.runtime.inspection.frames import Refusal, Reply, Request
from choreia.runtime.inspection.meter import Meter, pause_after
from choreia.runtime.inspection.peers import peer_of

MOST_CLIENTS: Final = 8
AT_ONCE: Final = 8
"""Requests of one client that are answered before it is the next one's turn."""
LAST_WORDS: Final = 0.2
"""Seconds for what is left to be sent when the system ends."""
DEAF: Final = 1.0
"""Seconds until clients are let in again, when the process has no file left for one."""
LONGEST_WAIT: Final = 3_600.0
"""Seconds; the kernel's longest is 24 days, and a client may ask for a frame a century."""

log = logging.getLogger("choreia.inspection")


class Server:
    """Serves one system, from `start` to `stop`."""

    def __init__(self, path: Path, answers: Answers, meter: Meter) -> None:
        """Raises `InspectionInsecure` for a place that is not safe, or taken."""
        self.path = path
        self.meter = meter
        self._answers = answers
        self._door = bind(path)
        try:
            self._selector = selectors.DefaultSelector()
            self._near, self._far = socket.socketpair()  # to wake the thread by
        except OSError:  # no file is left
            self._door.shut()
            raise
        self._near.setblocking(False)
        self._far.setblocking(False)
        self._clients: dict[int, Connection] = {}
        self._deaf_until: float | None = None
        self._aside = Aside(self._answer, self._wake)
        self._ending: str | None = None
        self._thread = threading.Thread(target=self._serve, name="choreia-inspect", daemon=True)
        _servers.add(self)

    def start(self) -> None:
        """Begin to serve."""
        try:
            self._thread.start()
        except RuntimeError:
            if self._thread.ident is None:  # no more threads; else it has begun before
                self.stop("it could not be served")
            raise

    def stop(self, reason: str) -> None:
        """Tell the clients, and end. Calling it again does nothing."""
        if self._ending is not None:
            return
        self._ending = reason
        if self._thread.ident is None:  # it has never begun
            self._close()
            return
        self._wake()
        ends = real.monotonic() + LAST_WORDS * 5
        _join(self._thread, ends)
        for thread in self._aside.threads():  # none is begun any more
            _join(thread, ends)

    def leave(self) -> None:
        """This is a child of the process that serves: it has copies of all that is open, by which
        clients would think that their system goes on after its end."""
        for one in (self._door.socket, self._selector, self._near, self._far):
            with contextlib.suppress(OSError):  # kqueue's are not inherited
                one.close()
        for client in list(self._clients.values()):
            client.socket.close()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # full: it will wake; closed: it is over
            self._far.send(b"\0")

    # -- the loop -----------------------------------------------------------------------------

    def _serve(self) -> None:
        try:
            self._selector.register(self._door.socket, selectors.EVENT_READ)
            self._selector.register(self._near, selectors.EVENT_READ)
            while self._ending is None:
                self._once()
            self._say_goodbye(self._ending)
        except Exception:
            log.exception("the inspection of this system has failed, and is switched off")
        finally:
            self._close()

    def _once(self) -> None:
        somebody = False
        for key, mask in self._selector.select(self._patience()):
            if key.fileobj is self._door.socket:
                somebody = True
            elif key.fileobj is self._near:
                with contextlib.suppress(OSError):
                    self._near.recv(4_096)
            else:
                self._attend(cast("Connection", key.data), mask)
        for client, asked, answer, cost in self._aside.done():
            self.meter.add(cost)
            self._finish(client, asked, answer)
        for client in list(self._clients.values()):
            self._go_on(client)
        self._feed()
        self.meter.mark()
        for client in list(self._clients.values()):
            self._watch(client)
        if somebody:  # last: whoever has left has made room
            self._accept()
        self._listen_again()

    def _patience(self) -> float | None:
        clients = self._clients.values()
        if any(client.pending for client in clients):
            return 0.0
        dues = [one.due for client in clients for one in client.streams.values()]
        if self._deaf_until is not None:
            dues.append(self._deaf_until)
        return min(max(0.0, min(dues) - real.monotonic()), LONGEST_WAIT) if dues else None

    def _watch(self, client: Connection) -> None:
        """What it is waited for: to be read from, or to be ready for more."""
        if client.finished:
            self._keep(client, False)
            return
        wanted = selectors.EVENT_READ if client.reads else 0
        wanted |= selectors.EVENT_WRITE if client.writes else 0
        known = self._selector.get_map().get(client.socket.fileno())
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
            connected, _ = self._door.socket.accept()
        except (BlockingIOError, ConnectionError):
            return
        except OSError:  # no file is left, say: it would be ready, and fail, again at once
            self._selector.unregister(self._door.socket)
            self._deaf_until = real.monotonic() + DEAF
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
        else:
            self._watch(client)

    def _listen_again(self) -> None:
        if self._deaf_until is not None and real.monotonic() >= self._deaf_until:
            self._deaf_until = None
            self._selector.register(self._door.socket, selectors.EVENT_READ)

    def _turn_away(self, client: Connection, refusal: Refusal) -> None:
        client.leaving = True
        client.refuse(refusal, None, "hello")
        self._keep(client, client.write())

    def _attend(self, client: Connection, mask: int) -> None:
        there = client.read() if mask & selectors.EVENT_READ else True
        self._keep(client, there and client.write())

    def _keep(self, client: Connection, there: bool) -> None:
        if not there:
            number = client.socket.fileno()
            if number in self._selector.get_map():
                self._selector.unregister(client.socket)
            self._clients.pop(number, None)
            client.close()

    # -- requests -----------------------------------------------------------------------------

    def _go_on(self, client: Connection) -> None:
        """Answer what it has asked, in order, up to what takes a thread."""
        for _ in range(AT_ONCE):
            if not client.pending:
                break
            asked = client.requests.popleft()
            if isinstance(asked, Refusal):
                client.refuse(asked, asked.id, "")
            elif not self._answers.is_slow(asked.verb):
                self._tell(client, asked, self._answer(client, asked))
            elif self._aside.begin(client, asked):
                client.answering = True
            else:
                busy = Refusal("busy", "too many slow answers are being looked for: try again")
                client.refuse(busy, asked.id, asked.verb)
        self._keep(client, client.write())

    def _answer(self, client: Connection, asked: Request) -> Answered:
        try:
            return self._answers.answer(asked.verb, asked.args, client.peer)
        except BaseException as error:  # asyncio's CancelledError is no Exception
            return error

    def _finish(self, client: Connection, asked: Request, answer: Answered) -> None:
        client.answering = False
        if self._clients.get(client.socket.fileno()) is client:
            self._tell(client, asked, answer)
        elif isinstance(answer, Stream):
            end(answer)

    def _tell(self, client: Connection, asked: Request, answer: Answered) -> None:
        if isinstance(answer, BaseException):
            client.refuse(_told(answer, asked.verb), asked.id, asked.verb)
        elif not isinstance(answer, Stream):
            self._say(client, asked.id, asked.verb, answer)
        else:
            client.end_stream(asked.verb)
            if answer is END:
                self._say(client, asked.id, asked.verb, {})
            else:
                now = real.monotonic()
                client.streams[asked.verb] = Running(asked.id, asked.verb, answer, now)

    def _say(
        self, client: Connection, id: int, verb: str, data: Mapping[str, object], dropped: int = 0
    ) -> None:
        try:
            client.reply(Reply(id, verb, True, data, dropped=dropped))
        except Exception as error:  # it is nothing that can be told
            client.refuse(_told(error, verb), id, verb)

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
        except BaseException as error:
            client.refuse(_told(error, running.verb), running.id, running.verb)
            client.end_stream(running.verb)
            return
        if piece is not None and client.congested:
            running.dropped += 1
        elif piece is not None:
            self._say(client, running.id, running.verb, piece, running.dropped)
            running.dropped = 0
        streams = sum(len(one.streams) for one in self._clients.values())
        running.count((real.cpu() - before) * streams)
        running.stream.pause = pause_after(running.cost, running.stream.every)
        running.due = now + running.stream.pause

    # -- the end ------------------------------------------------------------------------------

    def _say_goodbye(self, reason: str) -> None:
        self._door.shut()
        for client in list(self._clients.values()):
            client.reply(Reply(None, "bye", True, {"reason": reason}))
            client.leaving = True
        with selectors.DefaultSelector() as selector:
            for client in self._clients.values():
                selector.register(client.socket, selectors.EVENT_WRITE, client)
            ends = real.monotonic() + LAST_WORDS
            while (left := ends - real.monotonic()) > 0 and selector.get_map():
                for key, _ in selector.select(left):
                    if not cast("Connection", key.data).write():
                        selector.unregister(key.fileobj)

    def _close(self) -> None:
        self._door.shut()
        for client in list(self._clients.values()):
            client.close()
        self._clients.clear()
        self._aside.end()
        self._selector.close()
        self._near.close()
        self._far.close()


def _join(thread: threading.Thread, ends: float) -> None:
    if thread is not threading.current_thread():  # an answer may stop the system
        thread.join(max(0.0, ends - real.monotonic()))


def _told(error: BaseException, verb: str) -> Refusal:
    """What the client is to know of it."""
    if isinstance(error, Refusal):
        return error
    try:
        text = plain(str(error), 2_000)
    except Exception:
        text = "and cannot say why"
    if isinstance(error, ChoreiaError):
        return Refusal("failed", text)
    log.error("answering %r failed", plain(verb, 40), exc_info=error)
    return Refusal("failed", f"{type(error).__name__}: {text}")


_servers: WeakSet[Server] = WeakSet()


def _after_fork() -> None:
    for server in list(_servers):
        server.leave()


os.register_at_fork(after_in_child=_after_fork)
