"""Options that every demo has: whether it can be looked at while it runs, with `choreia top`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import click

from choreia import Inspection, InspectionInsecure
from choreia.runtime.inspection.places import folder, prepare

P = ParamSpec("P")
R = TypeVar("R")
Served = Inspection | bool
"""What `ActorSystem(inspect=…)` is to be given."""


def inspected(command: Callable[..., R]) -> Callable[..., R]:
    """Give `command` the options, and what they come to as its argument `inspect`."""

    @click.option(
        "--inspect/--no-inspect",
        "serves",
        default=True,
        show_default=True,
        help="Let `choreia top` and the like look at it while it runs.",
    )
    @click.option("--control", is_flag=True, help="Let them pause, restart and stop agents, too.")
    @wraps(command)
    def with_options(*args: object, serves: bool, control: bool, **options: object) -> R:
        return command(*args, inspect=_served(serves, control), **options)

    return with_options


def _served(serves: bool, control: bool) -> Served:
    if not serves:
        return False
    try:
        prepare(folder())
    except InspectionInsecure as error:  # nobody asked for it: a demo runs without
        click.echo(f"choreia: it cannot be looked at while it runs: {error}", err=True)
        return False
    return Inspection(control=control)
