"""The code that is to be deployed: its agents, what they are called, and what they subscribe to."""

from __future__ import annotations

import inspect
import pkgutil
import re
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING, cast

import attrs

from choreia.actors.agent import Agent
from choreia.actors.families import FrontAgent
from choreia.actors.importing import folder_of, imported, importing_from
from choreia.actors.system import ActorSystem
from choreia.runtime.errors import InvalidModule
from choreia.runtime.events.identity import kebab
from choreia.runtime.events.topic import TopicPattern

if TYPE_CHECKING:
    from choreia.actors.record import Record


@attrs.frozen
class Member:
    """One agent of the new code."""

    name: str
    cls: type[Agent]
    patterns: tuple[TopicPattern, ...]

    def subscribes(self, type: str) -> bool:
        return any(pattern.matches(type) for pattern in self.patterns)


@attrs.frozen
class Code:
    """The agents of a module."""

    agents: tuple[Member, ...]
    node: str = "local"
    """The node they will run on."""
    built: bool = False
    """Whether their names are what they are spawned under; else they are guessed."""

    def named(self, name: str) -> list[Member]:
        """Those of that name; by guessing, two classes may have one. Of a keyed agent's member the
        agent."""
        front = name.partition(":")[0]
        return [agent for agent in self.agents if agent.name == front]

    def subscribes(self, type: str) -> bool:
        """Whether any of them gets events of that type."""
        return any(agent.subscribes(type) for agent in self.agents)


def load(where: str, node: str = "local") -> Code:
    """Import the module ``NAME[:build]``: a dotted name, or the path of a ``.py`` file.

    With ``:build`` that function is called with a simulated system that has no store, and its
    agents are those that are spawned then; none of them is started. Without it they are the agent
    classes that the module defines, or its submodules, under their default names. Raises
    `InvalidModule`.
    """
    name, _, build = where.rpartition(":")
    if not name or not build.isidentifier():
        name, build = where, ""
    with importing_from(folder_of(name)):
        module = imported(name)
        if build:
            return Code(_built(module, build, node), node, built=True)
        return Code(tuple(map(_guessed, _classes(module))), node)


# -- its agents, by class -------------------------------------------------------------------------


def _classes(module: ModuleType) -> list[type[Agent]]:
    found = (value for one in _modules(module) for value in _defined_in(one))
    return list(dict.fromkeys(found))


def _modules(module: ModuleType) -> Iterator[ModuleType]:
    yield module
    path = getattr(module, "__path__", ())
    # What cannot be imported is passed over here, and told below.
    inside = pkgutil.walk_packages(path, f"{module.__name__}.", onerror=lambda name: None)
    for name in [one.name for one in inside]:
        if not name.endswith(".__main__"):  # that one would run
            yield imported(name)


def _defined_in(module: ModuleType) -> Iterator[type[Agent]]:
    for value in vars(module).values():
        is_agent = isinstance(value, type) and issubclass(value, Agent)
        if is_agent and value.__module__ == module.__name__:
            yield value


def _guessed(cls: type[Agent]) -> Member:
    topics = [topic for spec in cls._choreia_handlers for topic in spec.topics]
    texts = dict.fromkeys(_open(topic.text) for topic in topics)
    return Member(kebab(cls.__name__), cls, tuple(TopicPattern(text) for text in texts))


def _open(text: str) -> str:
    """Segments that name an agent's attributes may be anything, and several."""
    return re.sub(r"[^.{}]*\{[^}]*\}[^.]*", "#", text)


# -- its agents, as they are spawned --------------------------------------------------------------


def _built(module: ModuleType, build: str, node: str) -> tuple[Member, ...]:
    function = getattr(module, build, None)
    if not callable(function):
        raise InvalidModule(
            f"{module.__name__} has no function {build!r}: name one that takes an ActorSystem and "
            "spawns the agents",
            module=module.__name__,
        )
    # Nothing runs in it, since nobody waits for it: so it needs not be stopped either.
    system = ActorSystem(mode="simulated", node=node)
    try:
        result = function(system)
    except (Exception, SystemExit) as error:
        raise InvalidModule(
            f"{module.__name__}:{build} failed: {type(error).__name__}: {error}. It is called with "
            "an ActorSystem, and nothing else",
            module=module.__name__,
        ) from error
    if inspect.iscoroutine(result):
        result.close()
        raise InvalidModule(
            f"{module.__name__}:{build} is a coroutine: name a plain function that spawns agents",
            module=module.__name__,
        )
    return tuple(_members(system))


def _members(system: ActorSystem) -> Iterator[Member]:
    for cell in system._roster.all():
        if cell.kind not in ("system", "member"):
            entries = cast("Record", cell.owner).subscriptions
            agent = cast("Agent", cell.turn.agent)
            cls = agent.stands_for if isinstance(agent, FrontAgent) else type(agent)
            yield Member(cell.name, cls, tuple(entry.pattern for entry in entries))
