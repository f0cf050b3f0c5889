"""What was not said on the command line: the environment says it, or the project, or nobody.

click has an order for that (command line, environment, `default_map`, default), and keeps to it.
What is ours is how things are called: an option ``--as-of`` of ``choreia demo library`` is
``CHOREIA_DEMO_LIBRARY_AS_OF`` and ``as-of``, whatever the function's parameter is called. click's
own prefix for the environment would take that name, and would listen to ``CHOREIA_VERSION``, too,
which others set.

Nothing is read before a command is run: not for ``--help``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import attrs
import click

from choreia.cli.output import FORMS
from choreia.cli.project import SHARED, Project, Words, project

SYSTEM = "CHOREIA_SYSTEM"
"""The variable of ``--system``, whatever the command."""
NOT_SHARED = ("bench", "demo")
"""A demo does not write into the project's store."""
Source = Literal["environment", "project", "default"]


@attrs.frozen
class Setting:
    """What an option is when nobody says it on the command line."""

    value: object
    source: Source
    place: str
    """Which variable, or which table of which file."""


class Context(click.Context):
    """The context of a command whose options are found in the environment and in the project."""

    def __init__(
        self,
        command: click.Command,
        parent: click.Context | None = None,
        info_name: str | None = None,
        **extra: Any,  # as click declares it
    ) -> None:
        super().__init__(command, parent, info_name, **extra)
        if words := words_of(self):
            name_variables(command, words)

    def lookup_default(self, name: str, call: bool = True) -> Any:
        option = next((one for one in settable(self.command) if one.name == name), None)
        words = words_of(self)  # none: it is run by itself, and not as a command of `choreia`
        if option is None or not words or self.resilient_parsing:  # completing: no time for faults
            return None
        check(self)
        found = project()
        setting = None if found is None else in_project(found, words, option)
        return None if setting is None else setting.value


def adopt(command: click.Command) -> None:
    """Have a command, and those under it, look for what is not said."""
    command.context_class = Context
    if isinstance(command, click.Group):
        for one in command.commands.values():
            adopt(one)


def words_of(context: click.Context) -> Words:
    """The names of a context's command, without that of the program."""
    words: list[str] = []
    while context.parent is not None:
        words.insert(0, context.info_name or "")
        context = context.parent
    return words


# -- options and their names -----------------------------------------------------------------------


def settable(command: click.Command) -> Iterator[click.Option]:
    """The options that may be set elsewhere: not ``--help``, nor what is to be said each time."""
    for one in command.params:
        if isinstance(one, click.Option) and one.expose_value and one.allow_from_autoenv:
            yield one


def spelled(option: click.Option) -> str:
    """An option's name, as it is typed."""
    return max(option.opts, key=len).lstrip("-")


def name_variables(command: click.Command, words: Words) -> None:
    """Tell each option its variable; one that it has already is looked at after that."""
    for option in settable(command):
        name = variable_of(words, option)
        others = [option.envvar] if isinstance(option.envvar, str) else list(option.envvar or ())
        if spelled(option) == "system":
            others.append(SYSTEM)
        option.envvar = list(dict.fromkeys((name, *others)))


def variable_of(words: Words, option: click.Option) -> str:
    """The environment's name for an option of a command."""
    return "_".join(("choreia", *words, spelled(option))).replace("-", "_").upper()


# -- where things stand ----------------------------------------------------------------------------


def origin(context: click.Context, param: click.Parameter) -> str:
    """Where the value of an option comes from, that was not said on the command line."""
    words = words_of(context)
    if not isinstance(param, click.Option):
        return "a default"
    return setting_of(words, param).place


def setting_of(words: Words, option: click.Option) -> Setting:
    """What an option is, and why. Its variables have been named."""
    for name in option.envvar or ():
        if value := os.environ.get(name):
            return Setting(value, "environment", f"the environment variable {name}")
    found = project()
    setting = None if found is None else in_project(found, words, option)
    return setting or Setting(_default(option), "default", "the default")


def in_project(found: Project, words: Words, option: click.Option) -> Setting | None:
    """What the project says of an option."""
    name = spelled(option)
    value = found.own(words, name)
    where: Words = words
    if value is None and words[0] not in NOT_SHARED:
        value, where = found.shared(name), ()
        if name == "output" and not _is_form(option):
            value = None  # `trace -o FILE`: this is another option of the same name
    if value is None:
        return None
    if _is_path(option) and isinstance(value, str):
        value = _from(found.file.parent, value)
    return Setting(value, "project", found.place(where))


def check(context: click.Context) -> None:
    """Raises `click.UsageError` if the project says what a command, or one above, does not know."""
    found = project()
    while found is not None:
        command = context.command
        commands = command.commands if isinstance(command, click.Group) else {}
        words = words_of(context)
        known = set(map(spelled, settable(command))) if words else set(SHARED)
        found.check(words, known, commands)
        if context.parent is None:
            return
        context = context.parent


def _default(option: click.Option) -> object:
    default: object = option.to_info_dict()["default"]
    return None if option.is_flag and default is False else default


def _is_form(option: click.Option) -> bool:
    return isinstance(option.type, click.Choice) and set(option.type.choices) <= set(FORMS)


def _is_path(option: click.Option) -> bool:
    return isinstance(option.type, click.Path) or spelled(option) == "store"


def _from(folder: Path, value: str) -> str:
    """A path in a project is meant from there, wherever in it one stands."""
    return value if "://" in value or folder == Path.cwd() else str(folder / value)
