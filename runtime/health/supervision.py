"""Supervision of the agents of one system: asked, looked at, suspected, and believed again.

Looking costs the watched nothing: a look reads what their turns leave behind anyway. Asking puts a
control into the system lane, which is answered between two events. All looks happen on the clock's
thread, so that a pool without a free thread cannot hide that it has none.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Protocol

from choreia.runtime.health.attention import Attention
from choreia.runtime.health.detector import detector_for
from choreia.runtime.health.evidence import occupied, stack_of
from choreia.runtime.health.heartbeat import Heartbeat
from choreia.runtime.health.watch import (
    Reason,
    Step,
    Suspicion,
    Watch,
    at_rest,
    deserted,
    gone,
    step_of,
    why_unheard,
)
from choreia.runtime.health.wheel import Wheel

if TYPE_CHECKING:
    from choreia.runtime.delivery.cell import Cell
    from choreia.runtime.delivery.engine import Engine

Evidence = dict[str, object]

HEARTBEAT = "agent.heartbeat"


class Voice(Protocol):
    """Says what comes of it; the layer above knows what an agent is."""

    def heartbeat(self, cell: Cell) -> None:
        """In the agent's turn: it has answered, and somebody listens."""

    def suspected(self, cell: Cell, reason: Reason, last_seen: float, evidence: Evidence) -> None:
        """`last_seen`: Unix seconds."""

    def recovered(self, cell: Cell, reason: Reason, seconds: float) -> None:
        """It was suspected for `seconds`, and goes on."""

    def replace(self, cell: Cell, reason: Reason) -> None:
        """It has been suspected for as long as it may."""


