"""The console: frames, answers and keys in; lines out, and what it wants to be done.

It only delegates: what is seen is a view's, what all share is the stage's, and what the keys do
that work everywhere is `commands`'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from choreia.console.model.asks import EVENTS, Ask
from choreia.console.model.commands import Commands
from choreia.console.model.desktop import Desktop
from choreia.console.model.face import Face
from choreia.console.model.footer import footer
from choreia.console.model.header import Standing, header, joined
from choreia.console.model.help import help_lines
from choreia.console.model.history import History
from choreia.console.model.line import Line, Span, fit
from choreia.console.model.logpane import LogPane
from choreia.console.model.moment import Moment
from choreia.console.model.stage import CONTROL, Stage
from choreia.console.model.tabs import tabs
from choreia.runtime.inspection.frames import Problem
from choreia.runtime.inspection.reading import Fields, count_of, flag_of, text_of

SCHEMA: Final = "choreia.console/1"
NARROWEST: Final = 20
LOWEST: Final = 5
_ALWAYS: Final = frozenset({"agents"})  # or histories had holes after looking at another view


class Console:
    """One console, looking at one system."""

    def __init__(
        self, hello: Mapping[str, object], *, ascii: bool = False, trace: str | None = None
    ) -> None:
        """`trace`: the id of a case, or of an event, whose trace is seen first."""
        self._hello: Fields = hello
        self._ended: str | None = None
        self._silent: float | None = None
        self._stage = Stage(Face(ascii=ascii), control=flag_of(hello, "control"))
        self._history = History()
        self._log = LogPane(self._stage.face)
        self._desktop = Desktop(self._stage, self._now_shown)
        self._commands = Commands(self._stage, self._desktop, self._toggle, self._step, self._log)
        if trace is not None:
            self._desktop.trace(trace)

    @property
    def parts(self) -> frozenset[str]:
        """The parts of a snapshot that are needed now."""
        return _ALWAYS | self._desktop.screen.parts

    # -- what the system says ---------------------------------------------------------------------

    def frame(self, data: Mapping[str, object]) -> None:
        """A snapshot."""
        self._history.add(data)
        if not self._history.paused:
            self._desktop.refresh()

    def events(self, data: Mapping[str, object]) -> None:
        """A piece of the stream of events."""
        self._desktop.events.stream(data)

    def answer(self, tag: str, data: Mapping[str, object] | None, problem: Problem | None) -> None:
        """What the system says to a `Call`, or why it says nothing."""
        if tag == EVENTS:
            self._desktop.events.answer(tag, data, problem)
        elif tag == CONTROL:
            if problem is not None:
                self.notice(problem.message, "bad")
            else:
                self.notice(text_of(data or {}, "done", "done"), "good")
        else:
            number, _, what = tag.partition(":")
            for screen in self._desktop.everything:
                if str(screen.number) == number:
                    screen.answer(what, data, problem)

    def silent(self, seconds: float | None) -> None:
        """It has not answered for so long: what is seen is not now. None: it answers again."""
        self._silent = seconds

    def lost(self, reason: str) -> None:
        """The system ended, or cannot be reached any more. What was seen last stays."""
        self._ended = reason
        self._stage.note = None  # what was said of it is not so any more

    def found(self, hello: Mapping[str, object]) -> None:
        """A system is there again; it may be another one, of the same name."""
        self._hello, self._ended, self._silent = hello, None, None
        self._stage.control = flag_of(hello, "control")
        self._stage.paused = False
        self._history = History()
        self._desktop.reload()

    def log(self, text: str) -> None:
        """A line for the log pane."""
        self._log.add(text)

    def notice(self, text: str, style: str = "") -> None:
        """A line for the footer, until the next key."""
        self._stage.say(text, style)

    # -- time and keys ----------------------------------------------------------------------------

    def tick(self, now: float) -> Sequence[Ask]:
        """Called some times a second, with the Unix time: what to ask for now."""
        self._stage.now = now
        if self._ended is None and not self._stage.paused:
            self._desktop.screen.tick()
        return self._stage.drain()

    def press(self, key: str) -> Sequence[Ask]:
        """A key, by its name: what to do."""
        self._stage.note = None
        self._commands.press(key)
        return self._stage.drain()

    def _toggle(self) -> None:
        self._history.toggle()
        self._stage.paused = self._history.paused
        self._desktop.refresh()

    def _step(self, by: int) -> None:
        if not self._history.step(by):
            self.notice("there is no frame " + ("before this one" if by < 0 else "after this one"))
        self._stage.paused = self._history.paused
        self._desktop.refresh()

    # -- what is seen -----------------------------------------------------------------------------

    def lines(self, width: int, height: int) -> list[Line]:
        """Exactly `height` lines of exactly `width` cells."""
        if width < NARROWEST or height < LOWEST:
            said = self._stage.face.fit((Span("too small", "warn"),), width)
            return [said, *[fit((), width)] * (height - 1)][: max(0, height)]
        face, screen = self._stage.face, self._desktop.screen
        head = header(face, self._hello, self._history.moment(), self._standing())
        drawn = [joined(face, one, width) for one in head[: 1 if height < 8 else 2]]
        drawn.append(tabs(face, *self._desktop.tabs(), screen.status(), width))
        room = height - len(drawn) - 1
        pane = min(10, room // 2) if self._log.open else 0
        if self._commands.help is None:
            drawn += screen.lines(width, room - pane)
        else:
            drawn += help_lines(face, width, room - pane, self._commands.help)
        drawn += self._log.lines(width, pane)
        return [*drawn, footer(self._stage, self._commands.offered(), width)]

    def document(self) -> dict[str, object]:
        """What is seen, all rows of it, as a JSON document."""
        moment, screen = self._history.moment(), self._desktop.screen
        return {
            "schema": SCHEMA,
            "node": text_of(self._hello, "node"),
            "pid": count_of(self._hello, "pid"),
            "time": None if moment is None else moment.frame.time,
            "paused": self._stage.paused,
            "ended": self._ended,
            "view": screen.title,
            **screen.document(),
        }

    def _now_shown(self) -> Moment | None:
        return self._history.moment()

    def _standing(self) -> Standing:
        return Standing(self._history.paused, self._history.behind(), self._ended, self._silent)
