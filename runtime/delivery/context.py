"""Which turn the running code belongs to: of which agent, with which event in hand.

A context variable, so that it holds in the handler's thread, in the coroutines it awaits, and in
what they hand to `asyncio.to_thread`, but not in threads that a handler starts by itself.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from choreia.runtime.delivery.turn import Turn

running: ContextVar[Turn | None] = ContextVar("choreia_running_turn", default=None)
