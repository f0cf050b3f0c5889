"""What a server asks of the layer that knows what there is to see."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Protocol

import attrs

from choreia.runtime.inspection.frames import Fields
from choreia.runtime.inspection.peers import Peer

log = logging.getLogger("choreia.inspection")


@attrs.define(eq=False)
class Stream:
    """An answer that goes on."""

    every: float
    """Seconds from one piece to the next, at least."""
    next: Callable[[], Fields | None]
    """The next piece; None: there is nothing new. Quick: it is called on the server's thread."""
    close: Callable[[], None]
    """Nobody looks any more. Called once."""
    pause: float = 0.0
    """Seconds until the next piece, as it is planned now: who serves it says so."""


def end(stream: Stream) -> None:
    """Nobody looks any more. That it fails is nobody's business either."""
    try:
        stream.close()
    except Exception:
        log.exception("ending what a client was shown has failed")


END = Stream(0.0, lambda: None, lambda: None)
"""The answer that ends a stream of the same verb."""

Answer = Fields | Stream


class Answers(Protocol):
    """Answers requests. Any exception is told to the client, and hurts nobody else."""

    def is_slow(self, verb: str) -> bool:
        """Whether it is to be answered on a thread of its own, which others need not wait for."""
        ...

    def answer(self, verb: str, args: Mapping[str, object], peer: Peer) -> Answer:
        """Raises `Refusal`, or a `ChoreiaError` whose message is the client's."""
        ...
