"""What a system keeps about one agent, beside its cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from choreia.runtime.health.restart import Intensity

if TYPE_CHECKING:
    from choreia.actors.families import Family
    from choreia.actors.options import Options
    from choreia.actors.presence import Presence
    from choreia.actors.ref import AgentRef
    from choreia.actors.timers import Armed
    from choreia.runtime.delivery.bus import Target
    from choreia.runtime.delivery.subscription import Subscription
    from choreia.runtime.events.event import Event
    from choreia.runtime.health.watch import Watch


class Record:
    """Slots, since there may be a million. `cell.owner` is one of these."""

    __slots__ = (
        "factory",
        "family",
        "incarnation",
        "intensity",
        "key",
        "options",
        "presence",
        "ref",
        "renewing",
        "since",
        "stopping",
        "subscriptions",
        "timers",
        "used",
        "watch",
        "woken",
    )

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
        self.since: Event | None = None
        """The last event before it subscribed, as far as it is remembered."""
        self.incarnation = 1
        self.renewing = False
        """Whether it is to be replaced as soon as it has a turn."""
        self.stopping = False
        """Whether it was asked to stop, and is at it."""
        self.intensity = None if options.restart is None else Intensity(options.restart)
        """Counts its failures and restarts, if there is a limit to them."""
        self.watch: Watch | None = None
        """How it is being watched over."""
        self.subscriptions: tuple[Subscription[Target], ...] = ()
        self.timers: dict[str, Armed] | None = None
        self.family: Family | None = None
        """Of which it is the front, or a member."""
        self.key: str | None = None
        self.woken = 0.0
        """When a member of a family was woken (monotonic seconds)."""
        self.used = 0.0
        """When something was last meant for it (monotonic seconds), if it may be put to sleep."""
