"""An event loop in virtual time, stepped by the simulated dispatcher.

`asyncio.sleep` and timeouts obey the simulated clock; what would go to a thread runs at once, in
place; real input and output raises `SimulatedIO`.
"""

from __future__ import annotations

import asyncio
import threading
from asyncio import base_events, events
from collections.abc import Callable
from typing import Any, NoReturn

from choreia.runtime.errors import SimulatedIO
from choreia.runtime.simulation.clock import SimulatedClock


class _NoSelector:
    """Where a real loop would wait for sockets, this one finds nothing, at once."""

    def select(self, timeout: float | None = None) -> list[object]:
        return []

    def close(self) -> None: ...


class SimulatedLoop(base_events.BaseEventLoop):
    """Used from one thread, which also runs everything else."""

    def __init__(self, clock: SimulatedClock) -> None:
        super().__init__()
        self._selector = _NoSelector()
        self._simulated_clock = clock

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
        alive = [handle.when() for handle in scheduled if not handle.cancelled()]
        return min(alive, default=None)

    def step(self) -> None:
        """Run what is ready, once round."""
        before = events._get_running_loop()
        self._thread_id = threading.get_ident()
        events._set_running_loop(self)
        try:
            self._run_once()  # type: ignore[attr-defined]
        finally:
            self._thread_id = None  # type: ignore[assignment]
            events._set_running_loop(before)

    def _process_events(self, event_list: object) -> None: ...

    def _write_to_self(self) -> None: ...

    def run_in_executor(
        self, executor: object, func: Callable[..., Any], *args: object
    ) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = self.create_future()
        try:
            future.set_result(func(*args))
        except BaseException as error:
            future.set_exception(error)
        return future


def _refuse(name: str) -> Callable[..., NoReturn]:
    def refused(self: object, *_: object, **__: object) -> NoReturn:
        raise SimulatedIO(
            f"real I/O ({name}) was awaited under the simulated dispatcher: give the agent a "
            'stand-in for the client, or run this with mode="threads"'
        )

    return refused


for _name in (
    "add_reader", "add_writer", "connect_accepted_socket", "connect_read_pipe",
    "connect_write_pipe", "create_connection", "create_datagram_endpoint", "create_server",
    "create_unix_connection", "create_unix_server", "getaddrinfo", "getnameinfo", "sendfile",
    "sock_accept", "sock_connect", "sock_recv", "sock_recv_into", "sock_recvfrom", "sock_sendall",
    "sock_sendfile", "sock_sendto", "subprocess_exec", "subprocess_shell",
):  # fmt: skip
    setattr(SimulatedLoop, _name, _refuse(_name))
