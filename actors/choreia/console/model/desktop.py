"""Which screen is seen: one of the views, or what was opened on top of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from choreia.console.model.moment import Moment
from choreia.console.model.stage import Stage
from choreia.console.model.view import View
from choreia.console.model.views.agentdetail import AgentDetail
from choreia.console.model.views.agents import Agents
from choreia.console.model.views.cases import Cases
from choreia.console.model.views.events import Events
from choreia.console.model.views.explanation import Explanation
from choreia.console.model.views.flows import Flows
from choreia.console.model.views.health import Health
from choreia.console.model.views.presence import Presence
from choreia.console.model.views.trace import Trace


class Desktop:
    """The views, and what is open. `moment` tells what is shown now."""

    def __init__(self, stage: Stage, moment: Callable[[], Moment | None]) -> None:
        self._stage = stage
        self._moment = moment
        self.events = Events(stage, self.trace)
        self.views: Sequence[View] = (
            Agents(stage, self.agent),
            Flows(stage, self._topic),
            self.events,
            Cases(stage, self.trace),
            Presence(stage, self.agent),
            Health(stage, self.open),
        )
        self._current = 0

    @property
    def screen(self) -> View:
        """What is seen."""
        return self._stage.screens[-1] if self._stage.screens else self.views[self._current]

    @property
    def everything(self) -> Iterator[View]:
        yield from self.views
        yield from self._stage.screens

    def tabs(self) -> tuple[list[str], int, list[str]]:
        """The titles of the views, which one is seen, and what is open in it."""
        opened = [screen.title for screen in self._stage.screens]
        return [view.title for view in self.views], self._current, opened

    def refresh(self) -> None:
        """Another frame is shown."""
        moment = self._moment()
        if moment is not None:
            self.screen.show(moment)

    def reload(self) -> None:
        """What is asked for is another thing now."""
        self.screen.reload()
        if self._stage.screens:
            self.views[self._current].reload()

    # -- going about ------------------------------------------------------------------------------

    def switch(self, index: int) -> None:
        """See another view."""
        while self._stage.screens:
            self._stage.screens.pop().left()
        if index != self._current:
            self.views[self._current].left()
            self._current = index
            self.refresh()
            self.screen.opened()
        else:
            self.refresh()

    def next(self) -> None:
        self.switch((self._current + 1) % len(self.views))

    def back(self) -> bool:
        """Close what is on top. Whether there was something."""
        if not self._stage.screens:
            return False
        self._stage.screens.pop().left()
        self.refresh()
        return True

    def open(self, screen: View) -> None:
        self._stage.screens.append(screen)
        self.refresh()
        screen.opened()

    def agent(self, name: str) -> None:
        """Look at an agent closely."""
        self.open(AgentDetail(self._stage, name, self.trace))

    def trace(self, of: str) -> None:
        """What came of what."""
        self.open(Trace(self._stage, of))

    def explain(self, event: str) -> None:
        """Why an event reached whom it reached."""
        self.open(Explanation(self._stage, event))

    def _topic(self, topic: str) -> None:
        self.events.topic(topic)
        self.switch(self.views.index(self.events))
