"""What one run of one workload found out, and how it crosses the process boundary."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from attrs import field, frozen

from choreia.runtime.health.metrics import resident_bytes as resident_bytes

#: Further findings a sample may carry, in the order of their CSV columns.
EXTRAS: Final = (
    *("p50_us", "p99_us", "bytes_per_agent", "answer_seconds", "stop_seconds"),
    *("quiet_core_share", "heard_core_share"),
)


@frozen
class Sample:
    """`count` units of work took `seconds`, from the first send to the last one handled."""

    count: int
    seconds: float
    extras: Mapping[str, float] = field(factory=dict[str, float])

    @property
    def rate(self) -> float:
        """Units per second."""
        return self.count / self.seconds if self.seconds > 0 else 0.0

    def to_json(self) -> str:
        """One line, for the parent process to read."""
        return json.dumps(
            {"count": self.count, "seconds": self.seconds, "extras": dict(self.extras)}
        )

    @classmethod
    def from_json(cls, text: str) -> Sample:
        """The inverse of `to_json`; raises ``ValueError`` or ``KeyError`` for anything else."""
        raw = json.loads(text)
        extras = {str(name): float(value) for name, value in raw["extras"].items()}
        return cls(int(raw["count"]), float(raw["seconds"]), extras)


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """The median and the 99th percentile of some latencies, in microseconds."""
    ordered = sorted(seconds)
    last = len(ordered) - 1
    return {
        "p50_us": ordered[int(last * 0.50)] * 1e6,
        "p99_us": ordered[int(last * 0.99)] * 1e6,
    }
