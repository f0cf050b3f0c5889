"""`EventSourcedAgent`: an agent whose state is what it has said, added up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

from choreia.actors.agent import Agent, cell_of
from choreia.actors.folding import Applier, StateFold, state_class_of
from choreia.actors.snapshots import Snapshots
from choreia.runtime.errors import InvalidAgent

if TYPE_CHECKING:
    from choreia.runtime.delivery.cell import Cell

S = TypeVar("S")


class EventSourcedAgent(Agent, Generic[S]):
    """Derive from ``EventSourcedAgent[State]``, where `State` is a frozen class whose methods are
    marked with `@applies`.

    `self.state` changes by `self.emit` alone: each emission is applied at once, and taken back with
    all the others when the handler raises. With a store the state is there again after a restart,
    whatever ended the process: it is folded anew from what the agent has said. Without one it
    begins anew with each instance. (Fowler 2005, "Event Sourcing".)

    Every `snapshot_every` events the state is kept as a whole, so that beginning takes no longer
    for an agent that has said much; None: never. A changed state class ignores what an older one
    has left, and so does another `snapshot_version`: change it when something that the class calls
    has changed.
    """

    __slots__ = ()

    snapshot_every: ClassVar[int | None] = 100
    snapshot_version: ClassVar[str] = ""

    _choreia_applier: ClassVar[Applier | None] = None
    _choreia_snapshots: ClassVar[Snapshots | None] = None

    def __init_subclass__(cls, **keywords: object) -> None:
        super().__init_subclass__(**keywords)
        state = state_class_of(cls, EventSourcedAgent)
        if state is None:
            return  # a base for others, with the brackets still to be filled
        applier = cls._choreia_applier = Applier(state)
        applier.initial()
        cls._choreia_snapshots = _snapshots(cls, state)
        declared = cls._choreia_declaration.patterns
        if declared is not None:
            for pattern in applier.patterns:
                if pattern.exact and not any(one.matches(pattern.pattern) for one in declared):
                    raise InvalidAgent(
                        f"{state.__name__} applies {pattern.pattern!r}, which {cls.__name__} does "
                        "not emit: a state is made of its own agent's events; add it to emits, or "
                        "handle it with @on and emit what follows"
                    )

    @classmethod
    def initial_state(cls) -> S:
        """The state before anything has happened."""
        assert cls._choreia_applier is not None
        return cast("S", cls._choreia_applier.initial())

    @property
    def state(self) -> S:
        """The state, with what the handler has emitted so far. It cannot be set: emit."""
        cell: Cell = cell_of(self, "state")
        fold = cell.turn.fold
        if not isinstance(fold, StateFold) or cell.turn.agent is not self:
            raise InvalidAgent(f"{type(self).__name__}.state: it has none before it is spawned")
        return cast("S", fold.state)


def _snapshots(cls: type[EventSourcedAgent[Any]], state: type) -> Snapshots:
    every, version = cls.snapshot_every, cls.snapshot_version
    if every is not None and (type(every) is not int or every < 1):
        raise InvalidAgent(
            f"{cls.__name__}.snapshot_every = {every!r}: give a whole number of events, 1 or more, "
            "or None"
        )
    if not isinstance(version, str):
        raise InvalidAgent(f"{cls.__name__}.snapshot_version = {version!r}: give a text")
    return Snapshots(state, every, version)


def fold_for(agent: Agent) -> StateFold | None:
    """The state of a new instance; None for agents that have none. Raises `InvalidAgent`."""
    if not isinstance(agent, EventSourcedAgent):
        return None
    applier, snapshots = agent._choreia_applier, agent._choreia_snapshots
    if applier is None or snapshots is None:
        raise InvalidAgent(
            f"{type(agent).__name__} has no state class: derive from EventSourcedAgent[State]"
        )
    return StateFold(applier, snapshots)
