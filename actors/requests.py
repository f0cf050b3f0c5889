"""Watching from outside: `listen` iterates over events, `request` waits for one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from choreia.actors.blocking import forbid_on_loop
from choreia.actors.handlers import topic_of
from choreia.runtime.delivery.context import running_turn
from choreia.runtime.delivery.deadletter import DeadLetter, name_error
from choreia.runtime.delivery.engine import Engine
from choreia.runtime.delivery.gate import Gate
from choreia.runtime.delivery.subscription import Subscription
from choreia.runtime.errors import (
    CaseDied,
    InvalidLimit,
    InvalidPattern,
    ListenerLagged,
    OutsideTurn,
    RequestTimeout,
    SystemStopped,
)
from choreia.runtime.events.display import plain
from choreia.runtime.events.event import Event, case_of
from choreia.runtime.events.filter import Filter
from choreia.runtime.events.topic import TopicPattern
from choreia.runtime.insight.story import Story
from choreia.runtime.insight.verdict import Verdict, judge

if TYPE_CHECKING:
    from choreia.actors.cases import Board

SEEN = 1_000
"""Events of a request's correlation that are kept for its error."""

Until = str | type | tuple[str | type, ...]


def refuse_in_turn(call: str) -> None:
    """Agents react; waiting for the world inside a handler is for code outside."""
    if running_turn() is None:
        return
    if call.startswith("stop"):
        raise OutsideTurn(
            f"system.{call} was called inside a handler, which it would wait for: stop the system "
            "from outside (let the handler set a threading.Event that the main thread waits for)"
        )
    raise OutsideTurn(
        f"{call} was called inside a handler: agents do not wait for events, they react to "
        "them with @on"
    )


def patterns_of(until: Until) -> tuple[TopicPattern, ...]:
    choices = until if isinstance(until, tuple) else (until,)
    if not choices:
        raise InvalidPattern("until=() matches nothing: name at least one pattern or class")
    return tuple(topic_of(choice, None).pattern(None) for choice in choices)


def check_buffer(buffer: object) -> None:
    """That `buffer` is a number of events to keep; else `InvalidLimit`."""
    if not isinstance(buffer, int) or isinstance(buffer, bool) or buffer < 1:
        raise InvalidLimit(f"buffer={buffer!r}: give a whole number of events, 1 or more")


class Listener:
    """Iterates over published events, sync or async; leave the ``with`` to end it.

    Keeps up to `buffer` events that have not been asked for. Further ones push out the oldest, and
    the next step of the iteration raises `ListenerLagged` with how many, once; then it goes on.
    It ends when the system stops.
    """

    def __init__(
        self,
        engine: Engine,
        pattern: TopicPattern,
        filter: Filter | None,
        correlation_id: str | None,
        buffer: int,
        forget: Callable[[Listener], None],
    ) -> None:
        self._engine = engine
        self._pattern = pattern
        self._filter = filter
        self._events: deque[Event] = deque(maxlen=buffer)
        self._missed = 0
        self._gate = Gate()
        self.closed = False
        self._forget = forget
        if correlation_id is None:
            subscription = Subscription(pattern, filter, self)
            table = engine.bus.table
            table.add(subscription)  # type: ignore[arg-type]
            self._stop: Callable[[], object] = lambda: table.remove(subscription)  # type: ignore[arg-type]
        else:
            self._stop = engine.bus.watch_case(correlation_id, self)

    def see(self, event: Event) -> None:
        if not self._pattern.matches(event.type):
            return
        if self._filter is not None and not self._filter.matches(event):
            return
        if len(self._events) == self._events.maxlen:
            self._missed += 1
        self._events.append(event)
        self._gate.open()

    def close(self) -> None:
        """Hear no more; what is buffered can still be read."""
        if not self.closed:
            self.closed = True
            self._stop()
            self._gate.open()
            self._forget(self)

    end = close

    def next(self, timeout: float | None = None) -> Event:
        """The next event. Raises `TimeoutError` after `timeout` seconds."""
        refuse_in_turn("listen")
        while (event := self._take()) is None:
            if self.closed:
                raise StopIteration
            forbid_on_loop("iterating a listener", "async for")
            if not self._engine.dispatcher.wait(self._gate, timeout):
                raise TimeoutError(f"no event within {timeout} s")
        return event

    async def next_async(self, timeout: float | None = None) -> Event:
        """`next`, awaiting."""
        refuse_in_turn("listen")
        while (event := self._take()) is None:
            if self.closed:
                raise StopAsyncIteration
            if not await self._engine.dispatcher.wait_async(self._gate, timeout):
                raise TimeoutError(f"no event within {timeout} s")
        return event

    def _take(self) -> Event | None:
        missed, self._missed = self._missed, 0
        if missed:
            raise ListenerLagged(
                f"{missed} events came faster than they were read and were let go; read faster, "
                "or listen(…, buffer=) for more",
                missed=missed,
            )
        # A new gate first: an event that comes after it opens this one, one before is seen.
        if self._gate.is_open and not self.closed:
            self._gate = Gate()
        try:
            return self._events.popleft()
        except IndexError:
            return None

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Listener:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Listener:
        return self

    def __next__(self) -> Event:
        return self.next()

    def __aiter__(self) -> Listener:
        return self

    async def __anext__(self) -> Event:
        return await self.next_async()


