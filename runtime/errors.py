"""Every error this project raises on purpose. A leaf: it imports nothing of the project.

All derive from `ChoreiaError`; data is kept in attributes, and the message says what is
wrong, where, and what to do. Where Python has a matching built-in (`TimeoutError`,
`TypeError`, …) the class derives from it too, so that ordinary `except` clauses work.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf


class ChoreiaError(Exception):
    """The root: catch this to catch everything Choreia raises on purpose."""


# -- events -----------------------------------------------------------------------------


class InvalidEvent(ChoreiaError, ValueError):
    """An event has a field that breaks the rules: its type, source, id, version, …"""


class InvalidType(InvalidEvent):
    """An event type is not dot-separated segments of ``[A-Za-z0-9_-]+``.

    `type` is the text that was refused.
    """

    def __init__(self, message: str, *, type: str = "") -> None:
        super().__init__(message)
        self.type = type


class InvalidPayload(InvalidEvent, TypeError):
    """A payload holds something JSON cannot: `path` says where (``payload.items[3].when``)."""

    def __init__(self, message: str, *, path: str = "payload") -> None:
        super().__init__(message)
        self.path = path


class PayloadTooLarge(InvalidPayload):
    """A payload is larger (bytes of JSON) or nested deeper than the limit allows."""

    def __init__(self, message: str, *, limit: int = 0, path: str = "payload") -> None:
        super().__init__(message, path=path)
        self.limit = limit


class DecodeError(InvalidEvent):
    """Wire input is not a well-formed event: not JSON, a wrong field, a duplicate key, NaN …"""

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class SchemaError(ChoreiaError, ValueError):
    """A declared event type, version or upcaster is wrong, or declared twice."""


class IncompatibleVersion(ChoreiaError):
    """An event's payload has a major version newer than the code that should read it."""

    def __init__(self, message: str, *, type: str = "", version: str = "") -> None:
        super().__init__(message)
        self.type = type
        self.version = version


