"""How deliveries, waits and durations are put, in every format that people read.

What comes from events is *not* made harmless here: each format does that with whole texts.
"""

from __future__ import annotations

from choreia.runtime.events.display import brief
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.insight.story import Delivery, State
from choreia.runtime.insight.trace import Trace
from choreia.runtime.stores.unit import SetTimer

ERROR = 200
"""Characters of an error that are shown."""

_STATES = {
    State.HANDLED: "handled",
    State.DEAD: "dead-lettered",
    State.DROPPED: "dropped by its mailbox, which was full",
    State.LOST: "lost",
    State.QUEUED: "in its mailbox",
    State.IN_HAND: "in hand",
    State.PARKED: "waits for room",
    State.BACKING_OFF: "waits to be tried again",
    State.LAGGING: "not come to yet",
}
WENT_WRONG = frozenset({State.DEAD, State.DROPPED, State.LOST})


def standing(delivery: Delivery) -> str:
    """How a delivery stands, in words."""
    said = _STATES[delivery.state]
    if delivery.state is State.DEAD and delivery.reason:
        said += f" ({delivery.reason}{_attempts(delivery)})"
    elif delivery.attempts:
        said += f" ({_attempts(delivery).removeprefix(', ')})"
    if delivery.error:
        said += f": {delivery.error[:ERROR]}"
    return said


def _attempts(delivery: Delivery) -> str:
    count = delivery.attempts
    return "" if not count else f", {count} attempt{'s' if count != 1 else ''}"


def duration(seconds: float) -> str:
    """``20 ms``, ``1.25 s``: to a tenth of a millisecond below a second, else to milliseconds."""
    if abs(seconds) < 1:
        return f"{seconds * 1000:.1f}".removesuffix(".0") + " ms"
    return f"{seconds:.3f}".rstrip("0").rstrip(".") + " s"


def what(recorded: Recorded, limit: int = 100) -> str:
    """What an event says, short, with secrets masked."""
    if recorded.erased:
        return "(erased)"
    if recorded.hidden:
        return "(hidden)"
    event = recorded.event
    if event.type == "event.dead_lettered":
        facts = event.payload
        return f"{facts.get('event_type')} at {facts.get('agent')} ({facts.get('reason')})"[:limit]
    return brief(event.payload, limit)


def waiting(timer: SetTimer, trace: Trace, *, times: bool) -> str:
    """A timer that is set."""
    said = f"waits for {timer.event.type}, a timer of {timer.agent}"
    if times:
        said += f", due {duration(timer.due - trace.began)} after the beginning"
    return said


def headline(trace: Trace, *, times: bool) -> str:
    """How large a case is, and how long it took."""
    count = len(trace.hops)
    said = f"{count:,} event{'s' if count != 1 else ''}"
    if times and count > 1:
        said += f" in {duration(trace.seconds)}"
    return said if trace.whole else f"{said}; what came before is not known any more"


def not_shown(events: int) -> str:
    return f"… {events:,} more event{'s' if events != 1 else ''} …"
