"""``python -m choreia.bench.watching.reader SOCKET``: looks on, until its standard input ends."""

from __future__ import annotations

import contextlib
import os
import select
import sys
from pathlib import Path

from choreia.bench.watching.loads import EVERY
from choreia.runtime.errors import SystemGone
from choreia.runtime.inspection.client import Client


def main(path: str) -> None:
    """Read frames as `choreia top` does; say so when the first has come."""
    with Client(Path(path)) as client:
        client.send("snapshot", every=EVERY)
        told = False
        while True:
            ready, _, _ = select.select([client, sys.stdin], [], [])
            if sys.stdin in ready and not os.read(sys.stdin.fileno(), 1):
                return
            while client in ready and client.receive(0) is not None:
                if not told:
                    sys.stdout.write("looking\n")
                    sys.stdout.flush()
                    told = True


if __name__ == "__main__":
    with contextlib.suppress(SystemGone):
        main(sys.argv[1])
