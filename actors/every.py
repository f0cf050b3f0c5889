"""`@every`: a method that is called again and again, by ticks, which are events like any other."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from math import floor, inf
from typing import TYPE_CHECKING, Literal, TypeVar, cast
from zoneinfo import ZoneInfo

import attrs

from choreia.actors.handlers import mark_handler, topic_of
from choreia.actors.timers import Armed
from choreia.runtime.delivery.cell import Cell
from choreia.runtime.durable.alarms import fired
from choreia.runtime.durable.ledger import Ledger
from choreia.runtime.errors import InvalidAgent
from choreia.runtime.events.event import Event, make_event, make_metadata
from choreia.runtime.events.payload import freeze
from choreia.runtime.stores.unit import CancelTimer, SetTimer

if TYPE_CHECKING:
    from choreia.actors.agent import Agent
    from choreia.actors.record import Record

F = TypeVar("F", bound=Callable[..., object])
CatchUp = Literal["skip", "one", "all"]

_MARK = "__choreia_every__"
_KEY = "every:"
LATE = 1.0
"""Seconds by which a tick may be late and is not missed."""


@attrs.frozen
class Schedule:
    """When a method is due."""

    text: str
    seconds: float | None
    cron: str | None
    tz: tzinfo
    jitter: float
    catch_up: CatchUp

    def next(self, after: float, anchor: float) -> float:
        """The first time after `after` (Unix seconds). Intervals are counted from `anchor`."""
        if self.seconds is not None:
            steps = floor((after - anchor) / self.seconds) + 1
            due = anchor + max(1, steps) * self.seconds
            return due if due > after else due + self.seconds
        from cronsim import CronSim

        return next(CronSim(self.cron or "", datetime.fromtimestamp(after, self.tz))).timestamp()


def every(
    when: float | str,
    *,
    tz: str | tzinfo = UTC,
    jitter: float = 0,
    catch_up: CatchUp = "skip",
) -> Callable[[F], F]:
    """Have a method of an `Agent` called every so many seconds, or by a cron expression in `tz`.

    The method gets the tick, an event of the type ``timer.<agent>.<method>`` whose payload says
    when it was ``due``; it starts a case of its own. Up to `jitter` seconds are added to each, at
    random. With a store, a schedule goes on over restarts; of ticks that were due while nobody was
    there, `catch_up` leaves out all, calls for one, or for all. Raises `InvalidAgent` at once.
    """
    schedule = _schedule(when, tz, jitter, catch_up)

    def mark(method: F) -> F:
        marked: object = method
        name = getattr(marked, "__name__", "")
        if not inspect.isfunction(marked) or not re.fullmatch(r"[A-Za-z0-9_]+", name):
            raise InvalidAgent(f"@every marks methods with plain names; {method!r} is none")
        setattr(method, _MARK, schedule)
        return mark_handler(method, topic_of(f"timer.{{name}}.{name}", None))

    return mark


def _schedule(when: object, tz: object, jitter: object, catch_up: object) -> Schedule:
    if catch_up not in ("skip", "one", "all"):
        raise InvalidAgent(f'@every(catch_up={catch_up!r}): choose "skip", "one" or "all"')
    if not _is_number(jitter) or not 0 <= cast("float", jitter) < inf:
        raise InvalidAgent(f"@every(jitter={jitter!r}): give a number of seconds, 0 or more")
    zone = tz
    if isinstance(tz, str):
        try:
            zone = ZoneInfo(tz)
        except (KeyError, ValueError, OSError):
            raise InvalidAgent(
                f"@every(tz={tz!r}): no such time zone is known here; Europe/Berlin is one"
            ) from None
    if not isinstance(zone, tzinfo):
        raise InvalidAgent(f"@every(tz={tz!r}): give a name such as 'Europe/Berlin'")
    rest: tuple[tzinfo, float, CatchUp] = (zone, float(cast("float", jitter)), catch_up)
    if isinstance(when, str):
        from cronsim import CronSim, CronSimError

        try:
            next(CronSim(when, datetime.fromtimestamp(0, UTC)))
        except (CronSimError, StopIteration) as error:
            raise InvalidAgent(
                f"@every({when!r}): no cron expression that ever comes true ({error}); "
                "'*/5 * * * *' is every five minutes"
            ) from None
        return Schedule(f"{when} {zone}", None, when, *rest)
    if not _is_number(when) or not 0 < cast("float", when) < inf:
        raise InvalidAgent(
            f"@every({when!r}): give a number of seconds, more than 0, or a cron expression"
        )
    return Schedule(f"{when} s", float(cast("float", when)), None, *rest)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


# -- at work ------------------------------------------------------------------------------------


def schedules_of(cls: type[Agent]) -> dict[str, Schedule]:
    """When an agent of that class is called: by the names of its methods."""
    return {
        spec.name: schedule
        for spec in cls._choreia_handlers
        if (schedule := getattr(spec.function, _MARK, None)) is not None
    }


def key_of(method: str) -> str:
    """The key of the timer that calls it."""
    return _KEY + method


def start_schedules(cell: Cell, agent: Agent) -> None:
    """In the agent's turn, when it has begun: set what it is to be called by."""
    schedules = schedules_of(type(agent))
    ledger = cast("Ledger | None", cell.ledger)
    if ledger is not None and ledger.durable:
        _start_durable(cell, ledger, schedules)
        return
    now = cell.engine.clock.now()
    for name, schedule in schedules.items():
        _arm(cell, name, schedule, schedule.next(now, now))


