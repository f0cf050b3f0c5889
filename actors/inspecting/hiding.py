"""What stands in payloads: hidden from whoever has not asked for it, masked where it is secret."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from choreia.runtime.events.display import redact
from choreia.runtime.events.recorded import HIDDEN, Recorded
from choreia.runtime.insight.explain import Answer, Explanation, Fault, Miss
from choreia.runtime.insight.masking import masked
from choreia.runtime.insight.story import Story

NOT_SHOWN = "(hidden)"


@attrs.frozen
class Veil:
    """What one who looks may see."""

    redacted: Sequence[str]
    payloads: bool

    def story(self, story: Story) -> Story:
        """The same, with payloads as they may be seen. Not to ask filters about."""
        return attrs.evolve(story, events=tuple(map(self._recorded, story.events)))

    def explanation(self, told: Explanation) -> Explanation:
        """The same; what was decided stays as it was decided."""
        answers = tuple(map(self._answer, told.answers))
        return Explanation(self._recorded(told.recorded), answers, told.nearest)

    def _recorded(self, one: Recorded) -> Recorded:
        payload = redact(one.event.payload, self.redacted) if self.payloads else {}
        flags = one.flags if self.payloads else one.flags | HIDDEN
        return attrs.evolve(one, event=one.event.evolve(payload=payload), flags=flags)

    def _answer(self, one: Answer) -> Answer:
        return attrs.evolve(one, misses=tuple(map(self._miss, one.misses)))

    def _miss(self, one: Miss) -> Miss:
        return one if one.fault is None else attrs.evolve(one, fault=self._fault(one.fault))

    def _fault(self, one: Fault) -> Fault:
        if not one.path.startswith("payload"):
            return one
        if not self.payloads:
            return attrs.evolve(one, found=(NOT_SHOWN,) if one.found else ())
        found = tuple(masked(one.path, value, self.redacted) for value in one.found)
        return attrs.evolve(one, found=found)
