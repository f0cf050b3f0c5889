"""Where functions are written, and how: their syntax trees, found once."""

from __future__ import annotations

import ast
import inspect
import linecache
from collections.abc import Callable
from pathlib import Path

from choreia.runtime.insight.choreography import NOWHERE, Place

Function = Callable[..., object]
Tree = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class Sources:
    """The syntax of functions. Kept for one reading, since files change."""

    def __init__(self) -> None:
        self._files: dict[str, dict[int, Tree]] = {}

    def tree(self, function: Function) -> Tree | None:
        """How a function is written; None where its source cannot be had."""
        code = getattr(function, "__code__", None)
        if code is None:
            return None
        known = self._files.get(code.co_filename)
        if known is None:
            known = self._files[code.co_filename] = _functions(code.co_filename)
        tree = known.get(code.co_firstlineno)
        name = "<lambda>" if isinstance(tree, ast.Lambda) else getattr(tree, "name", None)
        return tree if name == code.co_name else None


def place_of(thing: object) -> Place:
    """Where a function or a class is written: from the current folder, if it is below."""
    inner = inspect.unwrap(thing) if callable(thing) and not isinstance(thing, type) else thing
    code = getattr(inner, "__code__", None)
    try:
        file = code.co_filename if code is not None else inspect.getsourcefile(inner)  # type: ignore[arg-type]
        line = _line_of_def(inner) if code is not None else inspect.getsourcelines(inner)[1]  # type: ignore[arg-type]
    except (OSError, TypeError):
        return NOWHERE
    if file is None or file.startswith("<"):
        return NOWHERE
    return Place(short(file), line)


def short(file: str) -> str:
    """A path as people write it: from the current folder, if it is below."""
    path = Path(file)
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else path.as_posix()


def _line_of_def(function: object) -> int:
    """The line of ``def``, not of the first decorator."""
    code = function.__code__  # type: ignore[attr-defined]
    line: int = code.co_firstlineno
    for number, text in enumerate(linecache.getlines(code.co_filename)[line - 1 :], line):
        if text.lstrip().startswith(("def ", "async def ")):
            return number
    return line


def _functions(file: str) -> dict[int, Tree]:
    linecache.checkcache(file)
    try:
        module = ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return {}
    found: dict[int, Tree] = {}
    for node in ast.walk(module):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            decorators = [one.lineno for one in node.decorator_list]
            found[min(decorators, default=node.lineno)] = node
        elif isinstance(node, ast.Lambda):
            found.setdefault(node.lineno, node)
    return found
