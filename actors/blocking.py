"""Whatever blocks refuses to do so on a thread that runs an event loop, and names its twin."""

from __future__ import annotations

import asyncio

from choreia.runtime.errors import BlockingCall


def forbid_on_loop(call: str, twin: str) -> None:
    """Raise `BlockingCall` if this thread runs an event loop: `call` would stop all of it."""
    if asyncio._get_running_loop() is not None:
        raise BlockingCall(
            f"{call} would block the event loop that runs on this thread; use `{twin}` instead",
            twin=twin,
        )
