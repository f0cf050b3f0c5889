"""``choreia bench detectors``: simulate, print a table, draw the curves, keep the numbers."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.progress import track

from choreia.bench.detection.plot import plot, problem
from choreia.bench.detection.report import show
from choreia.bench.detection.results import to_json
from choreia.bench.detection.trials import Trial, count, trials

SHORT = 0.1
"""Hours that show that everything runs."""


@click.command("detectors")
@click.option(
    "--hours",
    type=click.FloatRange(min=SHORT, max=100_000),
    default=50,
    show_default=True,
    help="Simulated, for each detector in each scenario; 100 take about a minute.",
)
@click.option("--seed", default=0, show_default=True, help="Everything follows from it.")
@click.option(
    "--plot",
    "picture",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw the curves into this file, .png or .svg.",
)
@click.option(
    "--json",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write every number to this file.",
)
@click.option("--short", is_flag=True, help="A few minutes of each: shows that everything runs.")
def command(
    hours: float, seed: int, picture: Path | None, target: Path | None, short: bool
) -> None:
    """How often failure detectors are wrong, against how soon they are right.

    Heartbeats, one a second, are simulated in five scenarios, and heard by a fixed timeout and by
    phi, as the runtime has them. Nothing is measured on this machine.
    """
    _refuse_early(picture, target)
    hours = SHORT if short else hours
    made = _simulate(hours, seed)
    show(Console(), made, hours, seed)
    try:
        if target is not None:
            target.write_text(to_json(made, hours, seed), encoding="utf-8")
        if picture is not None:
            plot(picture, made, hours)
    except OSError as error:
        raise click.ClickException(f"the results could not be written: {error}") from error


def _simulate(hours: float, seed: int) -> list[Trial]:
    """All trials, and to a person on standard error how far they are."""
    console = Console(stderr=True)
    made = trials(hours, seed)
    hidden = not console.is_terminal
    return list(track(made, "Simulating", count(), console=console, transient=True, disable=hidden))


def _refuse_early(picture: Path | None, target: Path | None) -> None:
    """What would fail at the end fails before a minute is spent."""
    if picture is not None and (why := problem(picture)):
        raise click.BadParameter(why, param_hint="--plot")
    for path, option in ((picture, "--plot"), (target, "--json")):
        if path is not None and not path.parent.is_dir():
            raise click.BadParameter(f"{path.parent} is not a folder", param_hint=option)
