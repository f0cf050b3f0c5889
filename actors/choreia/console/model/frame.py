"""One snapshot, with its agents by name."""

from __future__ import annotations

from functools import cached_property

from choreia.runtime.inspection.reading import (
    Fields,
    amount_of,
    count_of,
    part_of,
    rows_of,
    text_of,
)


class Frame:
    """What a system said of itself at one moment."""

    def __init__(self, said: Fields) -> None:
        self.said = said
        self.at = amount_of(said, "at")
        """Real monotonic seconds of the watched system: rates are over differences of it."""
        self.time = amount_of(said, "time")
        self.system = part_of(said, "system")
        self._pressures: dict[str, float] = {}

    @cached_property
    def agents(self) -> dict[str, Fields]:
        """The rows of the agents, by name."""
        return {text_of(one, "name"): one for one in rows_of(self.said, "agents")}

    @cached_property
    def suspected(self) -> int:
        """How many agents are suspected, of those that are shown."""
        return sum(bool(text_of(one, "suspected")) for one in self.agents.values())

    def has(self, part: str) -> bool:
        """Whether this part was asked for when the frame was made."""
        return part in self.said

    def pressure(self, name: str) -> float | None:
        """How full the mailbox of an agent was; None: there was no such agent."""
        if name not in self._pressures:  # twenty frames are drawn from, four times a second
            row = self.agents.get(name)
            if row is None:
                return None
            self._pressures[name] = pressure(row)
        return self._pressures[name]


def pressure(row: Fields) -> float:
    """How full a mailbox is, 0 to 1. One without bounds counts as one of a thousand."""
    size, capacity = count_of(row, "size"), count_of(row, "capacity")
    return min(1.0, size / (capacity or 1000))
