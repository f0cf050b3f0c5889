"""What an agent's deliveries have done so far, beyond a restart: failed attempts, crashes, and the
results of `once`. Kept until the event is done with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import orjson

from choreia.runtime.delivery.progress import Progress
from choreia.runtime.errors import InvalidPayload
from choreia.runtime.events.payload import freeze, thaw
from choreia.runtime.stores.unit import KeepAttempts, KeepResult

if TYPE_CHECKING:
    from choreia.runtime.stores.base import EventStore


class Memories:
    """Of one agent."""

    __slots__ = ("_agent", "_attempts", "_results")

    def __init__(self, agent: str) -> None:
        self._agent = agent
        # Made when needed: most agents never fail.
        self._attempts: dict[str, KeepAttempts] | None = None
        self._results: dict[str, dict[str, bytes]] | None = None

    def load(self, store: EventStore, in_hand: frozenset[tuple[str, str]] | None) -> None:
        """Remember what an earlier run has written. `in_hand`: what its handlers had in hand when
        it was killed, if that is known."""
        attempts = store.attempts(self._agent)
        if attempts:
            self._attempts = {one.event_id: _judged(one, in_hand) for one in attempts}
        for result in store.results(self._agent):
            self._keep(result.event_id, result.name, result.value)

    def any(self) -> bool:
        """Whether anything is kept at all."""
        return bool(self._attempts or self._results)

    def known(self, event_id: str) -> bool:
        """Whether anything is kept about the event."""
        return (self._attempts is not None and event_id in self._attempts) or (
            self._results is not None and event_id in self._results
        )

    def failed(self, event_id: str) -> int:
        """Attempts at it that raised."""
        kept = None if self._attempts is None else self._attempts.get(event_id)
        return 0 if kept is None else kept.failed

    def crashes(self, event_id: str) -> int:
        """Times the process may have died of it."""
        kept = None if self._attempts is None else self._attempts.get(event_id)
        return 0 if kept is None else kept.crashes

    def tried(self, event_id: str, failed: int, crashes: int) -> KeepAttempts:
        """So often it was tried: what is to be written."""
        if self._attempts is None:
            self._attempts = {}
        kept = KeepAttempts(self._agent, event_id, failed, crashes)
        self._attempts[event_id] = kept
        return kept

    def start_over(self, event_id: str) -> KeepAttempts | None:
        """A redelivery of the event will be counted anew: what is to be written, if anything."""
        if self._attempts is None or self._attempts.pop(event_id, None) is None:
            return None
        return KeepAttempts(self._agent, event_id, 0, 0)

    def forget(self, event_id: str) -> bool:
        """The event is done with: whether anything was kept about it."""
        attempts = self._attempts is not None and self._attempts.pop(event_id, None) is not None
        results = self._results is not None and self._results.pop(event_id, None) is not None
        return attempts or results

    def progress(self, event_id: str) -> Progress | None:
        """With the results that were kept; None when there are none."""
        kept = None if self._results is None else self._results.get(event_id)
        if not kept:
            return None
        progress = Progress()
        progress.once.update({name: value_of(body) for name, body in kept.items()})
        return progress

    def result(self, event_id: str, name: str, value: object) -> KeepResult:
        """A call returned `value`: what is to be written. Raises `InvalidPayload` when it is not
        JSON, and so could not be read again."""
        try:
            body = orjson.dumps(freeze({"value": value}))
        except InvalidPayload as error:
            raise InvalidPayload(
                f"once({name!r}) returned what no store can keep: {error}. Return JSON values",
                path=error.path,
            ) from None
        self._keep(event_id, name, body)
        return KeepResult(self._agent, event_id, name, body)

    def _keep(self, event_id: str, name: str, body: bytes) -> None:
        if self._results is None:
            self._results = {}
        self._results.setdefault(event_id, {})[name] = body


def _judged(kept: KeepAttempts, in_hand: frozenset[tuple[str, str]] | None) -> KeepAttempts:
    """The last attempt was recorded before it began: if its handler was not in it when the process
    died, it was not the cause."""
    guilty = in_hand is None or (kept.agent, kept.event_id) in in_hand
    return kept if guilty or not kept.crashes else attrs.evolve(kept, crashes=kept.crashes - 1)


def value_of(body: bytes) -> Any:
    """What a call returned."""
    return thaw(orjson.loads(body))["value"]
