"""`choreia config`: which options are set, to what, and where."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit, urlunsplit

import attrs
import click

from choreia.cli.lazy import LazyCommand
from choreia.cli.output import columns, output_option, put_out
from choreia.cli.project import Words
from choreia.cli.settings import (
    Setting,
    check,
    name_variables,
    settable,
    setting_of,
    spelled,
    words_of,
)
from choreia.runtime.events.display import plain, redact

PREFIX = "CHOREIA_"
LONGEST = 60
"""Characters of a value that are shown to people."""


@attrs.frozen
class Row:
    """One option of one command."""

    words: Words
    option: click.Option
    setting: Setting

    @property
    def name(self) -> str:
        return f"{' '.join(self.words)} --{spelled(self.option)}"


@click.command("config")
@click.option("--all", "everything", is_flag=True, help="Also those that nobody has set.")
@output_option
@click.pass_context
def command(context: click.Context, everything: bool, output: str) -> None:
    """Which options are set, to what, and where.

    What is said on the command line comes first, then the environment (CHOREIA_RUN_WORKERS), then
    the project (workers in [tool.choreia.run] of pyproject.toml), then the default. In
    [tool.choreia] itself stand store, system and output, for every command that has them.
    """
    rows: list[Row] = []
    variables: set[str] = set()
    for one in _all_commands(context.find_root()):
        check(one)
        words = words_of(one)
        name_variables(one.command, words)
        for option in settable(one.command):
            variables.update(option.envvar or ())
            rows.append(Row(words, option, setting_of(words, option)))
    set_ones = [row for row in rows if everything or row.setting.source != "default"]
    found = {"settings": [_as_data(row) for row in set_ones]}
    put_out("config", output, found, _lines(set_ones), each="settings")
    for name in sorted(set(os.environ) - variables):
        if name.startswith(PREFIX):
            click.echo(f"{plain(name, 80)} is in the environment, and no option's", err=True)


def _all_commands(context: click.Context) -> Iterator[click.Context]:
    """A context for each command, under the one that is given."""
    group = context.command
    if not isinstance(group, click.Group):
        return
    for name, listed in group.commands.items():
        command = listed.load() if isinstance(listed, LazyCommand) else listed
        with click.Context(command, context, name) as inner:
            if not isinstance(command, click.Group) or command.params:
                yield inner
            yield from _all_commands(inner)


def _as_data(row: Row) -> Mapping[str, object]:
    return {
        "command": " ".join(row.words),
        "option": spelled(row.option),
        "value": _shown(row),
        "source": row.setting.source,
        "from": row.setting.place,
        "variable": next(iter(row.option.envvar or ()), None),
    }


def _lines(rows: list[Row]) -> Iterator[str]:
    if not rows:
        yield "nothing is set: everything is as it is by default"
    cells = [
        (row.name, "" if (value := _shown(row)) is None else plain(str(value), LONGEST),
         plain(row.setting.place, 200))
        for row in rows
    ]  # fmt: skip
    yield from columns(("OPTION", "VALUE", "FROM"), cells)


def _shown(row: Row) -> object:
    """The value, without what is secret in it."""
    name, value = spelled(row.option), row.setting.value
    if isinstance(value, str) and "@" in value and (url := urlsplit(value)).password:
        host = url.netloc.rpartition("@")[2]
        value = urlunsplit(url._replace(netloc=f"{url.username}:***@{host}"))
    if value is None or isinstance(value, (str, int, float, list, tuple)):
        return redact({name: value})[name]
    return str(value)
