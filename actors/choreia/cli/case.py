"""`choreia case`: how one case stands, and why."""

from __future__ import annotations

import time

import click

from choreia.cli.opening import chosen, opened, store_and_id
from choreia.cli.output import output_option, put_out_form
from choreia.runtime.insight.caseform import case_form
from choreia.runtime.insight.casetext import as_text
from choreia.runtime.insight.reading import case_of, story
from choreia.runtime.insight.verdict import judge

WHAT = "CASE|EVENT"


@click.command("case")
@store_and_id(WHAT)
@click.option(
    "--json", "for_programs", is_flag=True, help="As one JSON document, without a schema."
)
@output_option
def command(given: tuple[str, ...], store: str | None, for_programs: bool, output: str) -> None:
    """Show how a case stands: its steps and what is undone of them, what it waits for, and what of
    it is in flight, dead or lost. It is named by its id, or by one of its events.

    \b
      choreia case orders.db 0192f0c1…
    """
    where, id = chosen(given, store, WHAT)
    with opened(where) as found:
        told = story(found, case_of(found, id))
    now = time.time()
    verdict = judge(told, now)
    if for_programs:
        click.echo(case_form(told, verdict), nl=False)
    else:
        put_out_form(
            "case", output, lambda: case_form(told, verdict), lambda: as_text(told, verdict, now)
        )
