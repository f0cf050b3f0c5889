"""`choreia check`: what is wrong with a choreography, before anything runs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from choreia.actors.choreography import load
from choreia.cli.opening import shown
from choreia.runtime.insight.checks import CHECKS, Finding, report
from choreia.runtime.insight.checks.accepted import judge, read_accepted
from choreia.runtime.insight.choreography import Place
from choreia.runtime.insight.jsonform import dumps

LONGEST = 600
"""Characters of one finding that are shown to people."""
SETTINGS = "pyproject.toml"

Vague = tuple[tuple[str, Place], ...]
"""Handlers that may emit anything."""


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
    accepted = [one for one in read_accepted(Path(SETTINGS)) if one.is_of(module)]
    told = report(choreography)
    findings = judge(told.findings, accepted, datetime.now(UTC).date(), SETTINGS)
    if as_json:
        click.echo(dumps(_as_data(findings, told.vague)), nl=False)
    else:
        _tell(findings, told.vague, len(choreography.players))
    if findings:
        context.exit(1)


def _as_data(findings: tuple[Finding, ...], vague: Vague) -> dict[str, object]:
    return {
        "version": 1,
        "vague": [
            {"handler": title, "file": place.file, "line": place.line} for title, place in vague
        ],
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


def _tell(findings: tuple[Finding, ...], vague: Vague, agents: int) -> None:
    for one in findings:
        click.echo(f"{one.id}  {shown(one.agent, 80)}, {shown(one.event, 120)}  {one.place}")
        click.echo(f"     {shown(one.what, LONGEST)}")
        click.echo(f"     {shown(one.advice, LONGEST)}")
    for title, place in vague:
        click.echo(
            f"not looked for: C02, for {shown(title, 80)} ({place}) may emit anything, as far as "
            "its source tells: declare what, with emits = (…)"
        )
    click.echo(f"agents: {agents:,}, findings: {len(findings):,}")
