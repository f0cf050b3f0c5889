"""The list of the runtime's own events is what the runtime's source announces, no more, no less."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from choreia import Event, TopicPattern
from choreia.actors.testing import own
from choreia.actors.testing.own import FAILURES, RUNTIME_EVENTS, meant
from choreia.runtime import errors

# Where the package is, editable or installed: `choreia.actors` and `choreia.runtime`.
ACTORS = Path(own.__file__).parents[1]
RUNTIME = Path(errors.__file__).parents[1]


def announced() -> Iterator[str]:
    """The first argument of each ``….announce(type, …)``, and what ``_say(cell, what, …)`` makes
    of its second. ``_say`` itself announces an f-string, which is no type but all of those."""
    for file in [*ACTORS.rglob("*.py"), *RUNTIME.rglob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr="announce" | "_announce"),
                    args=[ast.Constant(str(type)), *_],
                ):
                    yield type
                case ast.Call(
                    func=ast.Attribute(attr="announce"), args=[ast.JoinedStr() as type, *_]
                ):
                    assert ast.unparse(type) == "f'agent.{what}'", f"{file}:{node.lineno}"
                case ast.Call(func=ast.Attribute(attr="announce"), args=[ast.Name("type"), *_]):
                    pass  # in `_announce(type, …)`, whose calls are read above
                case ast.Call(func=ast.Attribute(attr="_made"), args=[ast.Constant(str(type)), *_]):
                    yield type
                case ast.Call(
                    func=ast.Attribute(attr="_announce_at_once"), args=[ast.Constant(str(type)), *_]
                ):
                    yield type
                case ast.Call(
                    func=ast.Name("set_alarm"), args=[_, _, _, ast.Constant(str(type)), *_]
                ):
                    yield type
                case ast.Call(
                    func=ast.Attribute(attr="emit"),
                    args=[ast.BoolOp(values=[_, ast.Constant(str(type))]), *_],
                ):
                    yield type
                case ast.Call(func=ast.Attribute(attr="announce")):
                    pytest.fail(f"{file}:{node.lineno} announces what cannot be read off")
                case ast.Call(
                    func=ast.Attribute(attr="_say"), args=[_, ast.Constant(str(what)), *_]
                ):
                    yield f"agent.{what}"
                case _:
                    pass


def test_the_list_is_what_the_source_announces() -> None:
    assert set(announced()) == RUNTIME_EVENTS


def test_what_tells_of_failure_is_among_them() -> None:
    assert FAILURES <= RUNTIME_EVENTS


@pytest.mark.parametrize(
    ("pattern", "type", "expected"),
    [
        ("#", "agent.started", False),
        ("*.started", "agent.started", False),
        ("#.started", "agent.started", False),
        ("agent.*", "agent.started", True),
        ("agent.#", "agent.started", True),
        ("agent.started", "agent.started", True),
        ("system.*", "system.shutdown", True),
        ("#", "agent.greeted", True),
        ("#", "order.placed", True),
        ("order.*", "agent.started", False),
    ],
)
def test_only_who_names_them_means_them(pattern: str, type: str, expected: bool) -> None:
    assert meant(TopicPattern(pattern), Event(type, "x")) is expected
