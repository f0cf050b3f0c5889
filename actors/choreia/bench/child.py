"""Runs one side of one workload in this process: ``python -m choreia.bench.child``.

A process of its own for every sample, so that one peer's threads and heap do not slow the
other's next run. The sample is the last line of standard output.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from typing import cast

from choreia.bench.sample import Sample


def load(function: str) -> Callable[[int], Sample]:
    """The function that ``module:function`` names."""
    module, _, name = function.partition(":")
    return cast(Callable[[int], Sample], getattr(importlib.import_module(module), name))


def main(function: str, count: int, warm_up: int) -> None:
    """Do `warm_up` units unmeasured, where that is not 0, then `count`, and write the sample."""
    work = load(function)
    if warm_up:
        work(warm_up)
    sys.stdout.write(work(count).to_json() + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    # Thousands of idle actor threads of a peer would take minutes to join.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
