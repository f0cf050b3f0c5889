"""Stories to look at: one in which everything happens once, and one full of what is hostile."""

from __future__ import annotations

import pytest

from choreia.runtime.events.event import Event, Metadata
from choreia.runtime.events.payload import Json
from choreia.runtime.events.recorded import ERASED, LIVE, Recorded
from choreia.runtime.insight.story import Ask, Delivery, Interest, State, Story
from choreia.runtime.stores.unit import CaseRecord, SetTimer

HOSTILE = (
    'x\x1b[31m\u202e [/bold] <script>alert(1)</script> "]; click a href "javascript:1"\n'
    "%%{init: {}}%%\nend\n-->>p0: y & <img src=x onerror=alert(1)> \x9b2J"
)
LONG = "<b>&;\x1b" * 90_000


def recorded(
    position: int,
    type: str,
    source: str,
    at: float,
    cause: str | None = None,
    payload: dict[str, Json] | None = None,
    *,
    case: str = "e1",
    causes: tuple[str, ...] = (),
    flags: int = 0,
) -> Recorded:
    """An event of a case; its id is ``e`` and its position."""
    meta = Metadata(correlation_id=case, causation_id=cause, causes=causes)
    source = source if source.startswith(("urn:", "did:")) else f"did:choreia:local:{source}"
    event = Event(type, source, payload or {}, id=f"e{position}", timestamp=1.0, metadata=meta)
    return Recorded(position, event, at, flags)


def delivery(event_id: str, agent: str, state: State = State.HANDLED, **rest: object) -> Delivery:
    return Delivery(event_id, agent, state, **rest)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@pytest.fixture
def shop() -> Story:
    """An order: reserved, paid with trouble, shipped by who waited for two events."""
    late = Event("order.late", "did:choreia:local:orders:7", {}, id="t1", timestamp=9.0)
    return Story(
        correlation_id="e1",
        events=(
            recorded(1, "order.placed", "outside", 100.0, None, {"order": 7, "token": "hunter2"}),
            recorded(3, "stock.reserved", "stock", 100.02, "e1", {"order": 7}),
            recorded(4, "invoice.written", "billing:7", 100.1, "e1", {"order": 7, "sum": 19.5}),
            recorded(6, "payment.refused", "payment", 101.25, "e3", {"why": "no money"}),
            recorded(7, "order.packed", "packing", 101.5, "e3", causes=("e4", "elsewhere")),
            recorded(8, "agent.restarted", "payment", 101.5, "e6", flags=LIVE),
            recorded(9, "note.added", "urn:crm:1", 102.0, "e1", {"text": "…"}, flags=ERASED),
        ),
        interests=(
            Interest("stock", (Ask("order.placed", {"payload.order": {"$lt": 100}}, "reserve"),)),
            Interest("billing", (Ask("order.placed", None, "bill"),), key="payload.order"),
            Interest("audit", (Ask("#", None, "write"),), kind="subscription", passive=True),
            Interest("payment", (Ask("stock.reserved", None, "charge"),)),
            Interest("vip", (Ask("order.placed", {"payload.token": {"$prefix": "VIP"}}, "greet"),)),
            Interest("packing", (Ask("stock.*", None, "pack"), Ask("invoice.*", None, "pack"))),
            Interest("old", (Ask("order.placed", None, "x"),), until=0),
            Interest("new", (Ask("order.placed", None, "x"),), since=1),
        ),
        deliveries=(
            delivery("e1", "stock"),
            delivery("e1", "billing"),
            delivery("e1", "audit", passive=True),
            delivery("e3", "payment"),
            delivery("e3", "packing"),
            delivery(
                "e3",
                "audit",
                State.DEAD,
                reason="failed",
                error="OSError: disk is full",
                attempts=3,
                passive=True,
            ),
            delivery("e4", "packing"),
            delivery("e4", "audit", State.DROPPED, passive=True),
            delivery("e6", "orders", State.LAGGING, since=101.25),
            delivery("e7", "orders"),
        ),
        timers=(SetTimer("orders:7", "k", 130.0, late),),
        records=(CaseRecord("payment", "e1", "charge", b'{"status":"failed"}', 6),),
    )


@pytest.fixture
def hostile() -> Story:
    """Whatever may hold any text does."""
    bad = f"urn:{HOSTILE}"
    return Story(
        correlation_id=HOSTILE,
        events=(
            recorded(1, "order.placed", bad, 1.0, None, {HOSTILE: HOSTILE, "long": LONG}),
            recorded(2, "order.paid", f"did:choreia:local:a:{HOSTILE}", 2.0, "e1", causes=(bad,)),
        ),
        interests=(Interest("a", (Ask("order.paid", {f"payload.{HOSTILE}": HOSTILE}),)),),
        deliveries=(
            delivery("e1", "a", State.DEAD, reason="failed", error=HOSTILE + LONG),
            delivery("e2", "end"),
        ),
        timers=(SetTimer(f"a:{HOSTILE}", HOSTILE, 3.0, Event("x.end", bad, {}, timestamp=1.0)),),
        records=(CaseRecord("a", HOSTILE, HOSTILE, b"not JSON"),),
    )


@pytest.fixture
def broad() -> Story:
    """10,000 events: one with thousands of effects, one of which begins a chain of a thousand."""
    events = [recorded(1, "big.bang", "outside", 0.0)]
    events += [recorded(n, "star.made", "maker", float(n), "e1") for n in range(2, 9_001)]
    events += [
        recorded(n, "link.made", "chain", float(n), f"e{n - 1}") for n in range(9_001, 10_001)
    ]
    deliveries = [delivery("e1", f"agent-{n}") for n in range(200)]
    return Story("e1", tuple(events), (), tuple(deliveries))
