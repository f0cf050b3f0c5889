"""`choreia check`: what is wrong with a choreography, before anything runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from choreia.actors.choreography import load
from choreia.cli.opening import shown
from choreia.cli.output import output_option, put_out
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
@click.option(
    "--json", "for_programs", is_flag=True, help="As one JSON document, without a schema."
)
@output_option
@click.pass_context
def command(context: click.Context, module: str, for_programs: bool, output: str) -> None:
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
    document = _as_data(findings, told.vague)
    if for_programs:
        click.echo(dumps(document), nl=False)
    else:
        lines = _lines(findings, told.vague, len(choreography.players))
        put_out("check", output, document, lines, each="findings")
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


def _lines(findings: tuple[Finding, ...], vague: Vague, agents: int) -> Iterator[str]:
    for one in findings:
        yield f"{one.id}  {shown(one.agent, 80)}, {shown(one.event, 120)}  {one.place}"
        yield f"     {shown(one.what, LONGEST)}"
        yield f"     {shown(one.advice, LONGEST)}"
    for title, place in vague:
        yield (
            f"not looked for: C02, for {shown(title, 80)} ({place}) may emit anything, as far as "
            "its source tells: declare what, with emits = (…)"
        )
    yield f"agents: {agents:,}, findings: {len(findings):,}"
