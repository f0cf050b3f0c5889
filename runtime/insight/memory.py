"""Cases as a system without a store remembers them.

What was published is remembered in order, and what is on its way is looked for where it is: in
mailboxes, in hands, in outboxes. What came for an agent and is in none of these was handled, or is
a dead letter, or is known to be lost. Events move while one looks; so it is looked first whether
anything of the case is in flight (that is counted, see `delivery/cases.py`), and what cannot be
found then is said to be on its way all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

import attrs

from choreia.runtime.delivery.cases import Loss, event_of
from choreia.runtime.delivery.cell import BACKING_OFF, Cell
from choreia.runtime.delivery.deadletter import name_error
from choreia.runtime.delivery.engine import Engine
from choreia.runtime.delivery.shared import Seat
from choreia.runtime.events.event import Event, case_of
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.insight.naming import family
from choreia.runtime.insight.story import Delivery, State, Story

Key = tuple[str, str]
"""An event's id and an agent's name: one delivery."""
Wanted = tuple[Recorded, str, bool]
"""An event, an agent that it was for, and whether that only looks on."""


class Memory:
    """All that is remembered, at one moment. `only`: of one case."""

    def __init__(self, engine: Engine, cells: Iterable[Cell], only: str | None = None) -> None:
        cases = engine.cases
        assert cases is not None
        self.trail = cases.trail()
        self._flying: Callable[[str], bool] = cases.in_flight
        if only is not None:
            flying = cases.in_flight(only)  # before anything is looked for: see the module
            self._flying = lambda case: flying
        else:
            still = {tally.id for tally in cases.known() if tally.count > 0}
            self._flying = still.__contains__
        self.by_case: dict[str, list[Recorded]] = {}
        self.said: Counter[str] = Counter()
        """By case, how many there were: an agent that is given an event twice may say what comes of
        it twice, and that is the same event."""
        self._read(only, cases.time_of)
        self._places: dict[str, dict[Key, State]] = {}
        for cell in cells:
            for event, agent, state in _at(cell):
                if only is None or case_of(event) == only:
                    self._places.setdefault(case_of(event), {})[event.id, agent] = state
        self._over: dict[str, dict[Key, Delivery]] = {}
        self._bury(engine, only)

    def _read(self, only: str | None, time_of: Callable[[Event], float]) -> None:
        met: set[str] = set()
        for place, event in enumerate(self.trail, 1):
            case = case_of(event)
            if only is not None and case != only:
                continue
            self.said[case] += 1
            if event.id not in met:
                met.add(event.id)
                recorded = Recorded(place, event, time_of(event))
                self.by_case.setdefault(case, []).append(recorded)

    def _bury(self, engine: Engine, only: str | None) -> None:
        assert engine.cases is not None
        ended = [
            (event, Delivery(event.id, family(agent), State(why)))
            for agent, event, why in engine.cases.losses()
        ]
        for letter in engine.letters.all():
            if letter.event is not None:
                error = letter.said or ("" if letter.error is None else name_error(letter.error))
                dead = Delivery(
                    letter.event.id,
                    family(letter.agent),
                    State.DEAD,
                    letter.time,
                    letter.reason,
                    error,
                    letter.attempts,
                )
                ended.append((letter.event, dead))
        for event, delivery in ended:
            case = case_of(event)
            if only is None or case == only:
                self._over.setdefault(case, {})[delivery.event_id, delivery.agent] = delivery

    def deliveries(self, case: str, wanted: Sequence[Wanted]) -> tuple[Delivery, ...]:
        """How each of `wanted` stands, and what else is on its way in that case."""
        places: dict[Key, State] = dict(self._places.get(case, {}))
        over = dict(self._over.get(case, {}))
        made: list[Delivery] = []
        for recorded, agent, passive in wanted:
            key = (recorded.event.id, agent)
            state, ended = places.pop(key, None), over.pop(key, None)
            if state is not None:
                made.append(Delivery(*key, state, recorded.at, passive=passive))
            elif ended is not None:
                made.append(attrs.evolve(ended, passive=passive))
            else:
                made.append(Delivery(*key, State.HANDLED, passive=passive))
        # Who was told it directly, or could not be found by its key.
        made += [Delivery(event_id, agent, state) for (event_id, agent), state in places.items()]
        made += [ended for key, ended in over.items() if key not in places]
        if self._flying(case):
            last = self.by_case[case][-1].event.id if case in self.by_case else ""
            _keep_flying(made, last)
        return tuple(made)

    def flying(self, case: str) -> bool:
        """Whether anything of it is on its way."""
        return self._flying(case)


def beside_the_log(
    told: Story, losses: Iterable[Loss], cells: Iterable[Cell], *, flying: bool
) -> list[Delivery]:
    """The deliveries of a case that stand in a log, and those of which it knows nothing. `flying`:
    some of these are on their way."""
    lost = {(event.id, agent): State(why) for agent, event, why in losses}
    made = [
        attrs.evolve(one, state=lost.pop((one.event_id, one.agent), one.state))
        for one in told.deliveries
    ]
    passive = {one.agent for one in told.interests if one.passive}
    made += [
        Delivery(event_id, agent, state, passive=agent in passive)
        for (event_id, agent), state in lost.items()
    ]
    if flying:
        known = {(one.event_id, one.agent) for one in made if not one.state.over}
        made += [
            Delivery(event.id, agent, state, passive=agent in passive)
            for cell in cells
            for event, agent, state in _at(cell)
            if case_of(event) == told.correlation_id and (event.id, agent) not in known
        ]
        _keep_flying(made, told.events[-1].event.id if told.events else "")
    return made


def _keep_flying(made: list[Delivery], last_event: str) -> None:
    """Something is on its way. If it moved while it was looked for, the last that came is as good a
    guess as any."""
    if any(not one.state.over and not one.passive for one in made):
        return
    last = max(range(len(made)), key=lambda place: (not made[place].passive, place), default=None)
    if last is None:
        made.append(Delivery(last_event, "", State.QUEUED))
    else:
        made[last] = attrs.evolve(made[last], state=State.QUEUED, passive=False)


def _at(cell: Cell) -> Iterator[tuple[Event, str, State]]:
    box, turn = cell.mailbox, cell.turn
    if not isinstance(box, Seat):  # the members of a group share the front's
        with box.lock:
            items = list(box.items or ())
        for item in items:
            if (event := event_of(item)) is not None:
                yield event, cell.agent, State.QUEUED
    in_hand = turn.event
    if in_hand is not None and not any(in_hand is one for one in turn.unreported):
        state = State.BACKING_OFF if cell.holds & BACKING_OFF else State.IN_HAND
        yield in_hand, cell.agent, state
    for feed, event in list(cell.outbox or ()):
        yield event, feed.cell.agent, State.PARKED
