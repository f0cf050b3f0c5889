"""`choreia cases`: how the cases of a store stand."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import click

from choreia.cli.opening import opened, shown, stamp, store_given, the_store
from choreia.cli.output import output_option, put_out_form
from choreia.runtime.insight.caseform import list_form
from choreia.runtime.insight.listing import CaseSummary, some, summary
from choreia.runtime.insight.reading import Reading
from choreia.runtime.insight.verdict import Word
from choreia.runtime.insight.wording import duration

WIDEST = 40
"""Characters of an id and of a type that are shown; that of an event of ours has 36."""
REASON = 200


@click.command("cases")
@store_given
@click.option(
    "--verdict",
    type=click.Choice([word.value for word in Word]),
    help="Only those that stand so. Then as many are looked at as it takes.",
)
@click.option(
    "--limit", type=click.IntRange(1), default=20, show_default=True, help="So many at most."
)
@click.option(
    "--json", "for_programs", is_flag=True, help="As one JSON document, without a schema."
)
@output_option
def command(
    given: str | None,
    store: str | None,
    verdict: str | None,
    limit: int,
    for_programs: bool,
    output: str,
) -> None:
    """List the cases of STORE, the newest first: what began them, how they stand, and why.

    \b
      choreia cases orders.db
      choreia cases orders.db --verdict died
    """
    with opened(the_store(given, store)) as found:
        # First what is in the store, then the time: nothing is younger than it.
        told = Reading(found).newest(limit)
        cases = some((summary(one, time.time()) for one in told), verdict, limit)
    if for_programs:
        click.echo(list_form(cases), nl=False)
        return
    none = f"no case is {verdict}\n" if verdict else "no cases\n"
    put_out_form(
        "cases",
        output,
        lambda: list_form(cases),
        lambda: "".join(f"{line}\n" for line in _lines(cases)) or none,
        each="cases",
    )


def _lines(cases: Sequence[CaseSummary]) -> Iterator[str]:
    rows = [_row(one) for one in cases]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row, one in zip(rows, cases, strict=True):
        began, took, events, verdict, id, type = row
        yield (
            f"{began:<{widths[0]}}  {took:>{widths[1]}}  {events:>{widths[2]}}  "
            f"{verdict:<{widths[3]}}  {id:<{widths[4]}}  {type:<{widths[5]}}  "
            f"{shown(one.verdict.reason, REASON)}"
        )


def _row(one: CaseSummary) -> tuple[str, ...]:
    verdict = one.verdict
    return (
        "" if verdict.began is None else stamp(verdict.began),
        duration(verdict.duration),
        f"{one.events:,} event{'' if one.events == 1 else 's'}",
        verdict.word.value,
        shown(one.id, WIDEST),
        shown(one.type, WIDEST),
    )
