"""`system.subscribe`: a function as a small agent, with its own mailbox and turns."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from choreia.actors.agent import Agent
from choreia.actors.handlers import Topic
from choreia.runtime.delivery.steps import NOTHING, PLANS, Kind, Plan, Step

if TYPE_CHECKING:
    from choreia.actors.ref import AgentRef


class Subscriber(Agent):
    """Calls a function with each event, in its own turns, never on the publisher's thread."""

    def __init__(self, planner: FunctionPlanner, *, passive: bool = False) -> None:
        self.planner = planner  # first: both are asked for when the agent gets its place
        self.passive = passive  # type: ignore[misc]  # of each, not of the class
        super().__init__()


class FunctionPlanner:
    """The one step of a `Subscriber`; the function may return anything."""

    def __init__(self, function: Callable[..., object], topic: Topic) -> None:
        name = str(getattr(function, "__name__", type(function).__name__))

        def call(_: object, argument: object) -> object:
            return function(argument)

        call.__name__ = name  # what `inspect` shows
        step = Step(
            name,
            call,
            Kind.of(function),
            topic.filter,
            topic.payload_class,
            may_return=True,
        )
        self.name = name
        self.function = function
        self.topic = topic
        self._pattern = topic.pattern(None)
        self._plan = Plan((step,))
        self.known: dict[str, Plan] = {}

    def plan(self, type: str) -> Plan:
        plan = self._plan if self._pattern.matches(type) else NOTHING
        if len(self.known) >= PLANS:
            self.known.clear()
        self.known[type] = plan
        return plan


class Subscription:
    """What `subscribe` returns: `cancel()` it to hear no more."""

    def __init__(self, ref: AgentRef[Any], unsubscribe: Callable[[], object]) -> None:
        self._ref = ref
        self._unsubscribe = unsubscribe

    @property
    def name(self) -> str:
        return self._ref.name

    @property
    def ref(self) -> AgentRef[Any]:
        return self._ref

    def cancel(self) -> None:
        """Hear of nothing published from now on; what is in the mailbox is still handled."""
        self._unsubscribe()
        if self._ref.is_alive():
            self._ref.stop(block=False)

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *_: object) -> None:
        self.cancel()
