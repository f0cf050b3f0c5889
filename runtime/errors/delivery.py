"""Systems, and events on their way."""

from __future__ import annotations

from collections.abc import Sequence

from choreia.runtime.errors.root import ChoreiaError


class SystemStopped(ChoreiaError, RuntimeError):
    """The system is stopping or has stopped: it takes no more publishes, spawns or asks."""


class MailboxFull(ChoreiaError):
    """An outside publish found no room: within its timeout (`park`), or at once (`reject`).

    It has reached nobody. `agent` names the full mailbox, `capacity` its size in items.
    """

    def __init__(self, message: str, *, agent: str = "", capacity: int = 0) -> None:
        super().__init__(message)
        self.agent = agent
        self.capacity = capacity


class BlockingCall(ChoreiaError, RuntimeError):
    """A call that blocks was made on a thread with a running event loop; use its async twin."""

    def __init__(self, message: str, *, twin: str = "") -> None:
        super().__init__(message)
        self.twin = twin


class SourceTaken(ChoreiaError, ValueError):
    """An outside publish claimed the id of a spawned agent as its source."""


class DuplicateId(ChoreiaError, ValueError):
    """An outside publish reused the id of an earlier event for a different body."""

    def __init__(self, message: str, *, id: str = "") -> None:
        super().__init__(message)
        self.id = id


class IdleTimeout(ChoreiaError, TimeoutError):
    """`wait_idle` ran out of time. `in_flight` says what was still going on, a line each."""

    def __init__(self, message: str, *, in_flight: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.in_flight = tuple(in_flight)


class RequestTimeout(ChoreiaError, TimeoutError):
    """No event of the request's correlation matched in time; `seen` holds what came instead."""

    def __init__(
        self, message: str, *, correlation_id: str = "", seen: Sequence[object] = ()
    ) -> None:
        super().__init__(message)
        self.correlation_id = correlation_id
        self.seen = tuple(seen)


class ListenerLagged(ChoreiaError):
    """A `listen` buffer overflowed: `missed` events were let go, oldest first.

    Iteration may go on: the next event is the oldest one still kept.
    """

    def __init__(self, message: str, *, missed: int = 0) -> None:
        super().__init__(message)
        self.missed = missed


class HopLimit(ChoreiaError):
    """A causal chain grew longer than `CaseLimits.hops`, or than ``@on(…, max_hops=)`` allows:
    agents that feed each other."""


class Deadlock(ChoreiaError, RuntimeError):
    """The simulated dispatcher cannot go on: a blocking call waits for what cannot happen."""


class SimulatedIO(ChoreiaError, RuntimeError):
    """Code under the simulated dispatcher awaited real input or output."""
