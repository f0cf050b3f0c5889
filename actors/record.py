"""What a system keeps about one agent, beside its cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from choreia.actors.options import Options
    from choreia.actors.presence import Presence
    from choreia.actors.ref import AgentRef
    from choreia.runtime.delivery.bus import Target
    from choreia.runtime.delivery.clock import Timer
    from choreia.runtime.delivery.subscription import Subscription


class Record:
    """Slots, since there may be a million. `cell.owner` is one of these."""

    __slots__ = ("factory", "incarnation", "options", "presence", "ref", "subscriptions", "timers")

    def __init__(
        self,
        factory: Callable[[], object],
        options: Options,
        presence: Presence,
        ref: AgentRef[Any],
    ) -> None:
        self.factory = factory
        """Called again for a restart."""
        self.options = options
        self.presence = presence
        self.ref = ref
        self.incarnation = 1
        self.subscriptions: tuple[Subscription[Target], ...] = ()
        self.timers: dict[str, Timer] | None = None
