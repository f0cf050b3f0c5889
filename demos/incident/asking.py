"""Asking whoever sits at the terminal."""

from __future__ import annotations

import click

from choreia.demos.incident.action import digest_of
from choreia.demos.incident.people import Answer, Question
from choreia.runtime.events.display import plain

LONGEST = 60
"""Characters of what an event says."""


def ask(question: Question, *, err: bool = False) -> Answer:
    """Show exactly what is to be done, and take an answer. `err`: on standard error.

    Raises `click.Abort` when nobody can answer: the input has ended, or it was Ctrl-C.
    """
    for line in _shown(question):
        click.echo(line, err=err)
    choices = click.Choice([answer.value for answer in Answer])
    return Answer(click.prompt("Your answer", type=choices, default=Answer.NOTHING.value, err=err))


def _shown(question: Question) -> list[str]:
    action = question.action
    parameters = [
        f"  {plain(f'{key} = {value}', LONGEST)}" for key, value in action.parameters.items()
    ]
    incident = plain(question.incident, LONGEST)
    return [
        f"{incident}: may this be done? ({question.seconds:.0f} s to answer)",
        f"  {plain(action.name, LONGEST)} {plain(action.target, LONGEST)}",
        *parameters,
        f"  because of {plain(', '.join(question.alarms), LONGEST)}",
        f"  digest {digest_of(action)}",
    ]
