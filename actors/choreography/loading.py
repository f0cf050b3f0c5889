"""A choreography from code that is named: ``MODULE[:build]``."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from contextlib import redirect_stdout

from choreia.actors.choreography.players import choreography_of
from choreia.actors.importing import folder_of, imported, importing_from
from choreia.actors.system import ActorSystem
from choreia.runtime.errors import InvalidModule
from choreia.runtime.insight.choreography import Choreography


def load(where: str) -> Choreography:
    """The choreography of a module ``NAME[:build]``: a dotted name, or the path of a ``.py`` file.

    The function (by default ``build``) is called with a simulated system that has no store, and
    what is spawned then are the agents. Nobody starts them. Raises `InvalidModule`.
    """
    name, _, build = where.rpartition(":")
    if not name or not build.isidentifier():
        name, build = where, "build"
    # What it prints is not to stand in what is made of it.
    with importing_from(folder_of(name)), redirect_stdout(sys.stderr):
        module = imported(name)
        function: object = getattr(module, build, None)
        if not callable(function):
            raise InvalidModule(
                f"{module.__name__} has no function {build!r}: write one that takes an ActorSystem "
                "and spawns the agents, and name it as MODULE:FUNCTION",
                module=module.__name__,
            )
        system = ActorSystem(mode="simulated", heartbeat=None)
        try:
            _build(function, system, f"{module.__name__}:{build}", module.__name__)
            return choreography_of(system, where)
        finally:
            # To stop the system would be to start its agents. But where the function waited for
            # something, threads were made.
            system._dispatcher.stop(timeout=5)


def _build(
    function: Callable[[ActorSystem], object], system: ActorSystem, called: str, module: str
) -> None:
    try:
        result = function(system)
    except (Exception, SystemExit) as error:
        raise InvalidModule(
            f"{called} failed: {type(error).__name__}: {error}. It is called "
            "with an ActorSystem, and nothing else",
            module=module,
        ) from error
    if inspect.iscoroutine(result):
        result.close()
        raise InvalidModule(
            f"{called} is a coroutine: name a function that spawns agents", module=module
        )
