"""What code outside the agents does with events: publish, request, listen.

`ActorSystem` is one of these, with agents. It stands apart to be read apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from choreia.actors.blocking import check_timeout, forbid_on_loop
from choreia.actors.cases import Board, Case
from choreia.actors.handlers import topic_of
from choreia.actors.publishing import Publisher
from choreia.actors.requests import Listener, Request, Until, check_buffer, refuse_in_turn
from choreia.runtime.delivery.clock import Clock
from choreia.runtime.delivery.engine import Engine, stopped_error
from choreia.runtime.errors import ChoreiaError, MailboxFull
from choreia.runtime.events.event import Event
from choreia.runtime.events.fields import check_optional_id
from choreia.runtime.events.filter import Filter
from choreia.runtime.insight.explain import Explanation, explain
from choreia.runtime.insight.listing import CaseSummary
from choreia.runtime.insight.trace import Trace, trace


class Outside:
    """The way in, and the windows."""

    def __init__(self, engine: Engine, publisher: Publisher, board: Board) -> None:
        self._engine = engine
        self._publisher = publisher
        self._watching: set[Request | Listener] = set()
        self._board = board

    @property
    def clock(self) -> Clock:
        """The system's clock: `now()` (Unix seconds) and `monotonic()`."""
        return self._engine.clock

    def publish(
        self,
        type: object,
        payload: object = None,
        *,
        source: str | None = None,
        correlation_id: str | None = None,
        causation_id: str | None = None,
        version: str | None = None,
        id: str | None = None,
        extensions: Mapping[str, object] | None = None,
        timeout: float | None = None,
    ) -> Event:
        """Publish a type and payload, an instance of an ``@event_type`` class, or an `Event`.

        Blocks while a receiver's mailbox is full, `timeout` seconds at most; then, or when a
        receiver rejects, raises `MailboxFull`, and nobody got it. With a store it returns when the
        event is on disk. With an `id`, publishing twice
        delivers once. In a handler it is the agent's `emit_now`. Raises `InvalidEvent` and its
        kinds, `SourceTaken`, `DuplicateId`, `SystemStopped`, `BlockingCall`, and `StoreUnavailable`
        when the disk is full.
        """
        check_timeout(timeout)
        options = _options(source, correlation_id, causation_id, version, id, extensions)
        return self._publisher.publish(type, payload, options, timeout)

    async def publish_async(
        self,
        type: object,
        payload: object = None,
        *,
        source: str | None = None,
        correlation_id: str | None = None,
        causation_id: str | None = None,
        version: str | None = None,
        id: str | None = None,
        extensions: Mapping[str, object] | None = None,
        timeout: float | None = None,
    ) -> Event:
        """`publish`, awaiting room instead of blocking for it."""
        check_timeout(timeout)
        options = _options(source, correlation_id, causation_id, version, id, extensions)
        return await self._publisher.publish_async(type, payload, options, timeout)

    def publish_many(
        self, events: Iterable[object], *, timeout: float | None = None
    ) -> list[Event]:
        """Publish several: each an `Event`, a pair of type and payload, or an instance of an
        ``@event_type`` class. All are looked at first: what `publish` would refuse is refused
        before anybody has one. With a store they are committed together, all or none, and are on
        disk when this returns. Not inside a handler. Raises what `publish` raises.
        """
        refuse_in_turn("publish_many")
        check_timeout(timeout)
        return self._publisher.publish_many(events, timeout)

    async def publish_many_async(
        self, events: Iterable[object], *, timeout: float | None = None
    ) -> list[Event]:
        """`publish_many`, awaiting."""
        refuse_in_turn("publish_many_async")
        check_timeout(timeout)
        return await self._publisher.publish_many_async(events, timeout)

    def try_publish(
        self,
        type: object,
        payload: object = None,
        *,
        source: str | None = None,
        correlation_id: str | None = None,
        causation_id: str | None = None,
        version: str | None = None,
        id: str | None = None,
        extensions: Mapping[str, object] | None = None,
    ) -> bool:
        """`publish` without waiting: False when a receiver has no room, and then nobody got it."""
        options = _options(source, correlation_id, causation_id, version, id, extensions)
        return self._publisher.try_publish(type, payload, options)

    def request(
        self,
        type: object,
        payload: object = None,
        *,
        until: Until,
        timeout: float | None = 30,
        **options: Any,
    ) -> Event:
        """Publish, and wait for the first event of that correlation that matches `until`.

        `until` is a pattern, an ``@event_type`` class, or a tuple of such. Raises `CaseDied` as
        soon as nothing is in flight of the case and no answer can come any more, and
        `RequestTimeout`, with what was `seen`, after `timeout` seconds.
        """
        refuse_in_turn("request")
        check_timeout(timeout)
        forbid_on_loop("request", "await system.request_async(…)")
        event, request = self._request(type, payload, until, options)
        ends = None if timeout is None else self.clock.monotonic() + timeout
        try:
            self._publisher.publish(event, None, {}, timeout)
            return request.wait(None if ends is None else ends - self.clock.monotonic())
        except MailboxFull as error:
            raise self._too_late(error, request, ends, timeout) from error
        finally:
            self._watching.discard(request)
            request.close()

    async def request_async(
        self,
        type: object,
        payload: object = None,
        *,
        until: Until,
        timeout: float | None = 30,
        **options: Any,
    ) -> Event:
        """`request`, awaiting."""
        refuse_in_turn("request_async")
        check_timeout(timeout)
        event, request = self._request(type, payload, until, options)
        ends = None if timeout is None else self.clock.monotonic() + timeout
        try:
            await self._publisher.publish_async(event, None, {}, timeout)
            left = None if ends is None else ends - self.clock.monotonic()
            return await request.wait_async(left)
        except MailboxFull as error:
            raise self._too_late(error, request, ends, timeout) from error
        finally:
            self._watching.discard(request)
            request.close()

    def _too_late(
        self, error: MailboxFull, request: Request, ends: float | None, timeout: float | None
    ) -> ChoreiaError:
        """The time ran out at a full mailbox, or its agent rejects what does not fit."""
        if ends is None or self.clock.monotonic() < ends:
            return error
        return request.timed_out(timeout)

    def _request(
        self, type: object, payload: object, until: Until, options: Mapping[str, Any]
    ) -> tuple[Event, Request]:
        event = self._publisher.prepare(type, payload, options)
        correlation = event.metadata.correlation_id or event.id
        request = Request(self._engine, correlation, event.id, until, self._board)
        self._watching.add(request)
        return event, request

    def listen(
        self,
        topic: str | type = "#",
        *,
        filter: Mapping[str, object] | Filter | None = None,
        correlation_id: str | None = None,
        buffer: int = 1_000,
    ) -> Listener:
        """Iterate over events as they are published, sync or async; a context manager.

        See `Listener` for what happens when the reader is slower than `buffer` events.
        """
        refuse_in_turn("listen")
        if self._engine.refusing:
            raise stopped_error()
        declared = topic_of(topic, filter)
        pattern = declared.pattern(None)
        check_optional_id(correlation_id, "correlation_id")
        check_buffer(buffer)
        forget: Callable[[Listener], None] = self._watching.discard
        listener = Listener(self._engine, pattern, declared.filter, correlation_id, buffer, forget)
        self._watching.add(listener)
        return listener

    def case(self, which: Event | str) -> Case:
        """A case, by its correlation id, or by one of its events or that event's id.

        Raises `UnknownCase`, and `ChoreiaError` in a system that remembers nothing.
        """
        return self._board.case(which)

    def cases(self, verdict: str | None = None, *, limit: int = 100) -> list[CaseSummary]:
        """The last cases, the newest first; only those with that `verdict`, such as ``died``."""
        return self._board.cases(verdict, limit)

    def trace(self, which: Event | str) -> Trace:
        """What came of what in a case: prints itself as a tree; see `Trace.show` for more.

        Named as for `case`, and raises the same.
        """
        return trace(self._board.case(which).story)

    def explain(self, which: Event | str) -> Explanation:
        """Why an event, or the event of that id, reached whom it reached, and nobody else.

        Raises `UnknownCase`.
        """
        id = which.id if isinstance(which, Event) else which
        return explain(self._board.case(which).story, id)

    @property
    def unheard(self) -> dict[str, int]:
        """By type, how many events nobody was subscribed to; of the first 1,000 such types."""
        return dict(self._board.counts.unheard)

    def _end_watching(self) -> None:
        """The system has stopped: nobody waits for events any more."""
        for watching in list(self._watching):
            watching.end()
        self._board.end()


_NO_OPTIONS: Mapping[str, object] = {}


def _options(
    source: str | None,
    correlation_id: str | None,
    causation_id: str | None,
    version: str | None,
    id: str | None,
    extensions: Mapping[str, object] | None,
) -> Mapping[str, object]:
    if (
        id is None
        and source is None
        and correlation_id is None
        and causation_id is None
        and version is None
        and extensions is None
    ):
        return _NO_OPTIONS
    return {
        "source": source,
        "correlation_id": correlation_id,
        "causation_id": causation_id,
        "version": version,
        "id": id,
        "extensions": extensions,
    }
