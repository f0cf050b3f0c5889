"""Processes with a projection, to be killed at any instant.

Run as a program this imports everything once, and then forks a victim for each line of JSON on
standard input: ``{"store", "into", "sign", "round", "bug", "pipe"}``. It answers with the victim's
pid, and, when that has ended, with its exit status. The victim opens its pipe when it is up.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from choreia import ActorSystem, Projection, project, projection

PRODUCED = 60
"""Events that a round publishes."""


class Numbers(Projection):
    tables = "CREATE TABLE numbers (n INTEGER)"
    insert = ""

    @project("number")
    def write(self, db: Any, event: Any) -> None:
        db.execute(self.insert, (event.payload["n"],))


def sabotage() -> None:
    """Rows and position in two transactions, to see that the test sees it."""
    from choreia.actors.projecting.sqlite import SqlitePlace

    transaction, keep = SqlitePlace.transaction, SqlitePlace.keep

    @contextmanager
    def in_two(self: SqlitePlace) -> Generator[Any, None, None]:
        late: list[Any] = []
        self.keep = late.append  # type: ignore[assignment,method-assign]
        with transaction(self) as db:
            yield db
        time.sleep(0.002)
        for standing in late:
            keep(self, standing)

    SqlitePlace.transaction = in_two  # type: ignore[method-assign]


def work(order: dict[str, str]) -> None:
    if order["bug"]:
        sabotage()
    Numbers.insert = f"INSERT INTO numbers VALUES ({order['sign']})"
    number = int(order["round"])
    with ActorSystem(store=order["store"]) as system:
        numbers = projection(system.spawn(Numbers.into(order["into"])))
        os.close(os.open(order["pipe"], os.O_WRONLY))
        for n in range(number * PRODUCED, (number + 1) * PRODUCED):
            system.publish("number", {"n": n}, id=f"number-{n}")
            if n % 25 == 0:
                numbers.rebuild()
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
