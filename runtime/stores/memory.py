"""`MemoryStore`: the contract over plain lists and dicts. Lives and dies with the process.

For tests, and the plainest reading of what a store does. Several systems may use one after the
other, as they would a file.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence

import attrs
import orjson

from choreia.runtime.errors import ChoreiaError, InvalidStore, StoreLocked
from choreia.runtime.events.event import Event
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.stores.base import (
    EVERYTHING,
    CaseSpan,
    Contents,
    Erasure,
    Fault,
    Info,
    Opened,
    Selection,
    Verdict,
    When,
)
from choreia.runtime.stores.beside import Beside, Key
from choreia.runtime.stores.chain import ORIGIN, digest_of, link
from choreia.runtime.stores.refusals import (
    begins_at,
    blank,
    blanked,
    check_next,
    check_restored,
    duplicate,
    erasure,
    interest_of,
    not_set,
    same_body,
    stale,
    stale_family,
)
from choreia.runtime.stores.selecting import (
    check_cases,
    events_of,
    matcher,
    reading,
    selection_of,
)
from choreia.runtime.stores.spans import Spans
from choreia.runtime.stores.unit import (
    Committed,
    Cursor,
    KeepInterest,
    KeepSnapshot,
    Outcome,
    Seated,
    Unit,
)


class MemoryStore(Beside):
    """Implements `EventStore`."""

    durability = "none"

    def __init__(self) -> None:
        super().__init__()
        self._log: list[Recorded] = []
        self._times: list[float] = []
        self._places: dict[str, int] = {}
        self._links: list[bytes] = [ORIGIN]
        self._digests: list[bytes] = []
        self._spans = Spans()
        self._erasures: list[Erasure] = []
        self._erased: set[str] = set()
        """Sources whose agents may still know what was erased, in this run."""
        self._running = False
        self._clean = True
        self._in_hand: frozenset[Key] = frozenset()

    # -- a run

    def open_run(self, now: float) -> Opened:
        with self._lock:
            if self._running:
                raise StoreLocked("another system works with this MemoryStore: stop it first")
            opened = Opened(self._clean, len(self._log), self._in_hand)
            self._in_hand = frozenset()
            self._running, self._clean = True, False
            self._erased.clear()
            self._end_interests(len(self._log))
            return opened

    def close_run(self) -> None:
        with self._lock:
            self._running, self._clean = False, True

    def crash(self) -> None:
        """The process has died, as far as this store can tell: its run did not end in order."""
        with self._lock:
            self._running = False

    def in_hand(self, deliveries: frozenset[tuple[str, str]]) -> None:
        self._in_hand = deliveries

    def close(self) -> None:
        """Nothing: what is in memory stays for the next system."""

    # -- writing

    def commit(self, units: Sequence[Unit], now: float) -> list[Outcome]:
        with self._lock:
            return [self._happen(unit, now) for unit in units]

    def _happen(self, unit: Unit, now: float) -> Outcome:
        """Checked first, applied then: nothing in the second half can fail."""
        error = self._refusal(unit)
        if error is not None:
            return error
        fresh: list[tuple[Event, bytes]] = []
        stand: list[str] = []
        added: dict[str, Event] = {}
        conflicts: list[Event] = []
        for event, body in zip(unit.events, unit.bodies, strict=True):
            earlier = self._standing(event.id) or added.get(event.id)
            if earlier is None:
                fresh.append((event, body))
                added[event.id] = event
            elif not self._says_the_same(earlier, event, body):
                if unit.strict:
                    return duplicate(earlier, event)
                conflicts.append(event)
                continue
            stand.append(event.id)
        before = len(self._log)
        for event, body in fresh:
            self._append(event, body, unit.flags, now)
        recorded = tuple(self._log[self._places[id] - 1] for id in dict.fromkeys(stand))
        repeated = frozenset(one.position for one in recorded if one.position <= before)
        seated = self._move(unit)
        if unit.fires is not None:
            del self._timers[unit.fires.agent, unit.fires.key]
        for change in unit.changes:
            match change:
                case KeepSnapshot():
                    if not conflicts and not repeated and change.source not in self._erased:
                        self._snapshot(change, len(self._log))
                case KeepInterest():
                    self._interest(interest_of(change, unit, seated, len(self._log)))
                case _:
                    self._change(change, len(self._log))
        return Committed(recorded, repeated, tuple(conflicts), seated)

    def _says_the_same(self, earlier: Event, event: Event, body: bytes) -> bool:
        place = self._places.get(event.id)
        if place is not None and self._log[place - 1].erased:
            return earlier.type == event.type and self._digests[place - 1] == digest_of(body)
        return same_body(earlier, event)

    def _refusal(self, unit: Unit) -> ChoreiaError | None:
        move, fires = unit.move, unit.fires
        if move is not None:
            stands = self._cursors.get(move.agent)
            if stands is None or (stands.epoch, stands.position) != (move.epoch, move.before):
                return stale(move.agent)
        if unit.complete is not None:
            cursor = self._cursors.get(unit.complete.agent)
            stands_at = None if cursor is None else (cursor.epoch, cursor.position)
            fault = stale_family(unit.complete, stands_at)
            if fault is not None:
                return fault
        if fires is not None:
            timer = self._timers.get((fires.agent, fires.key))
            if timer is None or timer.event.id != fires.event.id:
                return not_set(fires)
        return None

    def _standing(self, id: str) -> Event | None:
        place = self._places.get(id)
        return None if place is None else self._log[place - 1].event

    def _append(self, event: Event, body: bytes, flags: int, now: float) -> None:
        position = len(self._log) + 1
        at = max(now, self._times[-1]) if self._times else now
        digest = digest_of(body)
        self._log.append(Recorded(position, event, at, flags))
        self._spans.add(self._log[-1])
        self._times.append(at)
        self._places[event.id] = position
        self._digests.append(digest)
        self._links.append(link(self._links[-1], position, at, flags, event, digest))

    def _move(self, unit: Unit) -> Seated | None:
        move, seat = unit.move, unit.seat
        if move is not None:
            self._cursors[move.agent] = Cursor(move.agent, move.epoch, move.after)
        if unit.complete is not None:
            self._complete(unit.complete)
        if seat is None:
            return None
        stands = self._cursors.get(seat.agent)
        created = stands is None
        if stands is None:
            stands = Cursor(seat.agent, 0, begins_at(seat.start, len(self._log)))
        cursor = attrs.evolve(stands, epoch=stands.epoch + 1)
        self._cursors[seat.agent] = cursor
        return Seated(cursor.epoch, cursor.position, created)

    def erase(
        self,
        *,
        correlation_id: str | None = None,
        subject: str | None = None,
        reason: str,
        now: float,
    ) -> int:
        wanted = erasure(correlation_id, subject, reason)
        with self._lock:
            hit = [one for one in self._log if not one.erased and wanted(one.event)]
            for one in hit:
                self._log[one.position - 1] = blanked(one)
            for key, timer in self._timers.items():
                if wanted(timer.event):
                    self._timers[key] = attrs.evolve(timer, event=blank(timer.event))
            for key, letter in list(self._letters.items()):
                if wanted(letter.event):
                    self._letters[key] = attrs.evolve(
                        letter, event=blank(letter.event), error="", traceback=""
                    )
            self._erased |= {one.event.source for one in hit}
            self._forget_snapshots(self._erased)
            gone = {one.event.id for one in hit}
            for kept in [kept for kept in self._results if kept[1] in gone]:
                del self._results[kept]
            what = f"case {correlation_id}" if subject is None else f"subject {subject}"
            self._erasures.append(Erasure(now, what, reason, len(hit)))
            return len(hit)

    def compact(self) -> int:
        return 0

    # -- reading the log

    @property
    def head(self) -> int:
        return len(self._log)

    def page(self, after: int, limit: int, selection: Selection = EVERYTHING) -> list[Recorded]:
        found: list[Recorded] = []
        matches = matcher(selection)
        with self._lock:
            for place in range(after, len(self._log)):
                if len(found) >= limit:
                    break
                if matches(self._log[place]):
                    found.append(self._log[place])
        return found

    def read(
        self,
        after: int = 0,
        limit: int | None = None,
        *,
        pattern: str | Sequence[str] = "#",
        source: str | None = None,
        correlation_id: str | None = None,
        up_to: int | None = None,
    ) -> Iterator[Recorded]:
        selection = selection_of(pattern, source, correlation_id)
        return reading(self.page, after, limit, selection, up_to)

    def find(self, id: str) -> Recorded | None:
        with self._lock:
            place = self._places.get(id)
            return None if place is None else self._log[place - 1]

    def position_at(self, time: float) -> int:
        with self._lock:
            return bisect_right(self._times, time)

    def get_events(
        self, agent_id: str, up_to: When | None = None, *, after: int = 0
    ) -> Iterator[Event]:
        return events_of(self, agent_id, up_to, after)

    def cases(self, *, before: int | None = None, limit: int = 100) -> list[CaseSpan]:
        check_cases(before, limit)
        with self._lock:
            return self._spans.newest(before, limit)

    def last_of_types(self) -> dict[str, int]:
        with self._lock:
            return {recorded.event.type: recorded.position for recorded in self._log}

    def erasures(self) -> list[Erasure]:
        with self._lock:
            return list(self._erasures)

    def history(self) -> Iterator[tuple[Recorded, bytes | None]]:
        for place in range(len(self._log)):
            recorded = self._log[place]
            yield recorded, self._digests[place] if recorded.erased else None

    def restore(self, contents: Contents, expected: Callable[[], tuple[int, str]]) -> int:
        filled = MemoryStore()
        for item in contents:
            filled._take(item)
        check_restored(len(filled._log), filled._links[-1], expected())
        with self._lock:
            if self._log:
                raise InvalidStore("only an empty store can be restored")
            kept = ("_lock", "_running", "_clean", "_in_hand")
            self.__dict__.update({k: v for k, v in filled.__dict__.items() if k not in kept})
        return len(self._log)

    def _take(self, item: object) -> None:
        match item:
            case (Recorded() as recorded, (None | bytes()) as digest):
                check_next(recorded, len(self._log))
                body = orjson.dumps(recorded.event.payload)
                self._append(recorded.event, body, recorded.flags, recorded.at)
                if digest is not None:
                    self._digests[-1] = digest
                self._links[-1] = link(
                    self._links[-2], recorded.position, recorded.at, recorded.flags,
                    recorded.event, self._digests[-1],
                )  # fmt: skip
            case Erasure():
                self._erasures.append(item)
            case _:
                self._take_beside(item)

    def info(self) -> Info:
        with self._lock:
            return Info(
                kind="memory", where="this process", events=len(self._log), head=len(self._log),
                chain=self._links[-1].hex(), agents=len(self._cursors), timers=len(self._timers),
                dead_letters=len(self._letters), erasures=len(self._erasures), bytes=0,
                clean=self._clean or self._running, durability=self.durability,
            )  # fmt: skip

    def verify(self) -> Verdict:
        with self._lock:
            faults: list[Fault] = []
            for place, one in enumerate(self._log):
                digest = self._digests[place]
                body = orjson.dumps(one.event.payload)
                made = link(self._links[place], one.position, one.at, one.flags, one.event, digest)
                whole = one.erased or digest_of(body) == digest
                if not whole or made != self._links[place + 1]:
                    faults.append(Fault(one.position, "it is not what was recorded there"))
            head = len(self._log)
            return Verdict(head, head, self._links[-1].hex(), tuple(faults))
