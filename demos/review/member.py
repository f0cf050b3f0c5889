"""What all members of the guild have in common: they know each other by what they can do."""

from __future__ import annotations

from choreia import Agent, Event, RetryAfter, on

JOIN_SECONDS = 1.0
"""How long to wait, twice, for somebody with a capability that nobody has had yet."""

UNBUSY = 1_000_000
"""A capacity that is never used up.

`find` leaves out who has no capacity left. In a guild the busy must be asked too: a bidder
says by its price how busy it is, and a debate that left out whoever is busy would end
differently from day to day.
"""


class Member(Agent):
    """An agent that asks others by capability, and hears when one of them is gone for good."""

    capacity = UNBUSY

    def __init__(self) -> None:
        super().__init__()
        self.gone: set[str] = set()
        self._known: dict[str, tuple[str, ...]] = {}

    def members(self, capability: str) -> tuple[str, ...]:
        """The names of those who have `capability`: now, or when there last were any.

        Raises `RetryAfter` while there has never been one; when nobody comes in time, the event
        in hand becomes a dead letter that says so.
        """
        online = tuple(sorted(agent.name for agent in self.find(capability)))
        if online:
            self._known[capability] = online
        if capability not in self._known:
            raise RetryAfter(JOIN_SECONDS, f"nobody offers {capability}")
        return self._known[capability]

    @on("agent.stopped")
    def lose(self, event: Event) -> None:
        self.gone.add(event.payload["agent"])
        self.carry_on()

    def carry_on(self) -> None:
        """Somebody is gone: look again at whatever waited for it. For subclasses that wait."""
