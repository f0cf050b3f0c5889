"""What commands put out: lines for people, or JSON with a schema, which is kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, cast

import click

FORMS: Final = ("text", "json", "jsonl")

output_option = click.option(
    "-o",
    "--output",
    type=click.Choice(FORMS),
    default="text",
    show_default=True,
    help="For people, as one JSON document, or as a line of JSON for each.",
)


def put_out(
    command: str,
    output: str,
    document: Mapping[str, object],
    text: Iterable[str],
    *,
    each: str | None = None,
) -> None:
    """Write `document` as JSON under the schema ``choreia.<command>/1``, or else `text`.

    `each` names the list in the document whose items are the lines of ``jsonl``; without it, the
    document is the line.
    """
    if output == "text":
        for line in text:
            click.echo(line)
        return
    if output == "json":
        click.echo(in_json(command, document, indent=2))
        return
    items = document[each] if each else [document]
    for item in cast("Sequence[Mapping[str, object]]", items):
        click.echo(in_json(command, item))


def put_out_form(
    command: str,
    output: str,
    form: Callable[[], str],
    text: Callable[[], str],
    *,
    each: str | None = None,
) -> None:
    """The same for what is made as a whole: `form` makes a JSON document, `text` the lines. Only
    the one that is wanted is made."""
    if output == "text":
        click.echo(text(), nl=False)
    else:
        put_out(command, output, json.loads(form()), (), each=each)


def in_json(command: str, said: Mapping[str, object], indent: int | None = None) -> str:
    """One document under the schema of a command."""
    # In ASCII alone: what is shown on a terminal by mistake cannot command it.
    document = {"schema": f"choreia.{command}/1", **said}
    return json.dumps(document, indent=indent, ensure_ascii=True).replace("\x7f", "\\u007f")


def columns(
    head: Sequence[str], rows: Iterable[Iterable[str]], right: Sequence[str] = ()
) -> Iterator[str]:
    """Rows in columns as wide as they have to be, under a line of headings; those of `right` are
    aligned there. Nothing for no rows."""
    lines = [tuple(head), *map(tuple, rows)]
    if len(lines) == 1:
        return
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [
            f"{cell:>{width}}" if name in right else f"{cell:<{width}}"
            for cell, width, name in zip(line, widths, head, strict=True)
        ]
        yield "  ".join(cells).rstrip()
