"""Where cases begin and end, and how much they hold, for a store that sees each event pass."""

from __future__ import annotations

from itertools import islice

import attrs

from choreia.runtime.events.recorded import Recorded
from choreia.runtime.stores.base import CaseSpan


class Spans:
    """Cases in the order in which they began."""

    def __init__(self) -> None:
        self._spans: dict[str, CaseSpan] = {}

    def add(self, recorded: Recorded) -> None:
        """The next event of the log."""
        if recorded.live:
            return
        case, position, at = recorded.case, recorded.position, recorded.at
        span = self._spans.get(case)
        if span is None:
            self._spans[case] = CaseSpan(case, position, position, 1, at, at)
        else:
            self._spans[case] = attrs.evolve(span, last=position, events=span.events + 1, ended=at)

    def newest(self, before: int | None, limit: int) -> list[CaseSpan]:
        """Those that began before a position, newest first."""
        found = (
            span for span in reversed(self._spans.values()) if before is None or span.first < before
        )
        return list(islice(found, min(limit, len(self._spans))))