class PayloadMismatch(ChoreiaError):
    """A payload does not structure into the class that the handler asked for."""

    def __init__(self, message: str, *, type: str = "", problems: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.type = type
        self.problems = tuple(problems)


class InvalidPattern(ChoreiaError, ValueError):
    """A topic pattern is malformed. `pattern` is the text that was refused."""

    def __init__(self, message: str, *, pattern: str = "") -> None:
        super().__init__(message)
        self.pattern = pattern


class InvalidFilter(ChoreiaError, ValueError):
    """A content filter is malformed. `path` says where in the filter."""

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class InvalidLimit(ChoreiaError, ValueError):
    """A limit is no sensible number: negative, not whole, or beyond what can be kept."""


# -- agents and handlers ------------------------------------------------------------------


class InvalidAgent(ChoreiaError, TypeError):
    """An agent class, its handlers or its options are wrong; raised where they are written."""


class DuplicateName(ChoreiaError, ValueError):
    """Two agents of one system would have the same name."""

    def __init__(self, message: str, *, name: str = "") -> None:
        super().__init__(message)
        self.name = name


class UnknownAgent(ChoreiaError, LookupError):
    """No agent of that name is alive in this system."""

    def __init__(self, message: str, *, name: str = "") -> None:
        super().__init__(message)
        self.name = name


class UndeclaredEvent(ChoreiaError):
    """An agent that declares `emits` emitted a type that is not among them."""

    def __init__(self, message: str, *, agent: str = "", type: str = "") -> None:
        super().__init__(message)
        self.agent = agent
        self.type = type


class ReturnedValue(ChoreiaError, TypeError):
    """An ``@on`` handler returned a value. Handlers tell the world by `emit` or `yield`."""


class OutsideTurn(ChoreiaError, RuntimeError):
    """`emit`, `after`, `once` … was called outside the turn of the agent it belongs to."""


class OutboxFull(ChoreiaError):
    """One handler emitted more events than `max_outbox`; write it as a generator."""

    def __init__(self, message: str, *, limit: int = 0) -> None:
        super().__init__(message)
        self.limit = limit


class Fenced(ChoreiaError, RuntimeError):
    """Another instance of the agent has taken the place of the one that called: let it end.

    Raised by whatever a replaced agent still asks of the runtime. The event that it had in hand is
    a dead letter (``reason="stuck"``), and nothing that it does now can come of it. `agent` is its
    name.
    """

    def __init__(self, message: str, *, agent: str = "") -> None:
        super().__init__(message)
        self.agent = agent


class HandlerTimeout(ChoreiaError, TimeoutError):
    """A handler took longer than its ``@on(…, timeout=)``: a failed attempt.

    `handler` is its name, `seconds` the limit.
    """

    def __init__(self, message: str, *, handler: str = "", seconds: float = 0.0) -> None:
        super().__init__(message)
        self.handler = handler
        self.seconds = seconds


class GiveUp(ChoreiaError):
    """Raise it in a handler: this event cannot be handled, do not try again."""

    def __init__(self, reason: str = "gave up") -> None:
        super().__init__(reason)
        self.reason = reason


class StepFailed(GiveUp):
    """Raise it in a step of a saga: it cannot be done, and its `fails` is to be emitted.

    Give a reason, or the payload that is to be emitted: a mapping, or an instance of an
    `@event_type` class. It is not tried again, unless the case's pivot is done: then it has to be.
    """

    def __init__(self, reason: object = "failed") -> None:
        super().__init__(reason if isinstance(reason, str) else type(reason).__name__)
        self.payload: object = None if isinstance(reason, str) else reason


class RetryAfter(ChoreiaError):
    """Raise it in a handler: try this event again after `seconds`. Counts as an attempt."""

    def __init__(self, seconds: float, reason: str = "") -> None:
        if not isinstance(seconds, (int, float)) or not -inf < seconds < inf:
            raise InvalidLimit(f"RetryAfter({seconds!r}): give seconds, as a number")
        super().__init__(reason or f"try again after {seconds} s")
        self.seconds = seconds


# -- systems and delivery -----------------------------------------------------------------


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


class StoreError(ChoreiaError):
    """Something is wrong with an event store. Its kinds say what, and what to do."""


class StoreUnavailable(StoreError):
    """The store cannot write or read just now: the disk is full, the server away, no file
    descriptors are left, the folder is read-only. Nothing of what failed is in it; when the cause
    is gone, it works again."""


class StoreDamaged(StoreError):
    """What is in the store is not what was written: pages or logs were changed, cut or deleted.

    `position`: up to there, as far as one can tell, it is whole.
    """

    def __init__(self, message: str, *, position: int = 0) -> None:
        super().__init__(message)
        self.position = position


class StoreLocked(StoreError):
    """Another process writes to this store. `pid` is its number, 0 when it is not known."""

    def __init__(self, message: str, *, pid: int = 0) -> None:
        super().__init__(message)
        self.pid = pid


class StoreInsecure(StoreError):
    """Other users can read the store's files, or write where they lie."""


class InvalidStore(StoreError, ValueError):
    """A store, or one of its options, was given as something that makes no sense."""


class StaleCursor(StoreError):
    """An agent's cursor is not where its turn left it: another instance has taken its place.

    Nothing of the turn has happened. `agent` is its name.
    """

    def __init__(self, message: str, *, agent: str = "") -> None:
        super().__init__(message)
        self.agent = agent


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


class CaseDied(RequestTimeout):
    """The request's case has come to its end without an answer; waiting longer would be in vain.

    `dead_letters` are those of the case, `verdict` says how it ended. (A kind of `RequestTimeout`,
    which it spares: whoever catches that is told sooner.)
    """

    def __init__(
        self,
        message: str,
        *,
        correlation_id: str = "",
        seen: Sequence[object] = (),
        dead_letters: Sequence[object] = (),
        verdict: object = None,
    ) -> None:
        super().__init__(message, correlation_id=correlation_id, seen=seen)
        self.dead_letters = tuple(dead_letters)
        self.verdict = verdict


class CaseTimeout(ChoreiaError, TimeoutError):
    """A case was not over in time; `verdict` says how it stands."""

    def __init__(self, message: str, *, correlation_id: str = "", verdict: object = None) -> None:
        super().__init__(message)
        self.correlation_id = correlation_id
        self.verdict = verdict


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


class BudgetExceeded(ChoreiaError):
    """A case used more events or money than `CaseLimits` grants: nothing of it is handled any more.

    Only ever in dead letters, with the reason ``budget``.
    """

    def __init__(self, message: str, *, correlation_id: str = "") -> None:
        super().__init__(message)
        self.correlation_id = correlation_id


class Unhandled(ChoreiaError):
    """An event was told to an agent directly, and none of its handlers matches it."""


class Deadlock(ChoreiaError, RuntimeError):
    """The simulated dispatcher cannot go on: a blocking call waits for what cannot happen."""


class SimulatedIO(ChoreiaError, RuntimeError):
    """Code under the simulated dispatcher awaited real input or output."""


class ExpectationFailed(ChoreiaError, AssertionError):
    """A test's expectation did not hold, or the test left something behind that nobody allowed.

    `event` is the one that should not have come, if that is what failed; `faults` are what was
    left behind, a line each.
    """

    def __init__(self, message: str, *, event: object = None, faults: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.event = event
        self.faults = tuple(faults)


class InvalidModule(ChoreiaError, ValueError):
    """Code that was to be looked at cannot be imported, or does not spawn its agents.

    `module` is what was asked for.
    """

    def __init__(self, message: str, *, module: str = "") -> None:
        super().__init__(message)
        self.module = module


class UnknownCase(ChoreiaError, LookupError):
    """No event, and no case, of that id is known. `id` is what was asked for."""

    def __init__(self, message: str, *, id: str = "") -> None:
        super().__init__(message)
        self.id = id


class InvalidFormat(ChoreiaError, ValueError):
    """There is no such format to show something in. `format` is what was asked for."""

    def __init__(self, message: str, *, format: str = "") -> None:
        super().__init__(message)
        self.format = format


class InvalidAcceptance(ChoreiaError, ValueError):
    """What ``[tool.choreia.check]`` says of accepted findings cannot be understood."""


class DemoError(ChoreiaError):
    """A demo was given input it cannot use: a file, a line, a value."""
