"""The function that makes a choreography, found by its name and called with a system.

What it does is its own affair: it may just spawn agents, or be a context manager, which is entered
here and left when the system has drained, so that what the agents use is closed after them. A
function with a ``yield`` in it is taken for one, too.
"""

from __future__ import annotations

import importlib
import inspect
import sys
import traceback
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import cast

import click

from choreia.actors import importing
from choreia.actors.agent import Agent
from choreia.actors.importing import folder_of, imported
from choreia.actors.system import ActorSystem
from choreia.runtime.errors import ChoreiaError, InvalidModule
from choreia.runtime.events.display import plain

Build = Callable[[ActorSystem], object]
USUAL = "build"
_HERE = (
    "<frozen",
    *(str(Path(__file__).parent), str(Path(importlib.__file__).parent), importing.__file__),
)
"""How the paths of code begin that only leads to where something failed."""


def parts_of(where: str) -> tuple[str, str]:
    """``MODULE[:BUILD]``, taken apart."""
    module, colon, name = where.rpartition(":")
    return (module, name) if colon and module and name.isidentifier() else (where, USUAL)


def build_of(where: str) -> Build:
    """The function of that name, imported for good: from the current folder, or where Python looks.

    Raises `InvalidModule`.
    """
    name, attribute = parts_of(where)
    for folder in (Path.cwd(), folder_of(name)):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        module = imported(name)
    except InvalidModule as error:
        _show_cause(error)
        raise
    found: object = getattr(module, attribute, None)
    what = f"{module.__name__}:{attribute}"
    if isinstance(found, ActorSystem):
        raise InvalidModule(
            f"{what} is an ActorSystem already, made when {module.__name__} was imported; `choreia "
            "run` makes the system itself. Name a function that spawns the agents in the system it "
            "is given: def build(system): …. Or end the module with system.run(), and run it with "
            f"Python: python -m {module.__name__}",
            module=module.__name__,
        )
    if isinstance(found, type) and issubclass(found, Agent):
        raise InvalidModule(
            f"{what} is an agent; name a function that spawns it: "
            f"def build(system): system.spawn({attribute})",
            module=module.__name__,
        )
    if not callable(found):
        raise InvalidModule(
            f"{module.__name__} has no function {attribute!r}: write one that takes an ActorSystem "
            "and spawns the agents, and name it as MODULE:FUNCTION",
            module=module.__name__,
        )
    return cast("Build", found)


@contextmanager
def built(build: Build, system: ActorSystem, where: str) -> Generator[None, None, None]:
    """What `build` makes of the system lasts as long as this does. Raises `InvalidModule`."""
    with _telling(where, "failed"):
        lasting = _lasting(build(system), system, where)
        lasting.__enter__()
    try:
        yield
    except BaseException:
        if not lasting.__exit__(*sys.exc_info()):
            raise
    else:
        with _telling(where, "failed when everything had ended"):
            lasting.__exit__(None, None, None)


def _lasting(made: object, system: ActorSystem, where: str) -> AbstractContextManager[object]:
    """What is to be entered; nothing much, for what is nothing of the sort."""
    if inspect.iscoroutine(made):
        made.close()
    if inspect.isawaitable(made) or inspect.isasyncgen(made) or _is_async_manager(made):
        raise InvalidModule(
            f"{where} is async: write it without; what agents need at their beginning, and may "
            "await, belongs into their on_start",
            module=parts_of(where)[0],
        )
    if inspect.isgenerator(made):
        return contextmanager(lambda: made)()
    if made is not system and isinstance(made, AbstractContextManager):
        return made
    return nullcontext()


def _is_async_manager(made: object) -> bool:
    return hasattr(made, "__aenter__") and not hasattr(made, "__enter__")


@contextmanager
def _telling(where: str, how: str) -> Generator[None, None, None]:
    """What fails here is somebody's own code: he gets the traceback, and one message."""
    try:
        yield
    except ChoreiaError:
        raise  # it says what, where, and what to do
    except (Exception, SystemExit) as error:
        found = InvalidModule(
            f"{where} {how}: {type(error).__name__}: {error}", module=parts_of(where)[0]
        )
        found.__cause__ = error
        _show_cause(found)
        raise found from error


def _show_cause(error: InvalidModule) -> None:
    """The traceback of what went wrong, beginning where it is somebody's code."""
    cause = error.__cause__
    if cause is None:
        return
    told = traceback.TracebackException.from_exception(cause)
    frames = [one for one in told.stack if not one.filename.startswith(_HERE)]
    told.stack = traceback.StackSummary.from_list(frames)
    if frames:
        for text in told.format(chain=False):
            for line in text.rstrip("\n").split("\n"):
                click.echo(plain(line), err=True)
