"""``choreia bench``: measure on this machine, print ratios, keep the numbers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click
from click.core import ParameterSource
from rich.console import Console

from choreia.bench.catalogue import WORKLOADS, named
from choreia.bench.machine import this_machine
from choreia.bench.report import show
from choreia.bench.results import append, header_problem
from choreia.bench.runner import Measurement, missing, run
from choreia.bench.summary import Summary, summarise
from choreia.bench.workload import Workload
from choreia.cli.lazy import LazyCommand


@click.group("bench", invoke_without_command=True, subcommand_metavar="[COMMAND]")
@click.option(
    "--only",
    "names",
    multiple=True,
    metavar="NAME",
    type=click.Choice([workload.name for workload in WORKLOADS]),
    help="Run this workload only; may be repeated. One of: "
    + ", ".join(workload.name for workload in WORKLOADS)
    + ".",
)
@click.option(
    "--rounds",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="How often both sides of each workload are measured.",
)
@click.option("--short", is_flag=True, help="One tiny round: shows that everything runs.")
@click.option("--million", is_flag=True, help="Also spawn 1,000,000 idle agents (4 GB).")
@click.option(
    "--csv",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Append every measurement, with versions and machine, to this file.",
)
@click.pass_context
def command(
    context: click.Context,
    names: tuple[str, ...],
    rounds: int,
    short: bool,
    million: bool,
    path: Path | None,
) -> None:
    """Measure Choreia side by side with pykka and aiopubsub.

    Each workload runs in fresh processes, Choreia and its peer in turn, nothing pinned. Ratios
    are medians over the rounds. Exits with 1 if a workload fails to run, however fast it is.
    """
    if context.invoked_subcommand is not None:
        _refuse_options(context)
        return
    problem = header_problem(path) if path is not None else ""
    if problem:
        raise click.BadParameter(problem, param_hint="--csv")
    compare(choose(names, million=million), 1 if short else rounds, short=short, path=path)


command.add_command(
    LazyCommand("detectors", "choreia.bench.detection.command", "Simulate failure detectors.")
)
command.add_command(
    LazyCommand("store", "choreia.bench.storing.command", "Durable events, beside others.")
)
command.add_command(
    LazyCommand("insight", "choreia.bench.insight.command", "What it costs to remember.")
)
command.add_command(
    LazyCommand("keys", "choreia.bench.keys.command", "A million keys, few of them awake.")
)
command.add_command(
    LazyCommand("watching", "choreia.bench.watching.command", "What it costs to be looked at.")
)


def _refuse_options(context: click.Context) -> None:
    """An option before the subcommand is this command's, and would do nothing."""
    for name in context.params:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"put options behind {context.invoked_subcommand!r}", context)


def compare(chosen: Iterable[Workload], rounds: int, *, short: bool, path: Path | None) -> None:
    """Measure, keep and show; raises SystemExit if a workload fails to run."""
    machine = this_machine()
    measured: list[Measurement] = []
    summaries: list[Summary] = []
    for workload in chosen:
        made = _measure(workload, rounds, short=short)
        measured += made
        summaries.append(summarise(workload, made))
        if path is not None:  # at once: a long sitting that is broken off keeps what it has
            append(path, machine, made, short=short)
    show(Console(), machine, summaries, short=short)
    if any(m.error and not missing(m.side) for m in measured):
        raise SystemExit(1)


def choose(names: tuple[str, ...], *, million: bool) -> list[Workload]:
    """The workloads that are asked for, in the catalogue's order; all usual ones by default."""
    wanted = {named(name).name for name in names}
    if not wanted:
        wanted = {workload.name for workload in WORKLOADS if not workload.optional}
    if million:
        wanted.add("million")
    return [workload for workload in WORKLOADS if workload.name in wanted]


def _measure(workload: Workload, rounds: int, *, short: bool) -> list[Measurement]:
    """Run one workload and say on standard error how far it is."""
    made: list[Measurement] = []
    progress = Console(stderr=True)
    with progress.status(f"{workload.name} …") as status:
        for measurement in run(workload, rounds, short=short):
            made.append(measurement)
            status.update(f"{workload.name}: {measurement.side.library}, {measurement.round}")
    return made
