"""What a number depends on: versions, machine, cores, the commit, the day."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from attrs import frozen


@frozen
class Machine:
    """The conditions of one sitting. Versions are empty for what is not installed.

    `load` is the load average of the minute before: above 0, something else was running, and
    what needs the processor throughout (Choreia's side) loses more than what mostly waits for
    threads to be switched (a thread per actor).
    """

    date: str
    choreia: str
    commit: str
    pykka: str
    aiopubsub: str
    python: str
    machine: str
    cores: int
    load: float


def this_machine() -> Machine:
    """The conditions here and now; the date is UTC."""
    return Machine(
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        choreia=_version("choreia"),
        commit=_commit(Path(__file__).resolve()),
        pykka=_version("pykka"),
        aiopubsub=_version("aiopubsub"),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        machine=f"{platform.system()} {platform.machine()}{_processor()}",
        cores=cores(),
        load=round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else 0.0,
    )


def cores() -> int:
    """Cores this process may use, which in a container can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def _processor() -> str:
    """The processor's name where Linux tells it, as ``, Name``."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f", {names[0]}" if names else ""


def _commit(source: Path) -> str:
    """The commit of the checkout that `source` is tracked in, with ``+`` if it has changes.

    Tracked, because a virtual environment can lie inside somebody else's repository.
    """
    if _git(source, "ls-files", "--error-unmatch", source.name) is None:
        return ""
    head = _git(source, "rev-parse", "--short", "HEAD")
    if not head:
        return ""
    return f"{head}+" if _git(source, "status", "--porcelain") else head


def _git(source: Path, *arguments: str) -> str | None:
    """What git prints, None when it fails or is not there."""
    command = ["git", "-C", str(source.parent), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
