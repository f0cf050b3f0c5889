"""`choreia store check`: what new code could not read in a store, before it is deployed."""

from __future__ import annotations

import attrs
import click

from choreia.actors.checking import Finding, Report, check, load
from choreia.cli.opening import opened, output_option, shown, store_argument
from choreia.cli.output import in_json

LONGEST = 400
"""Characters of one finding that are shown to people."""


@click.command("check")
@store_argument
@click.argument("module", metavar="MODULE[:BUILD]")
@click.option("--node", default="local", show_default=True, help="The node its agents run on.")
@click.option(
    "--sample",
    type=click.IntRange(1),
    metavar="N",
    help="Try so many payloads of each type and version, in huge stores; else all.",
)
@output_option
@click.pass_context
def command(
    context: click.Context, where: str, module: str, node: str, sample: int | None, output: str
) -> None:
    """What could the code of MODULE not read in STORE? Nothing is written.

    MODULE is a dotted name or the path of a .py file, and is imported. With BUILD, that function is
    called with an ActorSystem, to learn the names of its agents; they are not started. Without it,
    they are the agent classes of the module, each under its default name.

    Exits with 1 if there is anything but warnings.
    """
    code = load(module, node)
    with opened(where) as store:
        report = check(store, code, sample=sample)
    if output == "text":
        _tell(report)
    else:
        _write(report, output)
    if not report.passed:
        context.exit(1)


def _write(report: Report, output: str) -> None:
    if output == "json":
        click.echo(in_json("store-check", attrs.asdict(report), indent=2))
        return
    for finding in report.findings:
        click.echo(in_json("store-check", attrs.asdict(finding)))


def _tell(report: Report) -> None:
    for finding in report.findings:
        click.echo(f"{finding.id}  {_about(finding)}{' (warning)' if finding.warning else ''}")
        click.echo(f"     {shown(finding.what, LONGEST)}")
        click.echo(f"     {shown(finding.advice, LONGEST)}")
    warnings = sum(finding.warning for finding in report.findings)
    errors = len(report.findings) - warnings
    click.echo(f"events tried: {report.events:,}, errors: {errors}, warnings: {warnings}")


def _about(finding: Finding) -> str:
    about = " ".join(filter(None, (finding.type, finding.version))) or finding.agent
    parts = [shown(about), f"{finding.count:,}x"]
    if finding.position:
        parts.append(f"from position {finding.position:,}")
    return ", ".join(parts)