class Request:
    """Waits for the first event of one correlation that matches."""

    def __init__(
        self, engine: Engine, correlation_id: str, request_id: str, until: Until, board: Board
    ) -> None:
        self._engine = engine
        self._board = None if engine.cases is None else board
        self._correlation_id = correlation_id
        self._request_id = request_id
        self._until = until
        self._patterns = patterns_of(until)
        self._seen: deque[Event] = deque(maxlen=SEEN)
        self._answer: Event | None = None
        self._gate = Gate()
        self._stop = engine.bus.watch_case(correlation_id, self)
        self._cancelled = False
        self._stop_counting: Callable[[], None] = lambda: None
        if engine.cases is not None:
            self._stop_counting = engine.cases.watch(correlation_id, self._look_again)

    def see(self, event: Event) -> None:
        if event.id == self._request_id or self._answer is not None:
            return
        if any(pattern.matches(event.type) for pattern in self._patterns):
            self._answer = event
            self._gate.open()
        else:
            self._seen.append(event)

    def end(self) -> None:
        """The system stops: wait no longer."""
        self._cancelled = True
        self._gate.open()

    def close(self) -> None:
        self._stop()
        self._stop_counting()

    def wait(self, timeout: float | None) -> Event:
        clock = self._engine.clock
        ends = None if timeout is None else clock.monotonic() + timeout
        while (answer := self._look()) is None:
            left = None if ends is None else ends - clock.monotonic()
            if not self._engine.dispatcher.wait(self._gate, left):
                raise self.timed_out(timeout)
        return answer

    async def wait_async(self, timeout: float | None) -> Event:
        clock = self._engine.clock
        ends = None if timeout is None else clock.monotonic() + timeout
        while (answer := self._look()) is None:
            left = None if ends is None else ends - clock.monotonic()
            if not await self._engine.dispatcher.wait_async(self._gate, left):
                raise self.timed_out(timeout)
        return answer

    def _look(self) -> Event | None:
        """The answer, if it has come; an error, if none can come any more."""
        self._gate = Gate()  # first: what comes from here on opens this one
        if self._answer is not None:
            return self._answer
        if self._cancelled:
            raise SystemStopped("the system stopped before the request was answered")
        board = self._board
        if board is None or board.in_flight(self._correlation_id):
            return None
        story = board.story(self._correlation_id)
        verdict = judge(story)
        if not verdict.over or self._from_outside(story) or self._engine.refusing:
            return None  # of a system that stops, the end is told of in a moment
        return self._last_look(verdict)

    def _last_look(self, verdict: Verdict) -> Event:
        """Nothing is in flight; the answer may have come while that was being found out."""
        if self._answer is not None:
            return self._answer
        letters = [
            letter
            for letter in self._engine.letters.all()
            if letter.event is not None and case_of(letter.event) == self._correlation_id
        ]
        raise CaseDied(
            f"no {self._until!r} will come in correlation {self._correlation_id}: the case is over "
            f"({verdict.word.value}: {verdict.reason}); {self._seen_instead()}"
            + "".join(f"; dead letter: {_told(letter)}" for letter in letters[:3]),
            correlation_id=self._correlation_id,
            seen=tuple(self._seen),
            dead_letters=letters,
            verdict=verdict,
        )

    def _from_outside(self, story: Story) -> bool:
        """Whether somebody outside may still give the answer: an agent says that such events come
        from there."""
        external = {name for interest in story.interests for name in interest.external}
        return any(
            TopicPattern(name).matches(pattern.pattern) or pattern.matches(name)
            for name in external
            for pattern in self._patterns
        )

    def _look_again(self) -> None:
        self._gate.open()

    def timed_out(self, timeout: float | None) -> RequestTimeout:
        """The error that says what came instead."""
        return RequestTimeout(
            f"no {self._until!r} in correlation {self._correlation_id} within {timeout} s; "
            f"{self._seen_instead()}",
            correlation_id=self._correlation_id,
            seen=tuple(self._seen),
        )

    def _seen_instead(self) -> str:
        seen = ", ".join(event.type for event in list(self._seen)[-10:]) or "nothing"
        return f"seen instead: {seen}"


def _told(letter: DeadLetter) -> str:
    assert letter.event is not None
    error = "" if letter.error is None else f", {plain(name_error(letter.error), 200)}"
    return f"{letter.event.type} at {letter.agent} ({letter.reason}{error})"
