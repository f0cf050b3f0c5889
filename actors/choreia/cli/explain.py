"""`choreia explain`: why an event reached whom it reached, and why not the others."""

from __future__ import annotations

import click

from choreia.cli.opening import chosen, opened, store_and_id
from choreia.cli.output import output_option, put_out_form
from choreia.runtime.insight.explain import explain
from choreia.runtime.insight.explaining import as_json, as_text
from choreia.runtime.insight.reading import case_of, story


@click.command("explain")
@store_and_id("EVENT")
@click.option(
    "--json", "for_programs", is_flag=True, help="As one JSON document, without a schema."
)
@output_option
def command(given: tuple[str, ...], store: str | None, for_programs: bool, output: str) -> None:
    """Show what became of an event at everybody who was subscribed then: whether a subscription
    matched, and how that delivery stands, or which part of it did not match, and what it found.

    \b
      choreia explain orders.db 0192f0c1…
    """
    where, id = chosen(given, store, "EVENT")
    with opened(where) as found:
        explanation = explain(story(found, case_of(found, id)), id)
    if for_programs:
        click.echo(as_json(explanation), nl=False)
    else:
        put_out_form("explain", output, lambda: as_json(explanation), lambda: as_text(explanation))
