"""Where Choreia meets pykka: the only file that imports it.

An agent is a `pykka.Actor` with its own inbox, loop and ref, but many agents share few threads: the
inbox is the cell's mailbox, the loop is the cell's turn, and pykka's class-level `ActorRegistry`
(a list, so that stopping n actors takes n² steps) is not used. What pykka promises of `tell`,
`ask`, `stop` and proxies holds: one first-in-first-out order for all of them.

Built on the names below: `reply` (its future), `ref` (its ref and inbox), `ear` (what a turn does
with what pykka sends).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import pykka
from pykka import ActorDeadError as ActorDeadError
from pykka import ActorRef as PykkaRef
from pykka import Future as Future
from pykka import ThreadingFuture as ThreadingFuture
from pykka import Timeout as Timeout
from pykka._envelope import Envelope as Envelope
from pykka.messages import ProxyCall, ProxyGetAttr, ProxySetAttr
from pykka.messages import _ActorStop as ActorStop

from choreia.runtime.delivery.cell import Cell
from choreia.runtime.errors import InvalidAgent

if TYPE_CHECKING:
    from choreia.actors.reply import Reply

A = TypeVar("A", bound=pykka.Actor)

PROXIED = frozenset({ProxyCall, ProxyGetAttr, ProxySetAttr})
"""Messages that proxies send."""


def answer_proxy(agent: Any, message: object) -> Any:
    """What pykka does with a message of a proxy: call, get or set."""
    return pykka.Actor._handle_receive(agent, message)


class Actor(pykka.Actor):
    """What of `pykka.Actor` an agent uses. `Agent` derives from it and is what users see."""

    __slots__ = ("_choreia_cell",)

    _choreia_cell: Cell | None

    @classmethod
    def start(cls, *args: Any, **kwargs: Any) -> Any:
        """Not for agents: `ActorSystem.spawn` starts them."""
        raise InvalidAgent(
            f"{cls.__name__}.start() is pykka's way; agents belong to a system: "
            f"system.spawn({cls.__name__}), or system.spawn(lambda: {cls.__name__}(…))"
        )

    @staticmethod
    def _create_actor_inbox() -> Any:
        raise InvalidAgent("an agent's inbox is its mailbox; ActorSystem.spawn makes it")

    @staticmethod
    def _create_future() -> Reply:
        from choreia.actors.reply import Reply

        return Reply()

    def _start_actor_loop(self) -> None:
        raise InvalidAgent("agents are started by ActorSystem.spawn")


__all__ = ["PROXIED", "Actor", "ActorStop", "PykkaRef", "answer_proxy"]
