"""Processes in which orders go forward and back, to be killed at any instant.

Run as a program this forks a victim for each line of JSON on standard input: ``{"store", "round",
"bug", "pipe"}``. It answers with the victim's pid, and, when that has ended, with its exit status.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import traceback

from choreia import ActorSystem, Event, Retry, SagaParticipant, StepFailed, join, pivot, step

PRODUCED = 24
"""Orders of a round."""
BROKEN = "order.broken"
SPOILT = "label.spoilt"
FAILURES = ("till.refused", "carrier.refused", BROKEN)


class Shelf(SagaParticipant):
    compensate_on = FAILURES

    @step("order.placed", emits="shelf.reserved", compensate="release")
    def reserve(self, event: Event) -> object:
        return dict(event.payload)

    def release(self, event: Event) -> None:
        self.emit("shelf.released", dict(event.payload))


class Till(SagaParticipant):
    """One for each customer, of whom two are awake at most."""

    key = "payload.who"
    awake = 2
    mailbox = 2
    retry = Retry(attempts=1_000, delay=0.001)
    compensate_on = ("carrier.refused", BROKEN)
    stumbled: set[int] = set()  # noqa: RUF012  # of this process

    @step(
        "shelf.reserved", emits="till.charged", fails="till.refused", compensate="refund",
        deadline=3_600,
    )  # fmt: skip
    async def charge(self, event: Event) -> object:
        await asyncio.sleep(0.001)
        n = event.payload["n"]
        if n % 5 == 0 and n not in self.stumbled:
            self.stumbled.add(n)
            raise ValueError("once")
        if n % 7 == 3:
            raise StepFailed(dict(event.payload))
        return dict(event.payload)

    def refund(self, event: Event) -> None:
        n = event.payload["n"]
        if n % 3 == 0 and -n not in self.stumbled:
            self.stumbled.add(-n)
            raise ValueError("once")
        self.emit("till.refunded", dict(event.payload))


class Label(SagaParticipant):
    """Beside the till; it is undone by one failure more than what it stands on."""

    mailbox = 1
    retry = Retry(attempts=1_000, delay=0.001)
    compensate_on = (*FAILURES, SPOILT)
    stumbled: set[int] = set()  # noqa: RUF012  # of this process

    @step("shelf.reserved", emits="label.printed", fails="label.refused", compensate="tear")
    def print_it(self, event: Event) -> object:
        return dict(event.payload)

    def tear(self, event: Event) -> None:
        n = event.payload["n"]
        if n not in self.stumbled:
            self.stumbled.add(n)  # so others hear of the next failure meanwhile
            raise ValueError("once")
        self.emit("label.torn", dict(event.payload))


class Carrier(SagaParticipant):
    mailbox = 1
    compensate_on = (BROKEN,)

    @join("till.charged", "label.printed", within=3_600)
    def pack(self, events: tuple[Event, Event]) -> None:
        self.emit("carrier.packed", dict(events[0].payload))

    @pivot("carrier.packed", emits="carrier.sent", fails="carrier.refused")
    def send(self, event: Event) -> object:
        if event.payload["n"] % 11 == 4:
            raise StepFailed(dict(event.payload))
        return dict(event.payload)

    def failure(self, step: str, event: Event, reason: str) -> object:
        return dict(event.payload)


class Clerk(SagaParticipant):
    @step("carrier.sent", emits="order.ended")
    def end(self, event: Event) -> object:
        return dict(event.payload)


def sabotage() -> None:
    """How steps stand is known to this process, and to no store."""
    from choreia.actors.sagas.turn import SagaDurableTurn, SagaTurn

    def in_memory(self, delivery, record):  # type: ignore[no-untyped-def]
        return SagaTurn._keep(self, delivery, record)

    SagaDurableTurn._keep = in_memory  # type: ignore[method-assign]


def work(order: dict[str, str]) -> None:
    if order["bug"]:
        sabotage()
    first = int(order["round"]) * PRODUCED
    with ActorSystem(store=order["store"], workers=4) as system:
        for agent in (Shelf, Till, Label, Carrier, Clerk):
            system.spawn(agent, start="beginning")
        os.close(os.open(order["pipe"], os.O_WRONLY))
        for n in range(first, first + PRODUCED):
            case = f"case-{n}"

            def say(type: str, times: int = 1, n: int = n, case: str = case) -> None:
                payload = {"n": n, "who": f"w{n % 4}"}
                for time in range(times):
                    id = f"{type}-{n}-{time}"
                    system.publish(type, payload, id=id, correlation_id=case)

            say("order.placed", 1 + (n % 9 == 0))
            if n % 4 == 1:
                say(SPOILT)
            if n % 4 in (1, 2):
                say(BROKEN, 1 + n % 2)
        system.wait_idle(60)


def be_a_victim(order: dict[str, str]) -> None:
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
        pid = os.fork()
        if not pid:
            be_a_victim(json.loads(line))
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
