"""The answer to an `ask`: pykka's future, at home in simulation and in coroutines too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from typing import Any, cast

from choreia.actors.base import Future, ThreadingFuture, Timeout
from choreia.actors.blocking import forbid_on_loop
from choreia.runtime.delivery.cell import Cell
from choreia.runtime.delivery.context import running_turn
from choreia.runtime.delivery.gate import Gate
from choreia.runtime.errors import Deadlock


class Reply(ThreadingFuture[Any]):
    """pykka's future, which under simulation runs the others while it waits, and which a coroutine
    can await without blocking its loop."""

    def __init__(self, asked: Cell | None = None) -> None:
        super().__init__()
        self._asked = asked
        self._gate: Gate | None = None
        self._sources: tuple[Future[Any], ...] = ()
        """The futures that this one is made from."""

    def get(self, *, timeout: float | None = None) -> Any:
        asked = self._asked
        if asked is None or self._result is not None:
            return super().get(timeout=timeout)
        forbid_on_loop("ask", "await ref.ask_async(…), or await the future")
        turn = running_turn()
        if turn is None and not asked.engine.dispatcher.simulated:
            return super().get(timeout=timeout)
        if turn is None:
            self._wait(asked, timeout)
            return super().get(timeout=0)
        lot = asked.engine.lot
        lot.begin_ask(turn.cell, asked)
        try:
            self._wait(asked, timeout)
        except Deadlock:
            waiting = " → ".join(lot.chain(turn.cell))
            raise Deadlock(
                f"the ask can never be answered: {waiting}. A blocking ask waits inside a "
                "handler; emit an event and react to the answer instead"
            ) from None
        finally:
            lot.end_ask(turn.cell, asked)
            turn.sign = turn.monotonic()  # it has waited for another, and goes on
        return super().get(timeout=0)

    def _wait(self, asked: Cell, timeout: float | None) -> None:
        # Through the dispatcher, which lets other threads, or turns, go on meanwhile.
        if not asked.engine.dispatcher.wait(self._opened(), timeout):
            raise Timeout(f"{timeout} seconds")

    def set(self, value: Any | None = None) -> None:
        super().set(value)
        self._open()

    def set_exception(self, exc_info: Any = None) -> None:
        super().set_exception(exc_info)
        self._open()

    @property
    def answered(self) -> bool:
        return self._result is not None

    def _opened(self) -> Gate:
        with self._condition:
            if self._gate is None:
                self._gate = Gate()
            gate = self._gate
        if self._result is not None:
            gate.open()
        return gate

    def _open(self) -> None:
        with self._condition:
            gate = self._gate
        if gate is not None:
            gate.open()

    def __await__(self) -> Generator[Any, None, Any]:
        return self._value().__await__()

    async def _value(self) -> Any:
        if await self._settled(None):
            return self.get()
        return await asyncio.to_thread(self.get)

    async def within(self, timeout: float | None) -> Any:
        """Await the answer. Raises `TimeoutError` after `timeout` seconds."""
        if not await self._settled(timeout):
            raise TimeoutError(f"no answer within {timeout} s")
        return self.get()

    async def _settled(self, timeout: float | None) -> bool:
        """Await that `get` need not wait: whether it is so."""
        if self._asked is not None:
            return await self._asked.engine.dispatcher.wait_async(self._opened(), timeout)
        known = [source for source in self._sources if isinstance(source, Reply)]
        if not known or len(known) < len(self._sources):
            return False  # somebody else's future: only its own `get` knows how to wait for it
        return all([await source._settled(timeout) for source in known])

    # -- futures of this future: pykka's, which remember what they are made from -------------

    def made_from(self, *sources: Future[Any]) -> Reply:
        self._sources = sources
        return self

    def map(self, func: Callable[[Any], Any]) -> Any:
        return cast("Reply", super().map(func)).made_from(self)

    def filter(self, func: Callable[[Any], bool]) -> Any:
        return cast("Reply", super().filter(func)).made_from(self)

    def join(self, *futures: Future[Any]) -> Any:
        return cast("Reply", super().join(*futures)).made_from(self, *futures)

    def reduce(self, func: Callable[[Any, Any], Any], *args: Any) -> Any:
        return cast("Reply", super().reduce(func, *args)).made_from(self)
