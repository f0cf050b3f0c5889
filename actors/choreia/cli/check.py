"""`choreia check`: what is wrong with a choreography, before anything runs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
import orjson

from choreia.actors.choreography import load
from choreia.cli.opening import shown
from choreia.runtime.insight.checks import CHECKS, Finding, check
from choreia.runtime.insight.checks.accepted import judge, read_accepted

LONGEST = 600
"""Characters of one finding that are shown to people."""
SETTINGS = "pyproject.toml"


@click.command("check")
@click.argument("module", metavar="MODULE[:BUILD]")
@click.option("--json", "as_json", is_flag=True, help="For programs: one JSON document.")
@click.pass_context
def command(context: click.Context, module: str, as_json: bool) -> None:
    """What is wrong with the choreography of MODULE, as its agents declare it?

    MODULE is a dotted name or the path of a .py file. BUILD (by default "build") is a function in
    it that spawns the agents in the ActorSystem it is given; they are not started. What they emit
    is read off their source.

    Findings can be accepted for a time, in pyproject.toml under [tool.choreia.check].

    Exits with 1 if anything is found.
    """
    choreography = load(module)
    accepted = read_accepted(Path(SETTINGS))
    findings = judge(check(choreography), accepted, datetime.now(UTC).date(), SETTINGS)
    if as_json:
        click.echo(orjson.dumps(_as_data(findings), option=orjson.OPT_INDENT_2))
    else:
        _tell(findings, len(choreography.players))
    if findings:
        context.exit(1)


def _as_data(findings: tuple[Finding, ...]) -> dict[str, object]:
    return {
        "version": 1,
        "findings": [
            {
                "id": one.id,
                "title": CHECKS[one.id],
                "agent": one.agent,
                "event": one.event,
                "file": one.place.file,
                "line": one.place.line,
                "what": one.what,
                "advice": one.advice,
            }
            for one in findings
        ],
    }


def _tell(findings: tuple[Finding, ...], agents: int) -> None:
    for one in findings:
        click.echo(f"{one.id}  {shown(one.agent, 80)}, {shown(one.event, 120)}  {one.place}")
        click.echo(f"     {shown(one.what, LONGEST)}")
        click.echo(f"     {shown(one.advice, LONGEST)}")
    click.echo(f"agents: {agents:,}, findings: {len(findings):,}")
