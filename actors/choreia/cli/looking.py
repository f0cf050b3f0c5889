"""What commands that look back share: moments, code that is named, and values that are shown."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import Any

import click

from choreia.actors.casting import Build, cast_of
from choreia.actors.difference import MISSING, Difference, as_data
from choreia.actors.reconstructing import Moment
from choreia.actors.sourced import EventSourcedAgent
from choreia.cli.opening import shown, when
from choreia.runtime.events.display import MASK, brief, redact

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_LONGEST_POSITION = 15
_SEGMENT = re.compile(r"[^.\[\]'\"]+")
WIDTH = 60
"""Characters of a value that are shown in a line of differences."""

class_option = click.option(
    "--class", "class_name", metavar="MODULE:CLASS", help="The agent's class."
)
build_option = click.option(
    "--build",
    "build_name",
    metavar="MODULE:FUNCTION",
    help="A function that spawns the agents in the system it is given.",
)


def moment(text: str | None, option: str) -> Moment:
    """A time, a date, a position, or else the id of an event."""
    if text is None:
        return None
    if text.isdecimal() and len(text) <= _LONGEST_POSITION:
        return int(text)
    if _DATE.match(text):
        return datetime.fromtimestamp(when(text, option) or 0.0, UTC)
    return text


# -- code that is named ----------------------------------------------------------------------------


def agent_class(name: str, option: str = "--class") -> type[EventSourcedAgent[Any]]:
    """The event-sourced class of that name."""
    found = _load(name, option)
    if not isinstance(found, type) or not issubclass(found, EventSourcedAgent):
        raise click.BadParameter(
            f"{shown(name)} is no EventSourcedAgent, so it has no state to look at",
            param_hint=option,
        )
    return found


def build_function(name: str) -> Build:
    """The function of that name, which spawns agents."""
    found = _load(name, "--build")
    if not callable(found) or isinstance(found, type):
        raise click.BadParameter(f"{shown(name)} is no function of a system", param_hint="--build")
    return partial(_built, found, name)


def _built(function: Callable[..., object], name: str, system: object) -> object:
    try:
        return function(system)
    except TypeError as error:
        raise click.BadParameter(
            f"{shown(name)}(system) raised TypeError: {shown(str(error), 200)}; it is called with "
            "nothing but the system: wrap what needs more in a function of your own",
            param_hint="--build",
        ) from error


def sourced_in(build: Build) -> dict[str, type[EventSourcedAgent[Any]]]:
    """The event-sourced classes among the agents that `build` spawns, by the agents' names."""
    return {name: cls for name, cls in cast_of(build).items() if issubclass(cls, EventSourcedAgent)}


def _load(spec: str, option: str) -> Any:
    module, colon, attribute = spec.partition(":")
    if not colon or not module or not attribute:
        raise click.BadParameter(
            f"{shown(spec)}: write MODULE:NAME, such as shop.agents:Inventory", param_hint=option
        )
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)  # last: what is installed is not hidden by a folder of that name
    try:
        return attrgetter(attribute)(import_module(module))
    except AttributeError as error:
        what = f"{module} has no {attribute}: {error}"
    except ModuleNotFoundError as error:
        what = f"{error}; it is looked for where Python looks, and in the current folder"
    except Exception as error:
        what = f"importing {module} raised {type(error).__name__}: {error}"
    raise click.BadParameter(f"{shown(spec)}: {shown(what, 300)}", param_hint=option)


# -- values that are shown -------------------------------------------------------------------------


def difference_lines(differences: Iterable[Difference]) -> Iterable[str]:
    """A line for each difference; what is secret is masked."""
    for one in differences:
        path = shown(one.path, 120) or "all of it"
        yield f"{path}: {_value(one.path, one.before)} → {_value(one.path, one.after)}"


def differences_as_json(differences: Iterable[Difference]) -> list[dict[str, object]]:
    """Differences for a program that reads; a side that has nothing is left out."""
    return [
        {"path": one.path}
        | {
            side: _masked(one.path, value)
            for side, value in (("before", one.before), ("after", one.after))
            if value is not MISSING
        }
        for one in differences
    ]


def state_as_json(state: object) -> object:
    """A state in JSON's types; what is secret is masked."""
    return redact({"": as_data(state)})[""]


def _value(path: str, value: object) -> str:
    return "nothing" if value is MISSING else brief(_masked(path, value), WIDTH)


def _masked(path: str, value: object) -> object:
    """The value, with what is secret masked: by the path to it, and by the keys in it."""
    segments = _SEGMENT.findall(path) or [""]
    wrapped: object = as_data(value)
    for segment in reversed(segments):
        wrapped = {segment: wrapped}
    found: Any = redact(wrapped) if isinstance(wrapped, dict) else wrapped
    for segment in segments:
        if found == MASK:
            return MASK
        found = found[segment]
    return found
