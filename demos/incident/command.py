"""``choreia demo incident``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click
from rich.console import Console

from choreia.demos.incident.audit import audit
from choreia.demos.incident.choreography import CHECKOUT
from choreia.demos.incident.faults import Fault
from choreia.demos.incident.performance import ASK, POLICIES, Performance
from choreia.demos.incident.report import introduce, report, verdict
from choreia.demos.incident.result import to_json
from choreia.demos.inspected import Served, inspected
from choreia.demos.results import STDOUT, write

PACE = 0.3
"""Seconds that a second of the story takes in real time."""
LONGEST_NAME = 40
"""Characters."""


def _service(_: click.Context, __: click.Parameter, name: str) -> str:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise click.BadParameter("it is no text") from None
    if not 0 < len(name) <= LONGEST_NAME:
        raise click.BadParameter(f"give 1 to {LONGEST_NAME} characters")
    return name


@click.command("incident")
@click.option(
    "--approve",
    type=click.Choice([*POLICIES, ASK]),
    default="auto",
    show_default=True,
    help="Who answers: a policy, somebody who says no, nobody, or you.",
)
@click.option(
    "--fault",
    type=click.Choice([fault.value for fault in Fault]),
    default=Fault.HANG.value,
    show_default=True,
    help="What is wrong with the fixer.",
)
@click.option("--service", default=CHECKOUT, show_default=True, callback=_service, help="Its name.")
@click.option("--seed", default=0, show_default=True, help="Of the illness, and simulated turns.")
@click.option(
    "--json",
    "target",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="Write the outcome to this file; - is standard output.",
)
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@click.option(
    "--mode",
    type=click.Choice(["threads", "simulated"]),
    default="simulated",
    show_default=True,
    help="In real time on threads, or in virtual time, in an order that follows from the seed.",
)
@click.option("--live", is_flag=True, help="On threads, and drawn as it happens.")
@click.option(
    "--pace",
    type=click.FloatRange(0.1, 10),
    default=PACE,
    show_default=True,
    help="Real seconds that a second of the story takes.",
)
@inspected
@click.pass_context
def command(
    context: click.Context,
    approve: str,
    fault: str,
    service: str,
    seed: int,
    target: Path | None,
    quiet: bool,
    mode: Literal["threads", "simulated"],
    live: bool,
    pace: float,
    inspect: Served,
) -> None:
    """Alarms, a person's approval, a fixer that hangs, and a stand-by that takes over.

    Five watchers look at one service. When enough of them that are trusted are alarmed, the
    responder on duty proposes an action, and a person approves or vetoes exactly this one. While
    it is done, the fixer fails, in one of these ways:

    \b
      none   it does not fail
      hang   it does not come back in time, is suspected, fenced and replaced
      crash  the thread that serves it ends
      slow   it takes long, but gives signs of life

    Exits with 1 if it does not add up.
    """
    console = Console(stderr=target == STDOUT, quiet=quiet)
    introduce(console, fault)
    real = live or mode == "threads"
    books = Performance(
        service=service,
        seed=seed,
        fault=Fault(fault),
        approve=approve,
        pace=pace if real else 1.0,
        real=real,
        live=live,
        inspect=inspect,
    ).before(console)
    checks = audit(books)
    report(console, books, checks)
    if target is not None:
        write(target, to_json(books, checks))
    if not all(check.holds for check in checks):
        if quiet:
            Console(stderr=True).print(verdict(checks))
        context.exit(1)
