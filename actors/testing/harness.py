"""`EventTestHarness`: agents under test, what happens to them, and what they must say to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any

import attrs

from choreia.actors.crashing import crash
from choreia.actors.ref import AgentRef
from choreia.actors.system import ActorSystem, Factory, Mode
from choreia.actors.testing import leaks
from choreia.actors.testing.allowing import KINDS, Allowance, Allowed
from choreia.actors.testing.ending import check_end, check_threads
from choreia.actors.testing.expecting import Expecting
from choreia.actors.testing.explaining import Circumstances
from choreia.actors.testing.matching import Expectation, Filtering
from choreia.actors.testing.own import meant
from choreia.actors.testing.probe import Probe
from choreia.actors.testing.session import Session
from choreia.actors.testing.waiting import check_seconds
from choreia.runtime.delivery.clock import Clock
from choreia.runtime.errors import ChoreiaError
from choreia.runtime.events.event import Event
from choreia.runtime.events.topic import TopicPattern

AgentLike = str | type | AgentRef[Any]
"""An agent: its name, its ref, or its class, if there is one agent of it."""


class EventTestHarness:
    """A system to test agents in: simulate events, and expect what the agents make of them.

    The fixture ``event_harness`` is one. Without pytest, use it in a ``with``: leaving it checks
    what the fixture checks when the test is over.

    By default the system is simulated: nothing happens but while you wait, in virtual time, in an
    order drawn from `seed`. With ``mode="threads"`` the same test runs on threads, in real time.
    `allow` names what the test may leave behind (see the method), and `repeat` says in messages how
    to have the same run again.
    """

    def __init__(
        self,
        *,
        mode: Mode = "simulated",
        seed: int = 0,
        allow: str | Iterable[str] = (),
        repeat: str | None = None,
    ) -> None:
        self._mode: Mode = mode
        self._seed = seed
        self._repeat = repeat or f"EventTestHarness(seed={seed})"
        self._allowed = Allowed()
        for kind in (allow,) if isinstance(allow, str) else allow:
            self._allowed.add(kind, True)
        self._session: Session | None = None
        self._before = leaks.running()
        self._ended = False

    # -- agents ---------------------------------------------------------------------------

    def with_agents(
        self,
        *agents: Factory,
        mode: Mode | None = None,
        seed: int | None = None,
        **system_options: Any,
    ) -> EventTestHarness:
        """Start the system, and an agent of each class or factory, named for its class.

        `mode` and `seed` are by default what the harness was made with; the others are options of
        `ActorSystem`. Returns the harness. Call it again for more agents, but then without options:
        the system has begun. Raises `ChoreiaError` otherwise, and whatever `spawn` raises.
        """
        options = {"mode": mode, "seed": seed, **system_options}
        given = sorted(name for name, value in options.items() if value is not None)
        if self._session is None:
            self._start(mode, seed, system_options)
        elif given:
            raise ChoreiaError(
                f"with_agents(…, {', '.join(given)}): the system of this test has begun already; "
                "give its options to the first with_agents, before anything else is asked of it"
            )
        for agent in agents:
            self.system.spawn(agent)
        return self

    def spawn(self, factory: Factory, *, name: str | None = None, **options: Any) -> AgentRef[Any]:
        """`ActorSystem.spawn`."""
        return self.system.spawn(factory, name=name, **options)

    @property
    def system(self) -> ActorSystem:
        """The system under test. It begins when it is first needed."""
        return self._begun.system

    @property
    def clock(self) -> Clock:
        """The system's clock. Virtual time begins at 0."""
        return self.system.clock

    # -- what happens ---------------------------------------------------------------------

    def simulate_event(
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
    ) -> Event:
        """Publish an event from outside: a type and payload, an instance of an ``@event_type``
        class, or a whole `Event`. Returns it. Raises what `ActorSystem.publish` raises.

        It satisfies no expectation, and takes away what earlier expectations were given: those
        events do not answer this one (see `expect`).
        """
        event = self.system.publish(
            type,
            payload,
            source=source,
            correlation_id=correlation_id,
            causation_id=causation_id,
            version=version,
            id=id,
            extensions=extensions,
        )
        self._begun.record.simulated(event)
        return event

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass, and everything happen that is due meanwhile; real ones on threads."""
        check_seconds(seconds, "seconds")
        self._begun.waiter.pass_time(seconds)

    def wait_idle(self, timeout: float | None = None) -> None:
        """`ActorSystem.wait_idle`: until nothing is in flight. Virtual time passes, if it must."""
        self.system.wait_idle(timeout)

    def pause(self, agent: AgentLike) -> None:
        """`ActorSystem.pause`: it handles no more events until it is resumed."""
        self.system.pause(self._begun.name_of(agent))

    def resume(self, agent: AgentLike) -> None:
        """`ActorSystem.resume`."""
        self.system.resume(self._begun.name_of(agent))

    def crash(self, agent: AgentLike) -> None:
        """End what serves the agent, as if its thread had died: it is dead until it is restarted.

        Its mailbox stays. What it has in hand comes to its end first, and everything else happens
        that can happen now.
        """
        crash(self.system, self._begun.name_of(agent))
        # Or a `restart` right after it would find an agent that is not dead yet.
        self._begun.waiter.settle()

    def restart(self, agent: AgentLike) -> None:
        """`ActorSystem.restart`: a new instance, with the name, ref and mailbox of the old."""
        self.system.restart(self._begun.name_of(agent))

    # -- what must come of it -------------------------------------------------------------

    def expect(
        self,
        type: object,
        payload: object = None,
        *,
        within: float | None = None,
        filter: Filtering = None,
    ) -> Event:
        """The first event that fits: one that was published, or that is `within` so many seconds.

        `type` is a pattern, a class of ``@event_type``, or an instance of one, payload and all.
        `payload` is what the event's must equal, by ``==``, or a function of the event that says
        yes; `filter` is one of Choreia's. What the runtime itself says (``agent.started``, …)
        counts if the pattern's first segment names it.

        Virtual time stops at the moment of the match. By default no time passes, and everything
        happens that can happen now; on threads the default is 5 real seconds.

        Simulated events never count. An event that was returned counts again for further
        expectations, but only until something new is simulated: it answered what was simulated
        before, and an expectation that it satisfied once more could not fail.

        Raises `ExpectationFailed`; `InvalidPattern`, `InvalidPayload`, `InvalidFilter`.
        """
        __tracebackhide__ = True
        return self._expecting.one(Expectation.of(type, payload, filter), within)

    def expect_no(
        self,
        type: object,
        payload: object = None,
        *,
        within: float = 0,
        filter: Filtering = None,
    ) -> None:
        """Check that no event fits: none that was published, none `within` so many seconds.

        What counts, and what fits, is as in `expect`; but a function that raises over an event of
        that type fails the test: it cannot tell. Everything that can happen now happens first. On
        threads that is until the agents are idle, or none has had anything to do for 50 ms.

        Raises `ExpectationFailed`, with the `event` and the chain of its causes.
        """
        __tracebackhide__ = True
        self._expecting.none(Expectation.of(type, payload, filter), within)

    def expect_sequence(self, *steps: object, within: float | None = None) -> list[Event]:
        """Events that fit `steps`, in their order, others between them allowed; returns them.

        A step is what `expect` takes: a type, or a tuple of type and payload, or an instance.
        `within` is for all of them together. Looked at is all that was ever recorded, also what
        earlier expectations were given; simulated events do not count.
        """
        __tracebackhide__ = True
        if not steps:
            raise ChoreiaError("expect_sequence() of no steps would always hold: name one or more")
        return self._expecting.sequence([_step(step) for step in steps], within)

    def probe(self, pattern: str | type, *, filter: Filtering = None) -> Probe:
        """An ear on the events of `pattern` and `filter`, simulated ones too, from now on."""
        begun = self._begun
        expectation = Expectation.of(pattern, None, filter)
        return Probe(expectation, begun.record, begun.waiter, self._where)

    def published_events(self, pattern: str = "#") -> list[Event]:
        """What the agents have said, in order, after all that can happen now has happened.

        Without the simulated events; and without the runtime's own, unless the pattern's first
        segment names them, as in ``agent.*``.
        """
        begun, wanted = self._begun, TopicPattern(pattern)
        begun.waiter.settle()
        return [
            seen.event
            for seen in begun.record.since()
            if meant(wanted, seen.event) and not begun.record.is_simulated(seen.event)
        ]

    # -- the end --------------------------------------------------------------------------

    def allow(
        self,
        *,
        dead_letters: Allowance = False,
        handler_errors: Allowance = False,
        in_flight: Allowance = False,
        leaked_agents: Allowance = False,
    ) -> None:
        """Let this test leave something behind that would else fail it.

        True allows all of a kind. Else give one or several of: an event's type or a pattern, an
        agent's name, the reason of a dead letter, a class of errors. A dead letter that is allowed,
        or that the test expected by ``expect("event.dead_lettered")``, takes the errors that led to
        it along.
        """
        allowances = (dead_letters, handler_errors, in_flight, leaked_agents)
        for kind, allowance in zip(KINDS, allowances, strict=True):
            self._allowed.add(kind, allowance)

    def close(self) -> None:
        """End the system, and check what the test left behind. Raises `ExpectationFailed`, which
        tells all of it: dead letters, errors of handlers, what is in flight, agents that hang."""
        __tracebackhide__ = True
        if self._ended:
            return
        self._ended = True
        if self._session is None:
            check_threads(self._before, self._allowed)
        else:
            # The faults of an end are told one by one, by their kinds.
            where = attrs.evolve(self._where, failures=(), going_on=tuple)
            check_end(self._session, self._before, self._allowed, where)

    def abandon(self) -> None:
        """End the system, and check nothing: the test has failed already."""
        if not self._ended and self._session is not None:
            self._session.stop(drain=False)
        self._ended = True

    def report(self) -> str:
        """Clock, seed, and everything that happened, as a tree of causes."""
        if self._session is None:
            return "no system was started"
        return "\n".join(self._where.story()).lstrip()

    def __enter__(self) -> EventTestHarness:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        if error is None:
            self.close()
        else:
            self.abandon()

    # -- parts ----------------------------------------------------------------------------

    def _start(self, mode: Mode | None, seed: int | None, options: Mapping[str, Any]) -> Session:
        if seed is not None:
            self._seed, self._repeat = seed, "the test gives it"
        self._session = Session(mode or self._mode, self._seed, options)
        return self._session

    @property
    def _begun(self) -> Session:
        return self._session or self._start(None, None, {})

    @property
    def _where(self) -> Circumstances:
        begun = self._begun
        seed = f"seed {self._seed} (to repeat it: {self._repeat})"
        repeat = seed if begun.virtual else "on threads, whose order no seed repeats"
        return Circumstances(begun.record, begun.virtual, repeat, begun.failures, begun.going_on)

    @property
    def _expecting(self) -> Expecting:
        return Expecting(self._begun.record, self._begun.waiter, self._where)


def _step(step: object) -> Expectation:
    if isinstance(step, tuple):
        if len(step) != 2:
            raise ChoreiaError(f"a step is a type, or a type and a payload, not {len(step)} things")
        return Expectation.of(step[0], step[1])
    return Expectation.of(step)
