"""`Projection`: an agent that writes a table of the user's from the log, exactly once."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, ClassVar, cast

import attrs

from choreia.actors.agent import Agent, cell_of, record_of, turn_of
from choreia.actors.base import Envelope
from choreia.actors.handlers import HandlerPlanner, HandlerSpec, handlers_of
from choreia.actors.projecting.marks import Method, Methods
from choreia.actors.projecting.opening import open_database
from choreia.actors.projecting.reach import GO_ON, LATER, Asked, GoOn, Rebuild
from choreia.actors.projecting.work import Work
from choreia.runtime.delivery.cell import BACKING_OFF
from choreia.runtime.delivery.deadletter import Redelivery, format_error, name_error
from choreia.runtime.delivery.retry import PERMANENT
from choreia.runtime.delivery.steps import Kind
from choreia.runtime.durable.bus import LogBus
from choreia.runtime.errors import ChoreiaError, Fenced, GiveUp, InvalidAgent, StoreUnavailable
from choreia.runtime.events.display import plain
from choreia.runtime.events.event import Event

_OWN = ("on_start", "on_stop", "on_receive")
_FIRST_WAIT, _LONGEST_WAIT = 0.25, 5.0
"""Seconds until it is tried again, when the database or the log is not to be had."""


def _one_place(event: Event) -> object:
    """For its mailbox: one event that waits says as much as a thousand."""
    return None


class Projection(Agent):
    """Derive from it, say what `tables` there are, and mark with `@project` the methods that write
    them; then ``system.spawn(OrdersByStatus.into("orders.db"))``, in a system with a store.

    It reads the log from its beginning, and writes your tables in the SQLite file or PostgreSQL
    database that you name. How far it is, it keeps there as well (in `choreia_projections`), in the
    same transaction: whatever ends the process, each event is in the tables exactly once. What a
    method raises is retried as for any agent, then the event is skipped and a dead letter. What the
    runtime itself says (``agent.*``), and what was erased, is not projected.

    Another `version`, or other `tables`, than the tables were made with: they are rebuilt from the
    beginning, beside the old ones, which serve until the new ones have caught up. For a method that
    has changed, raise `version`. See `ProjectionRef` for asking, rebuilding on demand, and the lag.
    """

    tables: ClassVar[str | tuple[str, ...]] = ()
    """A statement that makes a table, or several (with indexes, views, triggers). In SQL of the
    database that is used, without a schema's name."""
    version: ClassVar[int | str] = 1

    threaded = True  # its transactions hold a thread: that is to be nobody else's
    durable = False  # its cursor is the position in its tables
    overflow = "conflate"
    conflate_key = staticmethod(_one_place)
    emits = ()

    _choreia_methods: ClassVar[Methods]

    def __init_subclass__(cls, **keywords: object) -> None:
        super().__init_subclass__(**keywords)
        for name in _OWN:
            if name in vars(cls):
                raise InvalidAgent(
                    f"{cls.__name__}.{name}: this is a projection's own; it writes with @project "
                    "and answers with answer(self, db, question)"
                )
        if handlers_of(cls):
            raise InvalidAgent(
                f"{cls.__name__} has @on: a projection only writes, with @project; what reacts is "
                "an agent beside it"
            )
        _statements(cls)
        methods = cls._choreia_methods = Methods(cls)
        if methods.topics:
            spec = HandlerSpec(
                "_choreia_wake", Projection._choreia_wake, Kind.PLAIN, methods.topics
            )
            cls._choreia_handlers = (spec,)
            # Typed payloads are for the methods: here it is only noticed that there is something.
            topics = tuple(attrs.evolve(topic, payload_class=None) for topic in methods.topics)
            cls._choreia_planner = HandlerPlanner.of((attrs.evolve(spec, topics=topics),), cls)

    @classmethod
    def into(cls, database: str | Path) -> Callable[[], Agent]:
        """For `spawn`: the path of a SQLite file, which is made when there is none, or the URL of
        a PostgreSQL database, in which a schema is made that is called like the agent."""
        return partial(cls, database)

    def __init__(self, database: str | Path = "") -> None:
        super().__init__()
        cls = type(self)
        if not database:
            raise InvalidAgent(f'{cls.__name__} needs a database: {cls.__name__}.into("tables.db")')
        cell = cell_of(self, "into")
        bus = cell.engine.bus
        if not isinstance(bus, LogBus):
            raise InvalidAgent(
                f"{cls.__name__} is a projection of a log, and this system has none: "
                'ActorSystem(store="events.db")'
            )
        statements = _statements(cls)
        if not statements or not cls._choreia_methods.topics:
            raise InvalidAgent(f"{cls.__name__} needs tables, and methods marked with @project")
        opened = open_database(database, cell.name, statements)
        if getattr(bus.store, "path", None) == Path(database).resolve():
            raise InvalidAgent(
                f"into({str(database)!r}): this is the event store's own file, and nothing else "
                "may be in it; give another one"
            )
        weakref.finalize(self, opened.close).atexit = False  # of one that is killed
        self._choreia_database = opened
        try:
            self._choreia_work = Work(
                bus.store, cls._choreia_methods, _Writer(self), opened, _shape(cls, statements)
            )
        except Exception as error:
            opened.close()
            raise _explained(error, cell.name) from error
        self._choreia_going = False
        self._choreia_wait = 0.0
        """Seconds that it waited last because something was not to be had."""

    # -- what it is asked ---------------------------------------------------------------------

    def answer(self, db: Any, question: Any) -> Any:
        """Override it, to answer ``ref.ask(question)`` from the serving tables. Return values, not
        cursors: `db` is somebody else's afterwards. Writing raises."""
        raise InvalidAgent(
            f"{type(self).__name__} was asked, and answers nothing: write answer(self, db, "
            "question)"
        )

    def on_start(self) -> None:
        self._choreia_go_on()

    def on_stop(self) -> None:
        self._choreia_database.close()

    def on_receive(self, message: Any) -> Any:
        if isinstance(message, GoOn):
            return self._choreia_step()
        if isinstance(message, Rebuild):
            self._choreia_work.rebuild()
            return self._choreia_go_on()
        if isinstance(message, Asked):
            if not self._choreia_work.reached(message.after):
                return self._choreia_put_off(message)
            message = message.question
        with self._choreia_database.answering() as db:
            return self.answer(db, message)

    def _choreia_put_off(self, asked: Asked) -> object:
        """Behind the next batch. In the mailbox, so that whoever asked hears of the agent's end."""
        self._choreia_go_on()
        cell_of(self, "ask").feed.force(Envelope(asked, asked.reply))
        return LATER

    # -- how it goes on -----------------------------------------------------------------------

    def _choreia_wake(self, event: Event) -> None:
        if isinstance(turn_of(self, "redeliver").held, Redelivery):
            raise GiveUp(
                f"{plain(event.id)} cannot be redelivered to a projection, which writes in the "
                "order of the log: mend its method, and rebuild it (projection(ref).rebuild())"
            )
        self._choreia_go_on()

    def _choreia_go_on(self) -> None:
        if not self._choreia_going:
            self._choreia_going = True
            # An ask, since asks are let in though the mailbox is full.
            self.actor_ref.ask(GO_ON, block=False)

    def _choreia_step(self) -> None:
        self._choreia_going = False
        try:
            wait = self._choreia_work.step()
            self._choreia_wait = 0.0
        except Fenced:
            raise
        except Exception as error:
            wait = self._choreia_outage(error)
        if wait is None:
            return
        if wait > 0:
            self._choreia_back_off(wait)
        self._choreia_go_on()

    def _choreia_outage(self, error: Exception) -> float:
        """The database or the log is not to be had: nothing was written, and nothing is skipped."""
        if not self._choreia_wait:
            turn_of(self, "step").report(
                logging.ERROR, "cannot go on, and tries again: %s", plain(name_error(error))
            )
        self._choreia_wait = min(max(2 * self._choreia_wait, _FIRST_WAIT), _LONGEST_WAIT)
        return self._choreia_wait

    def _choreia_back_off(self, seconds: float) -> None:
        """As an agent does between two attempts: in flight, without a thread."""
        cell = cell_of(self, "retry")
        cell.hold(BACKING_OFF)
        cell.engine.clock.call_later(seconds, lambda: cell.release(BACKING_OFF))


