"""Calls that wait: for how long, and not on a thread that runs an event loop."""

from __future__ import annotations

import asyncio

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
