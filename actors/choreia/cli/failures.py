"""From what went wrong to a message on stderr and an exit code.

0 for success, 1 for a `ChoreiaError` or a check that failed, 2 for wrong usage, 3 when the system
that was to be looked at is not there, 4 when it refuses, 5 when it was too late, 130 for Ctrl-C.
Only errors raised on purpose are told in one message: any other exception is a fault in the
program, and whoever mends it needs the traceback.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click
from click.core import ParameterSource

from choreia.cli.colour import colour
from choreia.cli.entry import discard_output
from choreia.runtime.errors import (
    ChoreiaError,
    InspectionRefused,
    NoSuchSystem,
    SeveralSystems,
    SystemGone,
)

INTERRUPTED = 128 + 2  # as a shell reports SIGINT
CODES: tuple[tuple[type[BaseException], int], ...] = (
    (SeveralSystems, 2),  # it was not said which one
    (NoSuchSystem, 3),
    (SystemGone, 3),
    (InspectionRefused, 4),
    (TimeoutError, 5),
)
FAILED = 1


def run(command: click.Command, arguments: Sequence[str]) -> int:
    """Run `command` and give its exit code. Raises nothing but faults and `SystemExit`."""
    try:
        result = command.main(arguments, prog_name="choreia", standalone_mode=False, color=colour())
        sys.stdout.flush()  # a closed pipe shows here, not when the interpreter is gone
    except ChoreiaError as error:
        _show(click.ClickException(_printable(error)))
        return code_of(error)
    except click.ClickException as error:
        code = _show(error)
        _say_where_from(error)
        return code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        discard_output()
        return FAILED
    return result if isinstance(result, int) else 0


def code_of(error: ChoreiaError) -> int:
    """The exit code that goes with an error."""
    return next((code for kind, code in CODES if isinstance(error, kind)), FAILED)


def _show(error: click.ClickException) -> int:
    error.show()
    return error.exit_code


def _say_where_from(error: click.ClickException) -> None:
    """A value that was not given on the command line: where it stands, to be mended there."""
    if not isinstance(error, click.BadParameter) or error.ctx is None or error.param is None:
        return
    source = error.ctx.get_parameter_source(error.param.name or "")  # None: click 8.4 never says
    if source in (ParameterSource.ENVIRONMENT, ParameterSource.DEFAULT_MAP):
        from choreia.cli.settings import origin

        click.echo(f"It comes from {origin(error.ctx, error.param)}.", err=True)


def _printable(error: ChoreiaError) -> str:
    """The message; it may quote what came from events, so without control characters."""
    from choreia.runtime.events.display import plain

    return "\n".join(plain(line) for line in str(error).split("\n"))