Projection._choreia_methods = Methods(Projection)


class _Writer:
    """A projection, as its tracks see it. Weak: the agent has the tracks."""

    def __init__(self, projection: Projection) -> None:
        self._projection = weakref.ref(projection)

    def _agent(self) -> Projection:
        return cast("Projection", self._projection())

    def write(self, method: Method, db: Any, event: Event) -> None:
        method.call(self._agent(), db, event)

    def patience(self, event: Event, error: BaseException, made: int) -> float | None:
        agent = self._agent()
        turn, retry = turn_of(agent, "retry"), record_of(agent, "retry").options.retry
        turn.event, turn.attempt = event, made
        turn.failed(error, "@project")
        turn.event, turn.attempt = None, 1
        wait = retry.wait(error, made, turn.engine.random)
        if wait is not None:
            turn.report(
                logging.WARNING,
                "attempt %d of %d at %s %s failed, next in %.3g s: %s",
                *(made, retry.attempts, event.type, plain(event.id), wait),
                plain(name_error(error)),
            )
        return wait

    def skipped(self, event: Event, error: BaseException, made: int) -> None:
        agent = self._agent()
        turn, retry = turn_of(agent, "retry"), record_of(agent, "retry").options.retry
        permanent = isinstance(error, (*PERMANENT, *retry.give_up_on))
        text = format_error(error)
        turn.bury(event, error, made, "gave_up" if permanent else "failed")
        turn.report(
            logging.ERROR,
            "%s %s is skipped, and a dead letter, after %d of %d attempts:\n%s",
            *(event.type, plain(event.id), made, retry.attempts),
            "\n".join(plain(line) for line in text.splitlines()),
        )
        turn.ear.gave_up()


def _statements(cls: type[Projection]) -> tuple[str, ...]:
    """Its `tables`, checked. Raises `InvalidAgent`."""
    given: object = cls.tables
    statements = (given,) if isinstance(given, str) else given
    if not isinstance(statements, tuple) or not all(
        isinstance(one, str) and one.strip() for one in statements
    ):
        raise InvalidAgent(
            f"{cls.__name__}.tables = {given!r}: give a statement such as 'CREATE TABLE …', or a "
            "tuple of them"
        )
    return cast("tuple[str, ...]", statements)


def _shape(cls: type[Projection], statements: tuple[str, ...]) -> str:
    digest = blake2b("\0".join(statements).encode(), digest_size=16).hexdigest()
    return f"{cls.version}:{digest}"


def _explained(error: Exception, name: str) -> ChoreiaError:
    if isinstance(error, ChoreiaError):
        return error
    return StoreUnavailable(
        f"the tables of projection {name!r} cannot be opened or made: {name_error(error)}. Look at "
        "its `tables`, and whether the database can be written to"
    )