def _tick(cell: Cell, name: str, due: float) -> Event:
    id = cell.engine.ids.next()
    return make_event(
        id,
        f"timer.{cell.name}.{name}",
        cell.id,
        due,
        freeze({"due": due}),
        make_metadata(id, None),
    )


def _jittered(cell: Cell, schedule: Schedule, due: float) -> float:
    return due + schedule.jitter * cell.engine.random.random() if schedule.jitter else due


def _arm(cell: Cell, name: str, schedule: Schedule, due: float) -> None:
    """Without a store: a tick at `due`, and then the next."""
    engine, key = cell.engine, _KEY + name
    record = cast("Record", cell.owner)
    if record.timers is None:
        record.timers = {}
    earlier = record.timers.pop(key, None)
    if earlier is not None:  # another instance of the agent had it
        earlier.cancel()

    def fire() -> None:
        timers = record.timers
        if engine.draining or timers is None or timers.get(key) is not timer:
            return
        now = engine.clock.now()
        cell.emitted += 1
        engine.bus.route(fired(_tick(cell, name, due), now), cell)
        _arm(cell, name, schedule, schedule.next(max(now, due), due))

    delay = max(0.0, _jittered(cell, schedule, due) - engine.clock.now())

    def due_now() -> None:
        cell.post(fire)

    timer = Armed(engine.clock.call_later(delay, due_now), None, engine.clock.now() + delay)
    record.timers[key] = timer


class _Repeats:
    """Implements `Repeats` for the schedules of one agent."""

    def __init__(self, cell: Cell, schedules: dict[str, Schedule]) -> None:
        self._cell = cell
        self._schedules = schedules

    def after_firing(self, timer: SetTimer, now: float) -> SetTimer | None:
        name = timer.key.removeprefix(_KEY)
        schedule = self._schedules.get(name)
        if schedule is None or not timer.schedule:
            return None
        due = float(timer.event.payload["due"])
        after = due if schedule.catch_up == "all" else max(now, due)
        return self.timer(name, schedule.next(after, due))

    def timer(self, name: str, due: float) -> SetTimer:
        schedule = self._schedules[name]
        at = _jittered(self._cell, schedule, due)
        event = _tick(self._cell, name, due)
        return SetTimer(self._cell.name, _KEY + name, at, event, schedule.text)


def _start_durable(cell: Cell, ledger: Ledger, schedules: dict[str, Schedule]) -> None:
    """Go on with what the last run has left."""
    stood, ledger.scheduled = {timer.key: timer for timer in ledger.scheduled}, []
    if not schedules and not stood:
        return
    repeats = ledger.alarms.repeats = _Repeats(cell, schedules)
    now = cell.engine.clock.now()
    for name, schedule in schedules.items():
        timer = stood.pop(_KEY + name, None)
        if timer is not None and timer.schedule == schedule.text:
            if timer.due >= now - LATE or schedule.catch_up != "skip":
                ledger.alarms.set(timer)  # if it is overdue, it fires now
                continue
            anchor = float(timer.event.payload["due"])
        else:
            anchor = now
        ledger.set_timer(repeats.timer(name, schedule.next(now, anchor)))
    for timer in stood.values():  # the class has no such method any more
        ledger.change(CancelTimer(timer.agent, timer.key))
