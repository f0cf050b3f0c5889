"""A system that has something to show, in a process of its own: ``serving.py SOCKET [control]``.

It ends when its standard input does.
"""

from __future__ import annotations

import sys

from choreia import ActorSystem, Agent, Event, Inspection, Retry, every, on


class Cook(Agent):
    """Never has a rest."""

    @every(0.05)
    def cook(self, tick: Event) -> None:
        self.emit("dish.ready", {"dish": "soup"})


class Waiter(Agent):
    @on("dish.ready")
    def serve(self, event: Event) -> None:
        self.emit("dish.served", {})


class Clumsy(Agent):
    retry = Retry(attempts=1)

    @on("dish.dropped")
    def drop(self, event: Event) -> None:
        raise ValueError("the soup is \x1b[31m on the floor [/bold]")


def main(path: str, *words: str) -> None:
    inspection = Inspection(path=path, control="control" in words)
    with ActorSystem(node="kitchen", inspect=inspection) as system:
        for agent in (Cook, Waiter, Clumsy):
            system.spawn(agent)
        system.publish("dish.dropped")
        print("serving", flush=True)
        sys.stdin.read()


main(*sys.argv[1:])
