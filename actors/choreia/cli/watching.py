"""`choreia run --watch`: a process that is begun again whenever the code has changed.

What happens comes through one queue: a file has changed, the process has ended, a signal. The
process is in a group of its own, so that Ctrl-C reaches it through here alone, and once: as a
member of the terminal's group it would get it twice, and the second one means "at once".
"""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Final

import attrs
import click

from choreia.cli.building import parts_of
from choreia.runtime.events.display import plain

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LATE: Final = 15.0
"""Seconds, beyond what it was granted, after which a process that will not end is killed."""
QUIET: Final = 100
"""Milliseconds in which nothing else changes: an editor writes more than one file."""

WORD: Final = 250
"""Milliseconds after which it is heard from, though nothing has changed."""


@attrs.frozen
class Changed:
    """Files have."""

    files: tuple[str, ...]


@attrs.frozen
class Ended:
    """The process has, with this code."""

    code: int


Told = SimpleQueue[Changed | Ended | signal.Signals]


def watch(where: str, options: Sequence[str], grace: float) -> int:
    """Run ``choreia run WHERE`` again and again, until a signal comes: the exit code."""
    command = [sys.executable, "-P", "-m", "choreia", "run", *options, "--", where]
    told: Told = SimpleQueue()
    folders, over = folders_of(where), threading.Event()
    looking = threading.Thread(target=_look, args=(folders, told, over), daemon=True)
    with _signals(told):
        looking.start()
        try:
            return Watching(command, told, grace + LATE).run()
        finally:
            over.set()
            # It waits in watchfiles' Rust, which aborts the process if Python ends under it.
            looking.join(LATE)


def folders_of(where: str) -> list[Path]:
    """Where changes count: here, and where the module is, if that is somewhere else."""
    here, (name, _) = Path.cwd(), parts_of(where)
    if name.endswith(".py"):
        there = Path(name).resolve().parent
    else:
        sys.path.insert(0, str(here))
        try:
            spec = importlib.util.find_spec(name.partition(".")[0])
        except ValueError:
            spec = None
        finally:
            sys.path.remove(str(here))
        if spec is None or spec.origin is None or not spec.has_location:
            return [here]  # whoever runs it finds out
        there = Path(spec.origin).parent
    return [here] if there.is_relative_to(here) else [here, there]


class Watching:
    """One process after another."""

    def __init__(self, command: Sequence[str], told: Told, patience: float) -> None:
        self._command = command
        self._told = told
        self._patience = patience
        self._process: subprocess.Popen[bytes] | None = None
        self._again = False
        self._asked: signal.Signals | None = None
        self._code = 0

    def run(self) -> int:
        """Until a signal comes: the exit code."""
        self._begin()
        while self._asked is None or self._process is not None:
            ending = self._again or self._asked is not None
            try:
                told = self._told.get(timeout=self._patience if ending else None)
            except Empty:
                if self._process is not None:
                    _say("it does not end, and is killed")
                    self._process.kill()
                continue
            self._hear(told)
        return self._code

    def _hear(self, told: Changed | Ended | signal.Signals) -> None:
        match told:
            case Changed(files) if self._asked is None:
                self._change(files)
            case Ended(code):
                self._ended(code)
            case signal.Signals():
                self._signal(told)
            case _:  # a change, when it is to end anyway
                pass

    def _change(self, files: Sequence[str]) -> None:
        more = f" and {len(files) - 1} more" if len(files) > 1 else ""
        _say(f"{plain(files[0], 200)}{more} changed: it begins again")
        if self._process is None:
            self._begin()
        elif not self._again:
            self._again = True
            self._process.terminate()

    def _ended(self, code: int) -> None:
        self._process = None
        self._code = code if code >= 0 else 128 - code  # as a shell tells who was killed
        if self._asked is not None:
            return
        if self._again:
            self._begin()
        else:
            _say(f"it has ended, with exit code {self._code}; it begins again when a file changes")

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            self._code = 128 + number if number == signal.SIGINT else 0
        else:  # a terminal that was closed is no reason to lose anything
            self._process.send_signal(number if number == signal.SIGINT else signal.SIGTERM)
        self._asked = self._asked or number

    def _begin(self) -> None:
        self._again = False
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            process_group=0,
            # What is compiled is known again by seconds and size: two changes within a second may
            # look the same, and the first would be run.
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )
        threading.Thread(target=_wait, args=(self._process, self._told), daemon=True).start()


def _wait(process: subprocess.Popen[bytes], told: Told) -> None:
    told.put(Ended(process.wait()))


def _look(folders: Sequence[Path], told: Told, over: threading.Event) -> None:
    from watchfiles import PythonFilter, watch  # here: nobody else needs it

    changes = watch(
        *folders,
        watch_filter=PythonFilter(),
        debounce=QUIET,
        rust_timeout=WORD,
        yield_on_timeout=True,
        stop_event=over,
        raise_interrupt=False,
        ignore_permission_denied=True,
    )
    heard = False
    for change in changes:
        if not heard:  # before that, changes would go unseen
            _say(f"watching {', '.join(map(str, folders))} for changes of .py files")
            heard = True
        if change:
            told.put(Changed(tuple(sorted(path for _, path in change))))


@contextmanager
def _signals(told: Told) -> Generator[None, None, None]:
    def hear(number: int, frame: FrameType | None) -> None:
        told.put(signal.Signals(number))

    before = {number: signal.signal(number, hear) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _say(text: str) -> None:
    click.echo(text, err=True)
