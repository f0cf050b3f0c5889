"""How a system is left: stopped by name, or at the end of a `with`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from choreia.actors.blocking import check_timeout, forbid_on_loop
from choreia.actors.requests import refuse_in_turn
from choreia.actors.running import Asked, Exit, Reason, Told, asking, refuse_to_run
from choreia.actors.stopping import GRACE, HURRIED, Stopping

if TYPE_CHECKING:
    from choreia.actors.keeping import Keeping
    from choreia.actors.lifecycle import Lifecycle
    from choreia.actors.roster import Roster
    from choreia.runtime.delivery.engine import Engine
    from choreia.runtime.delivery.gate import Gate
    from choreia.runtime.delivery.workers import ThreadDispatcher
    from choreia.runtime.inspection.server import Server
    from choreia.runtime.simulation.dispatcher import SimulatedDispatcher


class Ending:
    """The half of a system that ends it."""

    _dispatcher: ThreadDispatcher | SimulatedDispatcher
    _engine: Engine
    _keeping: Keeping | None
    _lifecycle: Lifecycle
    _roster: Roster
    _server: Server | None
    _stopped: Gate
    _stopping: Gate

    def _end_watching(self) -> None:
        """Nobody waits for events any more."""

    def stop(self, drain: bool = True, timeout: float = 30) -> None:
        """End the system; calling it again does nothing.

        Publishes are refused, ``system.shutdown`` goes out, and with `drain` everything in flight
        is handled first, firing no timers, for `timeout` seconds at most. What is left then
        becomes dead letters with the reason ``stopped``.
        """
        refuse_in_turn("stop")
        check_timeout(timeout)
        if self._stopping.is_open:
            if not self._stopped.is_open:  # another thread is at it
                forbid_on_loop("stop", "await system.stop_async()")
                self._stopped.wait(timeout)
            return
        forbid_on_loop("stop", "await system.stop_async()")
        self._stopping.open()
        for gate, seconds in Stopping(self._roster, self._lifecycle).steps(drain, timeout):
            self._dispatcher.wait(gate, seconds)
        self._end()

    async def stop_async(self, drain: bool = True, timeout: float = 30) -> None:
        """`stop`, awaiting."""
        refuse_in_turn("stop_async")
        check_timeout(timeout)
        if self._stopping.is_open:
            await self._stopped.wait_async(timeout)
            return
        self._stopping.open()
        for gate, seconds in Stopping(self._roster, self._lifecycle).steps(drain, timeout):
            await self._dispatcher.wait_async(gate, seconds)
        if self._dispatcher.simulated:
            self._end()
        else:
            await asyncio.to_thread(self._end)

    def run(self, grace: float = 30, *, tell: Callable[[Told], object] | None = None) -> Exit:
        """Block until Ctrl-C or SIGTERM comes, or the system is stopped by somebody else.

        Then everything in flight is handled, for `grace` seconds at most, and the system stops; at
        another Ctrl-C it stops at once. The end is told, with the exit code that goes with it::

            with ActorSystem() as system:
                system.spawn(Clerk)
                ended = system.run()
            sys.exit(ended.code)

        `tell` is called with ``"running"`` when signals are waited for, and, when the end begins,
        with what begins it: ``"interrupted"`` or ``"terminated"``. `run` is for the main thread,
        since only that one hears of signals.
        """
        refuse_in_turn("run")
        check_timeout(grace)
        forbid_on_loop("run", "async with ActorSystem(…), and await what is to end it")
        refuse_to_run(simulated=self._dispatcher.simulated)
        with asking(self._engine.clock.monotonic) as asked:
            self._stopped.then(asked.tell_stopped)
            tell = tell or (lambda told: None)
            tell("running")
            reason = asked.wait()
            if reason == "stopped":
                return Exit(reason)
            tell(reason)
            if self._stopping.is_open:  # another thread is at it
                at_once = asked.insists(self._stopped, grace)
                return Exit(reason, drained=self._stopped.is_open, at_once=at_once)
            return self._run_out(reason, asked, grace)

    def _run_out(self, reason: Reason, asked: Asked, grace: float) -> Exit:
        self._stopping.open()
        stopping, at_once = Stopping(self._roster, self._lifecycle), False
        for gate, seconds in stopping.steps(True, grace):
            if asked.insists(gate, seconds):
                at_once = True
                stopping.hurry()
        self._end(HURRIED if at_once else GRACE)
        return Exit(reason, drained=not stopping.left, at_once=at_once, left=stopping.left)

    def _end(self, patience: float = GRACE) -> None:
        self._end_watching()
        if self._server is not None:
            self._server.stop("stopped")
        self._engine.clock.stop()
        # All turns have ended, or will not: a thread that hangs in a handler is left behind.
        self._dispatcher.stop(patience)
        if self._keeping is not None:
            self._keeping.close(GRACE)
        self._stopped.open()

    def __enter__(self) -> Self:
        # Leaving it will block: better said before anything has begun.
        forbid_on_loop("with ActorSystem(…)", "async with ActorSystem(…)")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.stop(drain=error is None)

    async def __aenter__(self) -> Self:
        self._dispatcher.adopt_loop(asyncio.get_running_loop())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        await self.stop_async(drain=error is None)
