"""A declared choreography, as plain data: who hears what, who says what, and where that is written.

A `Choreography` is a value. It is read off classes and systems by `actors.choreography`; here it is
only looked at: `links` finds who says what to whom, `checks` finds what is wrong with it, and
`maps` shows it.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

Schema = Mapping[str, object]
"""A JSON Schema (draft 7), as data."""


@attrs.frozen
class Place:
    """Where something is written."""

    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.file else "somewhere"


NOWHERE = Place()
UNDOING = "compensation"
"""What turns a case back that has failed: the kind of a `Mark`."""


@attrs.frozen
class Payload:
    """What a payload holds, as a class of ``@event_type`` says, or a literal in the source."""

    version: str
    """Of the event type."""
    schema: Schema = attrs.field(eq=False)
    name: str = ""
    """The class's; "" for a literal."""


@attrs.frozen
class Ask:
    """One thing that a handler is for: types that a pattern selects, and a filter lets through."""

    pattern: str
    filter: Mapping[str, object] | None = attrs.field(default=None, eq=False)
    payload: Payload | None = None
    """What the handler requires, if it takes an instance."""
    max_hops: int | None = None
    """How long the chain of causes of an event may be."""


@attrs.frozen
class Saying:
    """One type that is emitted, or a pattern where part of it is only known later."""

    type: str
    place: Place = NOWHERE
    timer: bool = False
    """Said by `after` or `at`."""
    payload: Payload | None = None
    """What is known of what it holds."""


@attrs.frozen
class Mark:
    """What a handler declares as a step of a saga, or as a join."""

    kind: str
    """``step``, ``pivot``, ``join`` or ``compensation``."""
    fails: str | None = None
    """The type that says that it has failed."""
    compensate: str | None = None
    """The method that undoes it."""
    compensated: bool = True
    """Whether there is a method of that name."""
    waits: bool = False
    """Whether it waits for several events."""
    awaits: tuple[str, ...] = ()
    bounded: bool = False
    """Whether that wait ends: `within` or `deadline`."""


@attrs.frozen
class Reaction:
    """A method of an agent that is called with events, or begins by itself."""

    name: str
    asks: tuple[Ask, ...] = ()
    says: tuple[Saying, ...] = ()
    place: Place = NOWHERE
    open: bool = False
    """Whether it may say more than its source shows."""
    mark: Mark | None = None
    begins: bool = False
    """Whether it begins without an event: by a schedule, when the agent starts, or because somebody
    calls it from outside."""
    awaits: tuple[str, ...] = ()
    """What its case waits for from outside when it has returned."""


@attrs.frozen
class Player:
    """One agent, or a function that subscribes (`kind`)."""

    name: str
    cls: str = ""
    place: Place = NOWHERE
    kind: str = "agent"
    """``agent`` or ``subscription``."""
    passive: bool = False
    """It only looks on."""
    reactions: tuple[Reaction, ...] = ()
    emits: tuple[str, ...] | None = None
    """Declared; None: anything."""
    unheard: tuple[Saying, ...] = ()
    """What stands in methods that nothing calls."""
    refused: tuple[Saying, ...] = ()
    """What stands in its source and is no event type."""
    terminal: tuple[str, ...] = ()
    external: tuple[str, ...] = ()
    keeps: tuple[str, ...] = ()
    """What it says to itself: its state is a fold of these."""
    key: str | None = None
    group: bool = False
    capabilities: tuple[str, ...] = ()
    exclusive: tuple[str, ...] = ()

    @property
    def open(self) -> bool:
        """Whether it may say more than its source shows."""
        return any(reaction.open for reaction in self.reactions)


@attrs.frozen
class Choreography:
    """All who take part."""

    name: str
    players: tuple[Player, ...]
    payloads: Mapping[str, Payload] = attrs.field(factory=dict[str, Payload], eq=False)
    """By event type: the newest class that is declared for it."""
    lifts: Mapping[tuple[str, str], str] = attrs.field(factory=dict[tuple[str, str], str], eq=False)
    """By type and version: the version that upcasters lift it to, where there are any."""
    runtime: tuple[str, ...] = ()
    """Types that the runtime itself announces."""

    def player(self, name: str) -> Player | None:
        return next((player for player in self.players if player.name == name), None)
