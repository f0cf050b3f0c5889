"""Watches a system with a model that does as it is told: ``playing.py SOCKET [wait]``.

A key is answered by the screen, and these do more: ``x`` raises, ``o`` prints and logs and warns,
``c`` copies, ``e`` exports, ``z`` hangs, ``s`` asks what no system knows, ``u`` writes what is not
ASCII.
"""

from __future__ import annotations

import logging
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

from choreia.console.model.asks import Ask, Call, Copy, Export, Quit, Redraw
from choreia.console.model.line import Line, Span, fit
from choreia.console.terminal.connecting import connector
from choreia.console.terminal.watch import watch
from choreia.runtime.errors import NoSuchSystem
from choreia.runtime.inspection.frames import Problem


class Plain:
    """What it is told, a line each."""

    parts = frozenset({"agents"})

    def __init__(self, hello: Mapping[str, object]) -> None:
        self.said: list[str] = [f"hello {hello['node']}"]
        self.frames = 0

    def frame(self, data: Mapping[str, object]) -> None:
        self.frames += 1

    def events(self, data: Mapping[str, object]) -> None: ...

    def answer(self, tag: str, data: Mapping[str, object] | None, problem: Problem | None) -> None:
        self.said.append(f"{tag}: {data or problem}")

    def silent(self, seconds: float | None) -> None: ...

    def lost(self, reason: str) -> None:
        self.said.append(f"lost: {reason}")

    def found(self, hello: Mapping[str, object]) -> None:
        self.said.append(f"found {hello['node']}")

    def log(self, text: str) -> None:
        self.said.append(f"log: {text}")

    def notice(self, text: str, style: str = "") -> None:
        self.said.append(f"notice: {text}")

    def tick(self, now: float) -> Sequence[Ask]:
        return ()

    def press(self, key: str) -> Sequence[Ask]:
        self.said.append(f"key {key}")
        match key:
            case "x":
                raise ZeroDivisionError("the model is broken")
            case "o":
                print("printed")
                print("printed to stderr", file=sys.stderr)
                logging.getLogger("playing").warning("logged")
                warnings.warn("warned", stacklevel=1)
            case "u":
                self.said.append("wide: 寿司, é")
            case "z":
                Path("hanging").touch()
                time.sleep(1000)
        asks: dict[str, Ask] = {
            "q": Quit(), "c": Copy("the id"), "e": Export("svg"), "ctrl-l": Redraw(),
            "s": Call("nonsense", {}, "tag"),
        }  # fmt: skip
        return [asks[key]] if key in asks else []

    def lines(self, width: int, height: int) -> list[Line]:
        head = f"{width}x{height}, {'many' if self.frames > 3 else 'few'} frames"
        texts = [head, *self.said[-(height - 1) :]]
        texts += [""] * (height - len(texts))
        return [fit((Span(text, "bad"),), width) for text in texts]

    def document(self) -> dict[str, object]:
        return {"view": "plain / view", "said": self.said}


def main(path: str, *words: str) -> int:
    connect = connector(path)
    try:
        client = connect(None)
    except NoSuchSystem:
        client = None
    return watch(Plain, connect, client=client, every=0.1, wait="wait" in words)


if __name__ == "__main__":
    sys.exit(main(str(Path(sys.argv[1])), *sys.argv[2:]))
