"""``choreia demo review [PATH]``: the review as a command."""

from __future__ import annotations

import json
import logging
import sysconfig
import time
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from inspect import cleandoc
from pathlib import Path

import click
from rich.console import Console

from choreia import ActorSystem, DemoError, GiveUp, IdleTimeout
from choreia.demos import review as guild
from choreia.demos.inspected import Served, inspected
from choreia.demos.review.choreography import Review, build
from choreia.demos.review.live import LiveView, totals
from choreia.demos.review.source import SourceFile, check_root, discover
from choreia.demos.review.tables import show

LOOK_SECONDS = 0.1


@click.command("review")
@click.argument("path", required=False)
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, writable=True, allow_dash=True),
    help="Write the whole result as JSON ('-' for standard output).",
)
@click.option("--limit", type=click.IntRange(min=1), help="Review at most so many files.")
@click.option(
    "--analysts",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    help="Analysts for each of the two jobs.",
)
@click.option("--quiet", is_flag=True, help="Only the result: no introduction, no live view.")
@inspected
def command(
    path: str | None,
    json_file: str | None,
    limit: int | None,
    analysts: int,
    quiet: bool,
    inspect: Served,
) -> None:
    """Have a guild of agents review the Python source at PATH (default: the standard library)."""
    _check_folder(json_file)
    root = check_root(path or sysconfig.get_path("stdlib"))
    # When the JSON goes to standard output, nothing else may.
    console = Console(stderr=json_file == "-")
    if not quiet:
        console.print(f"{cleandoc(guild.__doc__ or '')}\n", markup=False, highlight=False)
    with _expected_failures_unlogged(), ActorSystem(inspect=inspect) as system:
        review = build(system, root, limit=limit, analysts=analysts)
        seconds = _run(review, console, live=console.is_terminal and not quiet, limit=limit)
        if not quiet:
            console.print(totals(system))
    show(review.report, console)
    rate = review.report.done / seconds
    console.print(f"{seconds:,.1f} s, {rate:,.0f} files/s", highlight=False)
    if json_file is not None:
        with click.open_file(json_file, "w", encoding="utf-8") as stream:
            stream.write(json.dumps(review.report.to_json(), indent=2) + "\n")
    if not review.report.complete:
        left = review.report.unsettled
        raise DemoError(f"{len(left)} files were left without a verdict, such as {left[:3]}")


def _check_folder(json_file: str | None) -> None:
    """Better told now than after the review."""
    folder = Path(json_file or "-").parent
    if not folder.is_dir():
        raise click.BadParameter(f"there is no folder {folder}", param_hint="--json")


def _run(review: Review, console: Console, *, live: bool, limit: int | None) -> float:
    """Wait until nobody has anything left to do: the seconds it took."""
    total = sum(isinstance(item, SourceFile) for item in discover(review.root, limit))
    began = time.monotonic()
    with LiveView(review.system, review.report, total, console) if live else nullcontext() as view:
        review.start()
        while not _idle(review.system):
            if view is not None:
                view.update()
    return time.monotonic() - began


def _idle(system: ActorSystem) -> bool:
    try:
        system.wait_idle(timeout=LOOK_SECONDS)
    except IdleTimeout:
        return False
    return True


@contextmanager
def _expected_failures_unlogged() -> Generator[None, None, None]:
    """Every dead letter is logged as an error. A file that cannot be read is no error of ours,
    and the report tells it; whatever else may fail is logged as ever."""
    logger, handler = logging.getLogger("choreia.agent"), logging.StreamHandler()
    handler.addFilter(lambda record: GiveUp.__name__ not in record.getMessage())
    logger.addHandler(handler)
    propagate, logger.propagate = logger.propagate, False
    try:
        yield
    finally:
        logger.propagate = propagate
        logger.removeHandler(handler)
