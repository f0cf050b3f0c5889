"""Who may call: how long calls wait, and not on an event loop; and no handler that is fenced."""

from __future__ import annotations

import asyncio

from choreia.runtime.delivery.context import running, running_turn
from choreia.runtime.errors import BlockingCall, InvalidLimit


def check_timeout(timeout: object) -> None:
    """That `timeout` is None (for ever) or a number of seconds; else `InvalidLimit`."""
    if timeout is None:
        return
    number = isinstance(timeout, (int, float)) and not isinstance(timeout, bool)
    if not number or timeout != timeout:
        raise InvalidLimit(f"timeout={timeout!r}: give a number of seconds, or None for ever")


def forbid_on_loop(call: str, twin: str) -> None:
    """Raise `BlockingCall` if this thread runs an event loop: `call` would stop all of it."""
    if asyncio._get_running_loop() is not None:
        raise BlockingCall(
            f"{call} would block the event loop that runs on this thread; use `{twin}` instead",
            twin=twin,
        )


def refuse_fenced(call: str) -> None:
    """Raise `Fenced` if the caller is a handler whose agent has been taken from it."""
    place = running.get()
    if place is not None and place.fenced:
        turn = running_turn()
        if turn is not None:  # or a context that somebody else's thread has copied
            turn.check(call)
