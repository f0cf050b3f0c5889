"""How a system is to be looked at from outside."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import cast

import attrs

from choreia.runtime.errors import InvalidAgent
from choreia.runtime.events.display import DEFAULT_REDACTED


def _path(path: object) -> Path | None:
    if path is None:
        return None
    if not isinstance(path, (str, PathLike)) or not str(path):
        raise InvalidAgent(f"inspect: path={path!r}: give the path of a socket, or nothing")
    return Path(cast("str", path)).absolute()


def _flag(control: object) -> bool:
    if not isinstance(control, bool):
        raise InvalidAgent(f"inspect: control={control!r}: give True or False")
    return control


def _words(paths: object) -> tuple[str, ...]:
    if isinstance(paths, str) or not isinstance(paths, (tuple, list)):
        raise InvalidAgent(f"inspect: redact={paths!r}: give a tuple of paths, ('card.number',)")
    words = cast("Sequence[object]", paths)
    for word in words:
        if not isinstance(word, str) or not word:
            raise InvalidAgent(f"inspect: redact has {word!r}, which is no path of a payload")
    return tuple(dict.fromkeys((*DEFAULT_REDACTED, *cast("Sequence[str]", words))))


@attrs.frozen
class Inspection:
    """A system serves whoever looks at it: `choreia top` and the like, of the same user.

    `path`: where its Unix socket is; by default in a folder where it is found by itself.
    `control`: whether agents may be paused, resumed, restarted and stopped from there, dead letters
    redelivered, and events published; each leaves an event ``system.controlled``. `redact`: paths
    in payloads that are masked, besides passwords, tokens and the like.
    Raises `InvalidAgent`.
    """

    path: Path | None = attrs.field(default=None, converter=_path)
    control: bool = attrs.field(default=False, converter=_flag)
    redact: tuple[str, ...] = attrs.field(default=DEFAULT_REDACTED, converter=_words)


InspectionGiven = bool | str | PathLike[str] | Inspection


def inspection_of(given: InspectionGiven) -> Inspection | None:
    """What `ActorSystem(inspect=…)` means; None: nobody is served. Raises `InvalidAgent`."""
    if isinstance(given, Inspection):
        return given
    if isinstance(given, bool):
        return Inspection() if given else None
    if isinstance(given, (str, PathLike)) and str(given):
        return Inspection(given)
    raise InvalidAgent(
        f"inspect={given!r}: give True, the path of a socket, or an Inspection(control=…)"
    )
