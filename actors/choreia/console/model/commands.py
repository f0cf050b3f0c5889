"""What keys do that mean the same everywhere. What is none of these is the screen's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from choreia.console.model.asks import Copy, Export, Quit, Redraw
from choreia.console.model.desktop import Desktop
from choreia.console.model.logpane import LogPane
from choreia.console.model.stage import Stage

_EXPORTS: Final[dict[str, Literal["svg", "html", "json"]]] = {"s": "svg", "h": "html", "j": "json"}
_CHANGES: Final = {"p": "pause", "r": "resume", "R": "restart", "s": "stop"}


class Commands:
    """Keys of one console: they go to what is being typed or asked, else do what they say."""

    def __init__(
        self,
        stage: Stage,
        desktop: Desktop,
        toggle: Callable[[], None],
        step: Callable[[int], None],
        log: LogPane,
    ) -> None:
        self.help: int | None = None
        """Lines that the help is scrolled by; None: it is not open."""
        self._stage = stage
        self._desktop = desktop
        self._log = log
        self._prefix = ""
        self._agent = ""  # whom `a` was pressed for: the selection may move until the next key
        self._actions: dict[str, Callable[[], None]] = {
            "q": lambda: stage.ask(Quit()),
            "?": self._open_help,
            "l": self._toggle_log,
            "p": toggle,
            "[": lambda: step(-1),
            "]": lambda: step(1),
            "tab": desktop.next,
            "e": lambda: self._offer("e"),
            "a": self._offer_changes,
            "y": self._copy,
            "t": self._trace,
            "x": self._explain,
            "P": self._payloads,
            "ctrl-l": lambda: stage.ask(Redraw()),
        }

    def press(self, key: str) -> None:
        stage = self._stage
        if key == "ctrl-c":
            stage.ask(Quit())
        elif stage.prompt is not None:
            prompt = stage.prompt
            if not prompt.press(key):
                stage.prompt = None
        elif stage.question is not None:
            question, stage.question = stage.question, None
            if key in ("y", "Y"):
                stage.ask(question.call)
            else:
                stage.say("nothing was done")
        elif self._prefix:
            prefix, self._prefix = self._prefix, ""
            self._chosen(prefix, key)
        elif self.help is not None:
            self._in_help(key)
        else:
            self._command(key)

    def offered(self) -> str:
        """What can be chosen by the next key, if anything can."""
        if self._prefix == "e":
            return "export: s SVG, h HTML, j JSON"
        if self._prefix == "a":
            return f"agent {self._agent}: p pause, r resume, R restart, s stop"
        return ""

    def _command(self, key: str) -> None:
        if key in self._actions:
            self._actions[key]()
        elif len(key) == 1 and key in "123456":
            self._desktop.switch(int(key) - 1)
        elif not self._desktop.screen.press(key) and key == "esc":
            self._desktop.back()

    # -- choices ----------------------------------------------------------------------------------

    def _offer(self, prefix: str) -> None:
        self._prefix = prefix

    def _offer_changes(self) -> None:
        if not self._stage.control:
            self._stage.say("read-only: start the system with control", "warn")
            return
        self._agent = self._desktop.screen.subject().agent
        if self._agent:
            self._offer("a")
        else:
            self._stage.say("no agent is selected")

    def _chosen(self, prefix: str, key: str) -> None:
        if prefix == "e" and key in _EXPORTS:
            self._stage.ask(Export(_EXPORTS[key]))
        elif prefix == "a" and key in _CHANGES:
            verb = _CHANGES[key]
            self._stage.change(f"{verb} agent {self._agent}", verb, {"agent": self._agent})
        else:
            self._stage.say("nothing was done")

    # -- what is selected -------------------------------------------------------------------------

    def _copy(self) -> None:
        id = self._desktop.screen.subject().id
        if id:
            self._stage.ask(Copy(id))
        else:
            self._stage.say("nothing is selected that has an id")

    def _trace(self) -> None:
        of = self._desktop.screen.subject().of
        if of:
            self._desktop.trace(of)
        else:
            self._stage.say("nothing is selected that can be traced: an event, a case")

    def _explain(self) -> None:
        event = self._desktop.screen.subject().event
        if event:
            self._desktop.explain(event)
        else:
            self._stage.say("no event is selected")

    # -- how things are shown ---------------------------------------------------------------------

    def _payloads(self) -> None:
        self._stage.payloads = not self._stage.payloads
        self._stage.say(f"payloads are {'shown' if self._stage.payloads else 'hidden'}")
        self._desktop.reload()

    def _toggle_log(self) -> None:
        self._log.open = not self._log.open

    def _open_help(self) -> None:
        self.help = 0

    def _in_help(self, key: str) -> None:
        scrolled = self.help or 0
        if key in ("j", "down", "pagedown"):
            self.help = scrolled + 1
        elif key in ("k", "up", "pageup"):
            self.help = max(0, scrolled - 1)
        else:
            self.help = None
