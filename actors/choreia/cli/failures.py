"""From what went wrong to a message on stderr and an exit code.

0 for success, 1 for a `ChoreiaError` or a check that failed, 2 for wrong usage, 130 for Ctrl-C.
Only errors raised on purpose are told in one message: any other exception is a fault in the
program, and whoever mends it needs the traceback.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from choreia.runtime.errors import ChoreiaError

INTERRUPTED = 128 + 2  # as a shell reports SIGINT


def run(command: click.Command, arguments: Sequence[str]) -> int:
    """Run `command` and give its exit code. Raises nothing but faults and `SystemExit`."""
    try:
        result = command.main(arguments, prog_name="choreia", standalone_mode=False)
        sys.stdout.flush()  # a closed pipe shows here, not when the interpreter is gone
    except ChoreiaError as error:
        return _show(click.ClickException(_printable(error)))
    except click.ClickException as error:
        return _show(error)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        _discard_output()
        return 1
    return result if isinstance(result, int) else 0


def _show(error: click.ClickException) -> int:
    error.show()
    return error.exit_code


def _printable(error: ChoreiaError) -> str:
    """The message; it may quote what came from events, so without control characters."""
    from choreia.runtime.events.display import plain

    return "\n".join(plain(line) for line in str(error).split("\n"))


def _discard_output() -> None:
    """The reader (`head`, a pager) has left: the interpreter must not try to flush again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
