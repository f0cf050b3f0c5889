"""A command that is imported when it is named, not when it is listed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click


class LazyCommand(click.Command):
    """Stands in a group for the `command` of a module: listed by `text`, loaded to be run.

    `click` asks a command for a context before anything else, so answering with the real
    command's context is all it takes; lists, suggestions and completion see an ordinary one.
    """

    def __init__(self, name: str, module: str, text: str) -> None:
        super().__init__(name, short_help=text)
        self.module = module
        self.text = text

    def load(self) -> click.Command:
        from choreia.cli.settings import adopt  # not for a list of commands

        command = import_module(self.module).command
        if not isinstance(command, click.Command):
            raise TypeError(f"{self.module}.command is a {type(command).__name__}, not a command")
        adopt(command)
        return command

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # as click declares it
    ) -> click.Context:
        return self.load().make_context(info_name, args, parent, **extra)