class Supervision:
    """See the module. Thread-safe."""

    def __init__(self, engine: Engine, voice: Voice) -> None:
        self._engine = engine
        self._clock = engine.clock
        self._voice = voice
        self._lock = threading.Lock()
        self._attention = Attention()
        simulated = engine.dispatcher.simulated
        self._wheel: Wheel[Watch] = Wheel(engine.clock, self._look_at_all, spread=not simulated)

    # -- who is watched ---------------------------------------------------------------------

    def watch(self, cell: Cell, heartbeat: Heartbeat) -> Watch:
        """Watch over `cell` from now on, until `forget`."""
        watch = Watch(cell, heartbeat, detector_for(heartbeat, self.own_time()))
        self._wheel.add(watch, heartbeat.period)
        return watch

    def forget(self, watch: Watch) -> None:
        """Its agent has ended. Its place on the wheel is given up at the next look."""
        with self._lock:
            watch.cell = watch.suspicion = None
            if watch.again is not None:
                watch.again.cancel()
                watch.again = None

    def renew(self, watch: Watch) -> None:
        """Its agent has another instance, which is asked at once, and believed when it answers."""
        cell = watch.cell
        if cell is None:
            return
        # It is not to blame for how long the one before was silent.
        watch.detector = detector_for(watch.heartbeat, self.own_time())
        if not watch.asked:
            watch.asked = True
            cell.post(partial(self._answer, watch))

    def own_time(self) -> float:
        """Now, as the supervisor counts: without the time in which it was held up."""
        with self._lock:
            return self._attention.own(self._clock.monotonic())

    def awake(self, due: float) -> tuple[float, float]:
        """A look that was due then takes place: own time, and what to allow beyond a deadline."""
        now = self._clock.monotonic()
        with self._lock:
            self._attention.awake(now, due, excused=self._engine.dispatcher.punctual)
            return self._attention.own(now), self._attention.allowance

    # -- looking ----------------------------------------------------------------------------

    def _look_at_all(self, watches: list[Watch], due: float) -> list[Watch]:
        self.awake(due)
        for watch in watches:
            self._look(watch, regular=True)
        return [watch for watch in watches if watch.cell is not None]

    def _look_again(self, watch: Watch, due: float) -> None:
        self.awake(due)
        watch.again = None
        self._look(watch, regular=False)

    def _look(self, watch: Watch, *, regular: bool) -> None:
        cell = watch.cell
        if cell is None or gone(cell):
            return
        try:
            self._judge(watch, cell)
            if regular:
                watch.countdown -= 1
                if watch.countdown <= 0:
                    watch.countdown = watch.heartbeat.looks
                    self._ask(watch, cell)
        except Exception:
            self._engine.log.exception("looking at agent %r failed", cell.name)

    def _judge(self, watch: Watch, cell: Cell) -> None:
        suspicion = watch.suspicion
        step = step_of(watch, cell, self._clock.monotonic())
        if suspicion is not None and suspicion.turn is cell.turn:
            self._judge_suspected(watch, cell, suspicion)
            return
        if deserted(cell):
            self._suspect(watch, cell, "dead", None)
            return
        if step is not None:
            # A handler that was about to end when everything was held up gets its chance, too.
            left = step.limit + min(self._allowance(), step.limit) - self._since(step.since)
            if left <= 0:
                self._suspect(watch, cell, "stuck", step)
                return
            self._look_in(watch, left)
        if watch.asked and not cell.turn.interim:
            self._judge_unheard(watch, cell)

    def _judge_unheard(self, watch: Watch, cell: Cell) -> None:
        """It has not answered. Whether it hangs in a handler has been looked at before."""
        with self._lock:
            own = self._attention.own(self._clock.monotonic())
            # Once more the time that it has anyway: enough to come round, after an hour as well.
            allowance = min(self._attention.allowance, watch.heartbeat.timeout)
            left = watch.detector.deadline() + allowance - own
        if left > 0:
            self._look_in(watch, left)
        elif (reason := why_unheard(cell)) is not None:
            self._suspect(watch, cell, reason, None)

    def _judge_suspected(self, watch: Watch, cell: Cell, suspicion: Suspicion) -> None:
        if not suspicion.stands(cell):
            if cell.turn is suspicion.turn:  # else another instance is asked, and answers
                self._believe(watch)
            return
        limit = watch.heartbeat.replace_after
        # Where there is no thread to have, another instance would not get one either.
        if limit is None or suspicion.reason == "starved":
            return
        left = suspicion.since + limit - self.own_time()
        if left > 0:
            self._look_in(watch, left)
        else:
            self._voice.replace(cell, suspicion.reason)

    def _allowance(self) -> float:
        with self._lock:
            return self._attention.allowance

    def _since(self, monotonic: float) -> float:
        """Own seconds that have passed since then."""
        with self._lock:
            now = self._attention.own(self._clock.monotonic())
            return now - self._attention.own(monotonic)

    def _look_in(self, watch: Watch, seconds: float) -> None:
        """Look again then, unless that would happen anyway."""
        due = self._clock.monotonic() + seconds
        if watch.again is not None and watch.again.callback is not None:
            if watch.again.when <= due:
                return
            watch.again.cancel()
        if seconds < watch.heartbeat.period or watch.suspicion is not None:
            look = partial(self._look_again, watch, due)
            watch.again = self._clock.call_later(seconds, look, background=True)

    # -- asking -----------------------------------------------------------------------------

    def _ask(self, watch: Watch, cell: Cell) -> None:
        if watch.asked:
            return
        if at_rest(cell) and not self._engine.bus.heard(HEARTBEAT):
            with self._lock:  # to be at rest is an answer, and saves a thread its waking up
                watch.detector.heard(self._attention.own(self._clock.monotonic()))
            return
        watch.asked = True
        cell.post(partial(self._answer, watch))

    def _answer(self, watch: Watch) -> None:
        """In the agent's turn."""
        cell = watch.cell
        if cell is None:
            return
        if cell.turn.interim:  # nobody is there: the next instance will be asked
            watch.asked = False
            return
        with self._lock:
            watch.asked = False
            watch.detector.heard(self._attention.own(self._clock.monotonic()))
        suspicion = watch.suspicion
        if suspicion is not None and not _proves_nothing(suspicion, cell):
            self._believe(watch)
        if self._engine.bus.heard(HEARTBEAT):
            self._voice.heartbeat(cell)

    # -- suspecting, and believing again ----------------------------------------------------

    def _suspect(self, watch: Watch, cell: Cell, reason: Reason, step: Step | None) -> None:
        turn = cell.turn
        evidence = self._evidence(watch, cell, reason, step, self._clock.monotonic())
        own = self.own_time()  # afterwards: to see where a handler stands may take a while
        suspicion = Suspicion(reason, own, turn, step)
        if not suspicion.stands(cell):
            return  # it has come to its end while we looked
        watch.suspicion = suspicion
        seen = self._clock.now() - (own - watch.detector.last)
        self._voice.suspected(cell, reason, seen, evidence)
        turn.doubted = partial(self._believe, watch)
        if not suspicion.stands(cell) and cell.turn is turn:  # its sign of life came before that
            self._believe(watch)
            return
        if not watch.asked:  # whoever comes back from a handler is to be believed at once
            watch.asked = True
            cell.post(partial(self._answer, watch))
        self._judge_suspected(watch, cell, suspicion)

    def _believe(self, watch: Watch) -> None:
        with self._lock:
            suspicion, watch.suspicion = watch.suspicion, None
            if suspicion is None or watch.cell is None:
                return
        suspicion.turn.doubted = None
        seconds = self.own_time() - suspicion.since
        self._voice.recovered(watch.cell, suspicion.reason, seconds)

    def _evidence(
        self, watch: Watch, cell: Cell, reason: Reason, step: Step | None, now: float
    ) -> Evidence:
        evidence: Evidence = {}
        if step is not None:
            call = cell.turn.step
            evidence["handler"] = getattr(call, "__name__", "") if call is not None else "a hook"
            evidence["seconds"] = self._since(step.since)
            evidence["limit"] = step.limit
            evidence["stack"] = stack_of(cell)
            event = cell.turn.event
            if event is not None:
                evidence |= {"event_id": event.id, "event_type": event.type}
            return evidence
        evidence |= watch.detector.evidence(self.own_time())
        evidence["queued"] = len(cell.mailbox)
        if reason == "dead":
            evidence["how"] = cell.engine.orphans.get(cell, "the event loop it awaits on is closed")
        else:
            evidence["running"] = occupied(cell.engine.dispatcher, now)
        return evidence


def _proves_nothing(suspicion: Suspicion, cell: Cell) -> bool:
    """An agent answers between two events, and while a coroutine of its own hangs."""
    awaits = suspicion.step.lent is None if suspicion.step is not None else deserted(cell)
    return awaits and suspicion.stands(cell)
