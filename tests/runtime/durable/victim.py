"""Processes to be killed at any instant.

Run as a program this imports everything once, and then forks a victim for each line of JSON on
standard input: ``{"store", "round", "bug", "poison", "pipe", "errors"}``. It answers with the
victim's pid, and, when that has ended, with its exit status. The victim tells on its pipe, a line
each, unbuffered, what it was told to be on disk:

    ack N      event number N was published
    done       it came to its end in order
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Sequence

import attrs

from choreia import ActorSystem, Agent, Event, EventSourcedAgent, Retry, applies, on

PRODUCED = 40
"""Events that a round publishes, in three sources."""


def tell(line: str) -> None:
    os.write(1, f"{line}\n".encode())


@attrs.frozen
class Sums:
    count: int = 0
    total: int = 0

    @applies("sum.changed")
    def changed(self, event: Event) -> Sums:
        return Sums(self.count + 1, self.total + event.payload["n"])


class Doubler(Agent):
    """Answers each item with an effect, and at times with more."""

    retry = Retry(attempts=2, delay=0.001)

    @on("item")
    def double(self, event: Event) -> None:
        n = event.payload["n"]
        self.emit("effect", {"n": n, "twice": 2 * n})
        if n % 5 == 0:
            self.after(0.002, "late", {"n": n})
        if n % 7 == 0 and not self.once("first", lambda: n + 1):
            raise RuntimeError("never: a result that is kept is not 0")

    @on("item", {"payload.n": {"$gt": 0}})
    def progress(self, event: Event) -> None:
        if event.payload["n"] % 11 == 0:
            self.emit_now("progress", {"n": event.payload["n"]})


class Summer(EventSourcedAgent[Sums]):
    @on("effect")
    def add(self, event: Event) -> None:
        # What it says depends on what it is: done twice, it would say something else.
        n = event.payload["n"]
        self.emit("sum.changed", {"n": n, "total": self.state.total + n})


class Slow(Agent):
    """A small mailbox, so that it always lags."""

    @on("item")
    @on("effect")
    def see(self, event: Event) -> None:
        self.emit("seen", {"what": event.type, "n": event.payload["n"]})


class Late(Agent):
    @on("late")
    def late(self, event: Event) -> None:
        self.emit("late.seen", {"n": event.payload["n"]})


@attrs.frozen
class Told:
    count: int = 0
    last: int = -1

    @applies("told")
    def told(self, event: Event) -> Told:
        return Told(self.count + 1, event.payload["n"])


class Teller(EventSourcedAgent[Told]):
    """One for each of four, of whom two are awake at most."""

    key = "payload.who"
    awake = 2
    mailbox = 3
    snapshot_every = 5
    retry = Retry(attempts=1_000, delay=0.001)

    @on("item")
    def tell(self, event: Event) -> None:
        n = event.payload["n"]
        if n % 13 == 0 and self.once("stumbled", lambda: n) and self.first_time(n):
            raise RuntimeError("once")
        self.emit("told", {"n": n, "who": self.my_key, "count": self.state.count + 1})
        if n % 6 == 0:
            self.after(0.002, "late.told", {"n": n}, key=f"t{n}")

    stumbled: set[int] = set()  # noqa: RUF012  # of this process

    def first_time(self, n: int) -> bool:
        first = n not in Teller.stumbled
        Teller.stumbled.add(n)
        return first


class Packer(Agent):
    """One of three."""

    retry = Retry(attempts=1_000, delay=0.001)
    stumbled: set[int] = set()  # noqa: RUF012  # of this process

    @on("item")
    def pack(self, event: Event) -> None:
        n = event.payload["n"]
        if n % 9 == 0 and n not in Packer.stumbled:
            Packer.stumbled.add(n)
            raise RuntimeError("once")
        # Done again it would say something else, which is a dead letter.
        self.emit("packed", {"n": n, "by": os.getpid()})


def sabotage(bug: str) -> None:
    """Break one promise, to see that the test sees it."""
    from choreia.runtime.durable import bus, journal, turn
    from choreia.runtime.stores.sqlite.store import SqliteStore
    from choreia.runtime.stores.unit import Unit

    commit = SqliteStore.commit

    def apart(first: str) -> None:
        """Cursors and events in two commits, `first` before the other."""

        def in_two(self: SqliteStore, units: Sequence[Unit], now: float) -> list[object]:
            moves = [
                Unit(move=unit.move, complete=unit.complete)
                for unit in units
                if unit.move is not None or unit.complete is not None
            ]
            rest = [attrs.evolve(unit, move=None, complete=None) for unit in units]
            if first == "moves":
                commit(self, moves, now)
                return list(commit(self, rest, now))
            outcomes: list[object] = list(commit(self, rest, now))
            commit(self, moves, now)
            return outcomes

        SqliteStore.commit = in_two  # type: ignore[method-assign,assignment]

    if bug == "separate-cursor":
        apart("rest")
    elif bug == "cursor-first":
        apart("moves")
    elif bug == "early-ack":

        def at_once(self: bus.LogBus, events: Sequence[Event]):  # type: ignore[no-untyped-def]
            self.journal.submit(journal.Entry(journal.unit_of(events, strict=True)))
            return 0
            yield

        bus.LogBus.admit = at_once  # type: ignore[method-assign]
    elif bug == "no-attempts":

        def innocent(self: turn.DurableTurn, item: object):  # type: ignore[no-untyped-def]
            return False
            yield

        turn.DurableTurn._confess = innocent  # type: ignore[method-assign]
    else:
        raise SystemExit(f"unknown bug {bug}")


class Poison(Agent):
    """Dies of one event, each time, and takes the process with it."""

    @on("item")
    def take(self, event: Event) -> None:
        if event.payload["n"] == POISON:
            os.kill(os.getpid(), 9)
        self.emit("tasted", {"n": event.payload["n"]})


POISON = 13


def work(order: dict[str, str]) -> None:
    if order["bug"]:
        sabotage(order["bug"])
    with ActorSystem(store=order["store"]) as system:
        system.spawn(Doubler, name="doubler", start="beginning")
        system.spawn(Summer, name="summer", start="beginning")
        system.spawn(Slow, name="slow", mailbox=2, start="beginning")
        system.spawn(Late, name="late", start="beginning")
        system.spawn(Teller, name="teller", start="beginning")
        system.spawn(Packer, group="packers", count=3, mailbox=4, start="beginning")
        if order["poison"]:
            system.spawn(Poison, name="poison", start="beginning")
        tell("up")
        for place in range(PRODUCED):
            n = int(order["round"]) * PRODUCED + place
            payload = {"n": n, "who": f"w{n % 4}"}
            system.publish("item", payload, id=f"item-{n}", source=f"source-{n % 3}")
            tell(f"ack {n}")
        system.wait_idle(60)
    tell("done")


def be_a_victim(order: dict[str, str]) -> None:
    os.dup2(os.open(order["errors"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 2)
    os.dup2(os.open(order["pipe"], os.O_WRONLY), 1)
    status = 1
    try:
        work(order)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if not pid:
            be_a_victim(order)
        tell(str(pid))
        tell(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))


if __name__ == "__main__":
    main()
