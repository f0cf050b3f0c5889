"""An event loop in virtual time, stepped by the simulated dispatcher.

`asyncio.sleep` and timeouts obey the simulated clock; what would go to a thread is given a turn
like an agent; real input and output raises `SimulatedIO`.
"""

from __future__ import annotations

import asyncio
import heapq
import threading
from asyncio import base_events, events
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

from choreia.runtime.delivery.dispatcher import Runnable
from choreia.runtime.errors import SimulatedIO
from choreia.runtime.simulation.clock import SimulatedClock


class _NoSelector:
    """Where a real loop would wait for sockets, this one finds nothing, at once."""

    def select(self, timeout: float | None = None) -> list[object]:
        return []

    def close(self) -> None: ...


class _Call:
    """A function that was meant for a thread. Runnable once."""

    since = 0.0

    def __init__(self, future: asyncio.Future[Any], call: Callable[[], Any]) -> None:
        self._future = future
        self._call = call

    @property
    def turn(self) -> _Call:
        return self

    def lost(self, how: str) -> None: ...

    def run(self) -> None:
        tell: Callable[[Any], None] = self._future.set_result
        try:
            result = self._call()
        except BaseException as error:
            result, tell = error, self._future.set_exception
        loop, future = self._future.get_loop(), self._future
        if not loop.is_closed():
            loop.call_soon(lambda: None if future.done() else tell(result))


class SimulatedLoop(base_events.BaseEventLoop):
    """Used by one thread at a time."""

    def __init__(self, clock: SimulatedClock, schedule: Callable[[Runnable], None]) -> None:
        super().__init__()
        self._selector = _NoSelector()
        self._simulated_clock = clock
        self._schedule = schedule
        self.stepping = False
        """Whether a step has begun and not ended: it runs, or waits where it should not."""

    def time(self) -> float:
        return self._simulated_clock.monotonic()

    @property
    def ready(self) -> bool:
        """Whether a callback can run now."""
        due = self.next_timer()
        return bool(self._ready) or (due is not None and due <= self.time())  # type: ignore[attr-defined]

    def next_timer(self) -> float | None:
        """When the next `call_later` is due (monotonic seconds), or None."""
        scheduled: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]
        # The loop itself does not mind: it counts the cancelled ones when it comes to them.
        while scheduled and scheduled[0].cancelled():
            handle = heapq.heappop(scheduled)
            handle._scheduled = False  # type: ignore[attr-defined]
            self._timer_cancelled_count -= 1  # type: ignore[attr-defined]
        return scheduled[0].when() if scheduled else None

    def step(self) -> None:
        """Run what is ready, once round."""
        before = events._get_running_loop()
        self._thread_id = threading.get_ident()
        self.stepping = True
        events._set_running_loop(self)
        try:
            self._run_once()  # type: ignore[attr-defined]
        finally:
            self.stepping = False
            self._thread_id = None  # type: ignore[assignment]
            events._set_running_loop(before)

    def _process_events(self, event_list: object) -> None: ...

    def _write_to_self(self) -> None: ...

    def run_in_executor(
        self, executor: object, func: Callable[..., Any], *args: object
    ) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = self.create_future()
        self._schedule(_Call(future, partial(func, *args)))
        return future


def _refuse(name: str) -> Callable[..., NoReturn]:
    def refused(self: object, *_: object, **__: object) -> NoReturn:
        raise SimulatedIO(
            f"real I/O ({name}) was awaited under the simulated dispatcher: give the agent a "
            'stand-in for the client, or run this with mode="threads"'
        )

    return refused


for _name in (
    "add_reader", "add_signal_handler", "add_writer", "connect_accepted_socket",
    "connect_read_pipe", "connect_write_pipe", "create_connection", "create_datagram_endpoint",
    "create_server", "create_unix_connection", "create_unix_server", "getaddrinfo", "getnameinfo",
    "sendfile", "sock_accept", "sock_connect", "sock_recv", "sock_recv_into", "sock_recvfrom",
    "sock_recvfrom_into", "sock_sendall", "sock_sendfile", "sock_sendto", "subprocess_exec",
    "subprocess_shell",
):  # fmt: skip
    setattr(SimulatedLoop, _name, _refuse(_name))
