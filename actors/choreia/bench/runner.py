"""Runs workloads: each sample in a fresh process, the sides in turn (A B A B …).

Nothing is pinned to a core. A machine that is busy with something else slows both sides of a
pair, which is why ratios are taken pair by pair.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator

from attrs import frozen

from choreia.bench.sample import Sample
from choreia.bench.workload import Side, Workload

#: A sample that takes longer than this, in seconds, is given up: something hangs.
TIMEOUT = 900.0


@frozen
class Measurement:
    """One side of one workload in one round: a sample, or why there is none."""

    workload: Workload
    side: Side
    round: int
    sample: Sample | None = None
    error: str = ""


def missing(side: Side) -> str:
    """What to install so that this side can run, or an empty string."""
    if importlib.util.find_spec(side.library) is not None:
        return ""
    return f"{side.library} is not installed: pip install 'choreia[bench]'"


def run(workload: Workload, rounds: int, *, short: bool = False) -> Iterator[Measurement]:
    """Every measurement of one workload, in the order in which they are made."""
    for number in range(1, (workload.rounds or rounds) + 1):
        for side in workload.sides:
            yield _measure(workload, side, number, short=short)


def _measure(workload: Workload, side: Side, number: int, *, short: bool) -> Measurement:
    absent = missing(side)
    if absent:
        return Measurement(workload, side, number, error=absent)
    count = workload.short_count if short else workload.count
    warm_up = max(1, count // 10) if workload.warm_up else 0
    try:
        sample = _in_child(side.function, count, warm_up)
    except _Failed as failure:
        return Measurement(workload, side, number, error=str(failure))
    return Measurement(workload, side, number, sample)


class _Failed(Exception):
    """The child process has not come up with a sample."""


def _in_child(function: str, count: int, warm_up: int) -> Sample:
    arguments = [sys.executable, "-m", "choreia.bench.child", function, str(count), str(warm_up)]
    try:
        done = subprocess.run(
            arguments, capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired as expired:
        raise _Failed(f"{function}: no result after {TIMEOUT:.0f} s") from expired
    if done.returncode:
        raise _Failed(f"{function}: exit code {done.returncode}\n{_tail(done.stderr)}")
    try:
        return Sample.from_json(done.stdout.splitlines()[-1])
    except (IndexError, KeyError, ValueError) as error:
        raise _Failed(f"{function}: printed no sample\n{_tail(done.stderr)}") from error


def _tail(text: str) -> str:
    return "\n".join(text.splitlines()[-12:])
