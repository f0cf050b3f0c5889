"""A choreography from code that is named: ``MODULE[:build]``."""

from __future__ import annotations

import inspect
import sys
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
        # Nothing runs in it, since nobody waits for it: so it needs not be stopped either.
        system = ActorSystem(mode="simulated", heartbeat=None)
        try:
            result: object = function(system)
        except (Exception, SystemExit) as error:
            raise InvalidModule(
                f"{module.__name__}:{build} failed: {type(error).__name__}: {error}. It is called "
                "with an ActorSystem, and nothing else",
                module=module.__name__,
            ) from error
        if inspect.iscoroutine(result):
            result.close()
            raise InvalidModule(
                f"{module.__name__}:{build} is a coroutine: name a function that spawns agents",
                module=module.__name__,
            )
        return choreography_of(system, where)
