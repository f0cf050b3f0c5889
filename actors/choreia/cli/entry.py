"""What the shell runs: as little as it takes to know what is wanted.

To import click takes as long as to start Python, and ``choreia --version`` has no use for it: that
is answered before.
"""

from __future__ import annotations

import errno
import os
import sys
from typing import NoReturn


def main() -> NoReturn:
    arguments = sys.argv[1:]
    _open_output()
    try:
        sys.exit(_version() if arguments == ["--version"] else _run(arguments))
    except BrokenPipeError:
        discard_output()
        sys.exit(1)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        discard_output()
        sys.stderr.write(f"Error: {error.strerror}\n")
        sys.exit(1)


def _open_output() -> None:
    """Where a stream was closed (`>&-`), Python has none, and whatever is opened next takes its
    place: a socket, a database. So there is always something."""
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")


def discard_output() -> None:
    """The reader (`head`, a pager) has left: the interpreter must not try to flush again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _version() -> int:
    from importlib.metadata import version

    sys.stdout.write(f"choreia, version {version('choreia')}\n")  # as click writes it
    sys.stdout.flush()
    return 0


def _run(arguments: list[str]) -> int:
    from choreia.cli.app import app
    from choreia.cli.failures import run

    return run(app, arguments)
