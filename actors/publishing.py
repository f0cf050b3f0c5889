"""Publishing from outside: what becomes an event, and how it gets in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from choreia.actors.blocking import forbid_on_loop
from choreia.actors.idempotence import GivenIds
from choreia.actors.roster import Roster
from choreia.actors.sending import send_early, send_early_async, try_early
from choreia.runtime.delivery.admission import Admission
from choreia.runtime.delivery.context import running_turn
from choreia.runtime.delivery.emission import typed
from choreia.runtime.delivery.engine import stopped_error
from choreia.runtime.delivery.feed import TAKEN
from choreia.runtime.delivery.turn import Turn
from choreia.runtime.durable.bus import LogBus
from choreia.runtime.errors import InvalidEvent, MailboxFull, SourceTaken
from choreia.runtime.events import fields
from choreia.runtime.events.event import Event, make_event, make_metadata
from choreia.runtime.events.payload import EMPTY, freeze
from choreia.runtime.events.schema import upcast
from choreia.runtime.events.topic import check_type

_OPTIONS = frozenset({"source", "correlation_id", "causation_id", "version", "id", "extensions"})
_INSIDE = (
    "inside a handler `publish` is the agent's emit_now: source, ids and cause are set by the "
    "runtime"
)


class Publisher:
    """One system's way in."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._engine = roster.engine
        self._source = f"did:choreia:{roster.engine.node}:outside"
        self._given = GivenIds()

    # -- three ways -----------------------------------------------------------------------

    def publish(
        self, type: object, payload: object, options: Mapping[str, object], timeout: float | None
    ) -> Event:
        forbid_on_loop("publish", "await system.publish_async(…)")
        turn = self._turn()
        if turn is not None:
            return send_early(turn, *_plain(type, payload, options, "publish"))
        event, given = self._event(type, payload, options)
        if given:
            who = f"publish of {event.type}"
            self._engine.drive(self._way_in(event, True, revocable=True), timeout, who)
            return self._as_recorded(event)
        if not self._engine.bus.publish_at_once(event):
            admission = self._engine.bus.admission(event, revocable=False, given=False)
            self._engine.drive(admission, timeout, f"publish of {event.type}")
        return event

    async def publish_async(
        self, type: object, payload: object, options: Mapping[str, object], timeout: float | None
    ) -> Event:
        turn = self._turn()
        if turn is not None:
            return await send_early_async(turn, *_plain(type, payload, options, "publish_async"))
        event, given = self._event(type, payload, options)
        admission = self._way_in(event, given, revocable=True)
        await self._engine.drive_async(admission, timeout, f"publish of {event.type}")
        return self._as_recorded(event) if given else event

    def try_publish(self, type: object, payload: object, options: Mapping[str, object]) -> bool:
        turn = self._turn()
        if turn is not None:
            return try_early(turn, *_plain(type, payload, options, "try_publish"))
        event, given = self._event(type, payload, options)
        return self._engine.try_once(self._way_in(event, given, revocable=False))

    def publish_many(self, events: Iterable[object], timeout: float | None) -> list[Event]:
        forbid_on_loop("publish_many", "await system.publish_many_async(…)")
        made = [self._one_of_many(one) for one in events]
        if made:
            who = f"publish of {len(made)} events"
            self._engine.drive(self._all_in([event for event, _ in made], made), timeout, who)
        return [self._as_recorded(event) if given else event for event, given in made]

    async def publish_many_async(
        self, events: Iterable[object], timeout: float | None
    ) -> list[Event]:
        made = [self._one_of_many(one) for one in events]
        if made:
            who = f"publish of {len(made)} events"
            admission = self._all_in([event for event, _ in made], made)
            await self._engine.drive_async(admission, timeout, who)
        return [self._as_recorded(event) if given else event for event, given in made]

    def _one_of_many(self, one: object) -> tuple[Event, bool]:
        if isinstance(one, tuple):
            pair = cast("tuple[object, ...]", one)
            if len(pair) != 2:
                raise InvalidEvent(
                    "publish_many takes events, instances of @event_type classes, and pairs of "
                    f"type and payload, not a tuple of {len(pair)}"
                )
            return self._event(pair[0], pair[1], {})
        return self._event(one, None, {})

    def _all_in(self, events: Sequence[Event], made: Sequence[tuple[Event, bool]]) -> Admission:
        bus = self._engine.bus
        if isinstance(bus, LogBus):
            yield from bus.admit(events)
            return TAKEN
        for event, given in made:
            yield from self._way_in(event, given, revocable=False)
        return TAKEN

    def _as_recorded(self, event: Event) -> Event:
        """The event that stands under a given id: an earlier publish may have been first."""
        bus = self._engine.bus
        if not isinstance(bus, LogBus):
            return self._given.first(event)
        found = bus.store.find(event.id)
        return event if found is None else found.event

    def _way_in(self, event: Event, given: bool, *, revocable: bool) -> Admission:
        if given and not isinstance(self._engine.bus, LogBus):  # a log remembers all ids
            return self._once(event)
        return self._engine.bus.admission(event, revocable=revocable, given=False)

    def _once(self, event: Event) -> Admission:
        """Deliver `event`, unless an event of its id was; while another publish of the same id
        waits for room, wait for how that ends."""
        while (pending := self._given.claim(event)) is not None:
            if pending.delivered:
                return TAKEN
            opened = yield pending.gate
            if not opened:
                raise MailboxFull(
                    f"another publish of the id {event.id!r} still waits for room; nobody has it"
                )
        try:
            verdict = yield from self._engine.bus.admission(event, revocable=True, given=True)
        except BaseException:
            self._given.forget(event)
            raise
        self._given.delivered(event)
        return verdict

    def _turn(self) -> Turn | None:
        turn = running_turn()
        return turn if turn is not None and turn.engine is self._engine else None

    def prepare(self, type: object, payload: object, options: Mapping[str, object]) -> Event:
        """The event that `publish` would publish, for who must know its id before it goes out."""
        unknown = set(options) - _OPTIONS
        if unknown:
            raise InvalidEvent(
                f"a request has no option {', '.join(sorted(unknown))}; it has "
                f"{', '.join(sorted(_OPTIONS))}"
            )
        if isinstance(type, Event):
            return upcast(self._whole(type, payload, options))
        return upcast(self._made(type, payload, options))

    # -- making the event -----------------------------------------------------------------

    def _event(
        self, type: object, payload: object, options: Mapping[str, object]
    ) -> tuple[Event, bool]:
        """The event, and whether its id was given: then it is delivered once, ever."""
        if self._engine.refusing:
            raise stopped_error()
        if not options and type.__class__ is str and payload.__class__ is dict:
            return self._made_of(type, payload), False
        if isinstance(type, Event):
            event = self._whole(type, payload, options)
        else:
            event = self._made(type, payload, options)
            if options.get("id") is None:
                return upcast(event), False
        return upcast(event), True

    def _made_of(self, type: Any, payload: object) -> Event:
        """A type and a dict, and nothing else: what most publishes are."""
        id = self._engine.ids.next()
        return upcast(
            make_event(
                id,
                check_type(type),
                self._source,
                self._engine.clock.now(),
                freeze(payload),
                make_metadata(id, None),
            )
        )

    def _made(self, type: object, payload: object, options: Mapping[str, object]) -> Event:
        name, body, version = typed(type, payload)
        id = options.get("id")
        id = self._engine.ids.next() if id is None else fields.check_id(id)
        correlation = fields.check_optional_id(options.get("correlation_id"), "correlation_id")
        causation = fields.check_optional_id(options.get("causation_id"), "causation_id")
        given = options.get("version")
        extensions: Any = options.get("extensions")
        metadata = make_metadata(
            correlation or id,
            causation,
            version if given is None else fields.check_version(given),
            0,
            (),
            EMPTY if extensions is None else fields.check_extensions(extensions),
        )
        source = options.get("source")
        return make_event(
            id,
            check_type(name),
            self._source if source is None else self._free_source(source),
            self._engine.clock.now(),
            freeze(body),
            metadata,
        )

    def _whole(self, event: Event, payload: object, options: Mapping[str, object]) -> Event:
        given = [name for name, value in options.items() if value is not None]
        if payload is not None or given:
            raise InvalidEvent(
                "publish was given a whole Event and also "
                f"{', '.join(['payload'] * (payload is not None) + given)}: make the change with "
                "event.evolve(…)"
            )
        self._free_source(event.source)
        if self._engine.cases is not None:
            self._engine.cases.came(event, self._engine.clock.now())
        meta = event.metadata
        if meta.correlation_id is not None:
            return event
        metadata = make_metadata(
            event.id, meta.causation_id, meta.version, meta.hops, meta.causes, meta.extensions
        )
        return make_event(
            event.id, event.type, event.source, event.timestamp, event.payload, metadata,
            event.extra,
        )  # fmt: skip

    def _free_source(self, source: object) -> str:
        source = fields.check_source(source)
        if self._roster.belongs(source) or source == self._engine.id:
            raise SourceTaken(
                f"source {source!r} is an agent of this system: only it may speak under that name"
            )
        return source


def _plain(
    type: object, payload: object, options: Mapping[str, object], call: str
) -> tuple[object, object]:
    given = [name for name, value in options.items() if value is not None]
    if given or isinstance(type, Event):
        what = ", ".join(given) or "a whole Event"
        raise InvalidEvent(f"{call} with {what}: {_INSIDE}; give a type and a payload")
    return type, payload
