"""`choreia version`: what to tell whoever is asked for help."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import version

import click

from choreia.cli.output import output_option, put_out


@click.command("version")
@output_option
def command(output: str) -> None:
    """The versions of Choreia, of Python, and of the platform."""
    facts = {
        "choreia": version("choreia"),
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "executable": sys.executable,
        "platform": platform.platform(),
    }
    put_out("version", output, facts, (f"{name:<14}  {value}" for name, value in facts.items()))
