"""Where publishers from outside come in, and wait for room: blocking, awaiting, or not at all.

An `Admission` (`admission.py`) says at which gates to wait; here it is gone through.
"""

from __future__ import annotations

from choreia.runtime.delivery.admission import Admission
from choreia.runtime.delivery.clock import Clock
from choreia.runtime.delivery.dispatcher import Dispatcher
from choreia.runtime.delivery.gate import Gate
from choreia.runtime.errors import MailboxFull, SystemStopped


class Entrance:
    """The part of an `Engine` that publishers see."""

    def __init__(self, clock: Clock, dispatcher: Dispatcher) -> None:
        self.clock = clock
        self.dispatcher = dispatcher
        self.blocked: dict[Gate, str] = {}
        """Publishers that wait for room, and what for."""
        self.refusing = False
        """Outside publishes are refused: the system is stopping."""
        self._refused: set[Gate] = set()

    def settled(self) -> None:
        """Something ended that may have been the last."""

    def drive(self, admission: Admission, timeout: float | None, who: str | None) -> int:
        """Go through an `admission`, blocking at its gates for `timeout` seconds in all.

        `who` describes an outside publisher; None for a handler, which is in flight anyway, and
        which a stopping system lets finish.
        """
        deadline = None if timeout is None else self.clock.monotonic() + timeout
        gate: Gate | None = None
        try:
            gate = self._blocked(next(admission), who)
            while True:
                left = self._left(gate, deadline)
                opened = self.dispatcher.wait(gate, left)
                gate = self._go_on(admission, gate, opened, who)
        except StopIteration as end:
            return int(end.value)
        finally:
            admission.close()
            self._unblocked(gate)

    async def drive_async(
        self, admission: Admission, timeout: float | None, who: str | None
    ) -> int:
        """The same, awaiting."""
        deadline = None if timeout is None else self.clock.monotonic() + timeout
        gate: Gate | None = None
        try:
            gate = self._blocked(next(admission), who)
            while True:
                left = self._left(gate, deadline)
                opened = await self.dispatcher.wait_async(gate, left)
                gate = self._go_on(admission, gate, opened, who)
        except StopIteration as end:
            return int(end.value)
        finally:
            admission.close()
            self._unblocked(gate)

    def _left(self, gate: Gate, deadline: float | None) -> float | None:
        if deadline is None or gate.certain:
            return None
        return deadline - self.clock.monotonic()

    def try_once(self, admission: Admission) -> bool:
        """The same without waiting: whether it got in."""
        try:
            gate = next(admission)
            while gate.brief:
                self.dispatcher.wait(gate, None)
                gate = admission.send(True)
            admission.send(False)
        except StopIteration:
            return True
        except MailboxFull:
            return False
        finally:
            admission.close()
        return False

    def _blocked(self, gate: Gate, who: str | None) -> Gate:
        """From here until it is in, or has given up, a publisher is in flight."""
        if who is not None:
            self.blocked[gate] = who
            if (
                self.refusing and not gate.certain
            ):  # it began just before the system was told to stop
                self._refused.add(gate)
                gate.open()
        return gate

    def _unblocked(self, gate: Gate | None) -> None:
        if gate is not None and self.blocked.pop(gate, None) is not None:
            self.settled()

    def _go_on(self, admission: Admission, gate: Gate, opened: bool, who: str | None) -> Gate:
        refused = gate in self._refused
        self._refused.discard(gate)
        try:
            # A refused publisher leaves the line as one whose time ran out, unless it got in.
            following = self._blocked(admission.send(opened and not refused), who)
        except MailboxFull:
            if refused:
                raise stopped_error() from None
            raise
        self.blocked.pop(gate, None)
        return following

    def refuse(self) -> None:
        """Take no more from outside; publishers that wait for room fail at once."""
        self.refusing = True
        for gate in [gate for gate in self.blocked if not gate.certain]:
            self._refused.add(gate)
            gate.open()


def stopped_error() -> SystemStopped:
    return SystemStopped(
        "the system is stopping or has stopped: it takes nothing more from outside"
    )
