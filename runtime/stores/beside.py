"""What `MemoryStore` keeps beside its log: plain dicts, by agent."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import attrs

from choreia.runtime.errors import InvalidStore
from choreia.runtime.stores.refusals import same_interest
from choreia.runtime.stores.unit import (
    CancelTimer,
    CaseRecord,
    Change,
    Complete,
    Completed,
    Cursor,
    DropLetter,
    DropRecord,
    Forget,
    KeepAttempts,
    KeepInterest,
    KeepLetter,
    KeepRecord,
    KeepResult,
    KeepSnapshot,
    KeptInterest,
    Letter,
    Result,
    SetTimer,
    Snapshot,
)

Key = tuple[str, str]


class Beside:
    """See the module. Thread-safe as far as it is read; who changes it holds the lock."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._cursors: dict[str, Cursor] = {}
        self._completed: dict[str, set[int]] = {}
        self._snapshots: dict[str, Snapshot] = {}
        self._timers: dict[Key, SetTimer] = {}
        self._letters: dict[Key, Letter] = {}
        self._attempts: dict[Key, KeepAttempts] = {}
        self._results: dict[tuple[str, str, str], Result] = {}
        self._records: dict[str, dict[Key, CaseRecord]] = {}
        """By case, then by agent and name."""
        self._interests: dict[str, list[KeptInterest]] = {}
        """By agent, in order."""
        self._numbered = 0

    # -- changing it

    def _complete(self, complete: Complete) -> None:
        agent = complete.agent
        before = self._cursors[agent].position
        low = max(before, complete.low)
        self._cursors[agent] = Cursor(agent, complete.epoch, low)
        above = self._completed.setdefault(agent, set())
        above.update(position for position in complete.positions if position > low)
        if low > before:
            self._completed[agent] = {position for position in above if position > low}

    def _snapshot(self, kept: KeepSnapshot, position: int) -> None:
        self._snapshots[kept.source] = Snapshot(kept.source, position, kept.code, kept.state)

    def _forget_snapshots(self, sources: set[str]) -> None:
        """What was erased must not live on in them."""
        for source in sources:
            self._snapshots.pop(source, None)

    def _change(self, change: Change, head: int) -> None:  # one line for each kind
        match change:
            case SetTimer():
                self._timers[change.agent, change.key] = change
            case CancelTimer():
                self._timers.pop((change.agent, change.key), None)
            case KeepLetter(letter):
                key = (letter.agent, letter.event.id)
                earlier = self._letters.get(key)
                if earlier is None:
                    self._numbered += 1
                number = self._numbered if earlier is None else earlier.number
                self._letters[key] = attrs.evolve(letter, number=number)
            case DropLetter():
                self._letters.pop((change.agent, change.event_id), None)
            case KeepAttempts():
                self._attempts[change.agent, change.event_id] = change
            case KeepResult():
                result = Result(change.event_id, change.name, change.value)
                self._results[change.agent, change.event_id, change.name] = result
            case Forget():
                self._attempts.pop((change.agent, change.event_id), None)
                delivery = (change.agent, change.event_id)
                for kept in [kept for kept in self._results if kept[:2] == delivery]:
                    del self._results[kept]
            case KeepRecord(agent, case, name, value):
                self._records.setdefault(case, {})[agent, name] = CaseRecord(
                    agent, case, name, value, head
                )
            case DropRecord(agent, case, name):
                self._drop_record(agent, case, name)
            case KeepSnapshot() | KeepInterest():
                raise AssertionError("made where the unit's last position is known")

    def _drop_record(self, agent: str, case: str, name: str) -> None:
        kept = self._records.get(case, {})
        kept.pop((agent, name), None)
        if not kept:
            self._records.pop(case, None)

    def _interest(self, kept: KeptInterest) -> None:
        versions = self._interests.get(kept.agent, [])
        if versions and same_interest(versions[-1], kept):
            return
        versions = [one for one in versions if one.since < kept.since]
        changes = not same_interest(versions[-1], kept) if versions else bool(kept.value)
        self._interests[kept.agent] = [*versions, kept] if changes else versions

    def _end_interests(self, head: int) -> None:
        """Those that end with a run."""
        for agent, versions in self._interests.items():
            if versions and not versions[-1].durable:
                self._interest(KeptInterest(agent, head, b"", durable=False))

    def _take_beside(self, item: object) -> None:
        """One thing from an export. Raises `InvalidStore` for what is none."""
        match item:
            case Cursor():
                self._cursors[item.agent] = item
            case Completed(agent, position):
                self._completed.setdefault(agent, set()).add(position)
            case Snapshot():
                self._snapshots[item.source] = item
            case Letter():
                self._letters[item.agent, item.event.id] = item
                self._numbered = max(self._numbered, item.number)
            case (str() as agent, Result() as result):
                self._results[agent, result.event_id, result.name] = result
            case CaseRecord(agent, case, name):
                self._records.setdefault(case, {})[agent, name] = item
            case KeptInterest():
                self._interests.setdefault(item.agent, []).append(item)
            case SetTimer() | KeepAttempts():
                self._change(item, 0)
            case _:
                raise InvalidStore(f"{item!r} is nothing that a store holds")

    # -- reading what is kept beside it

    def cursors(self) -> list[Cursor]:
        with self._lock:
            return sorted(self._cursors.values(), key=lambda cursor: cursor.agent)

    def completed(self, agent: str | None = None) -> list[Completed]:
        with self._lock:
            found = [
                Completed(name, position)
                for name, positions in self._completed.items()
                if agent in (None, name)
                for position in positions
            ]
        return sorted(found, key=attrs.astuple)

    def snapshot(self, source: str) -> Snapshot | None:
        return self._snapshots.get(source)

    def snapshots(self) -> Iterator[Snapshot]:
        with self._lock:
            found = list(self._snapshots.values())
        return iter(sorted(found, key=lambda one: one.source))

    def timers(self, agent: str | None = None) -> list[SetTimer]:
        with self._lock:
            found = [t for t in self._timers.values() if agent is None or t.agent == agent]
        return sorted(found, key=lambda timer: (timer.due, timer.agent, timer.key))

    def letters(self, agent: str | None = None) -> list[Letter]:
        with self._lock:
            found = [one for one in self._letters.values() if agent in (None, one.agent)]
        return sorted(found, key=lambda letter: letter.number)

    def attempts(self, agent: str) -> list[KeepAttempts]:
        with self._lock:
            found = [one for one in self._attempts.values() if one.agent == agent]
        return sorted(found, key=attrs.astuple)

    def results(self, agent: str) -> list[Result]:
        with self._lock:
            found = [result for key, result in self._results.items() if key[0] == agent]
        return sorted(found, key=attrs.astuple)

    def records(
        self, correlation_id: str | None = None, agent: str | None = None
    ) -> Iterator[CaseRecord]:
        with self._lock:
            if correlation_id is None:
                cases = list(self._records.values())
            else:
                cases = [self._records.get(correlation_id, {})]
            found = [one for case in cases for one in case.values() if agent in (None, one.agent)]
        return iter(sorted(found, key=attrs.astuple))

    def interests(self) -> list[KeptInterest]:
        with self._lock:
            found = [one for versions in self._interests.values() for one in versions]
        return sorted(found, key=lambda one: (one.since, one.agent))

    def unfinished(self) -> set[str]:
        with self._lock:
            waiting = {key[0] for key, letter in self._letters.items() if letter.waiting}
            kept = (*self._timers, *self._attempts, *self._results)
            return waiting | {key[0] for key in kept}
