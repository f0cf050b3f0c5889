"""Where functions are written, and how: their syntax trees, found once."""

from __future__ import annotations

import ast
import inspect
import linecache
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from choreia.runtime.insight.choreography import NOWHERE, Place

Function = Callable[..., object]
Tree = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class Sources:
    """The syntax of functions. Kept for one reading, since files change."""

    def __init__(self) -> None:
        self._files: dict[str, dict[int, Tree]] = {}
        self._classes: dict[str, dict[str, int]] = {}

    def place(self, cls: type) -> Place:
        """Where a class is written. (`inspect` parses the whole file for each.)"""
        file = getattr(sys.modules.get(cls.__module__), "__file__", None)
        if not isinstance(file, str):
            return NOWHERE
        known = self._classes.get(file)
        if known is None:
            known = self._classes[file] = dict(_classes(_parsed(file), ""))
        line = known.get(cls.__qualname__)
        return NOWHERE if line is None else Place(short(file), line)

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
    """Where a function is written: from the current folder, if it is below."""
    inner = inspect.unwrap(thing) if callable(thing) else thing
    code = getattr(inner, "__code__", None)
    if code is None or code.co_filename.startswith("<"):
        return NOWHERE
    return Place(short(code.co_filename), _line_of_def(inner))


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


def _parsed(file: str) -> ast.Module:
    linecache.checkcache(file)
    try:
        return ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return ast.Module([], [])


def _classes(node: ast.AST, prefix: str) -> Iterator[tuple[str, int]]:
    """Qualified names, and lines."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield prefix + child.name, child.lineno
            yield from _classes(child, f"{prefix}{child.name}.")
        elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from _classes(child, f"{prefix}{child.name}.<locals>.")
        elif not isinstance(child, ast.expr):
            yield from _classes(child, prefix)


def _functions(file: str) -> dict[int, Tree]:
    found: dict[int, Tree] = {}
    for node in ast.walk(_parsed(file)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            decorators = [one.lineno for one in node.decorator_list]
            found[min(decorators, default=node.lineno)] = node
        elif isinstance(node, ast.Lambda):
            found.setdefault(node.lineno, node)
    return found
