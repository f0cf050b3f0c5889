"""Walking syntax trees without recursion.

A sum of a thousand terms is a tree a thousand deep. `ast.NodeVisitor` and `ast.dump` call
themselves for every level and fail there; everything here keeps its own stack.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import TypeAlias, cast

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Scope: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
SCOPES = (*FUNCTIONS, ast.Lambda, ast.ClassDef)
LOOPS = (ast.For, ast.AsyncFor, ast.While)

# Fields that tell a `Load` from a `Store`, a `+` from a `-`: nobody looks for those nodes.
_TOKENS = frozenset({"ctx", "op", "ops"})
# The fields in which there may be nodes. Most nodes are names and constants: there are none.
_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {
    kind: tuple(name for name in kind._fields if name not in _TOKENS)
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
} | {ast.Name: (), ast.Constant: ()}


def children(node: ast.AST) -> list[ast.AST]:
    """The nodes directly below `node`, in the order of its fields."""
    found: list[ast.AST] = []
    for name in _FIELDS[type(node)]:
        value: object = getattr(node, name, None)
        if isinstance(value, list):
            items = cast("list[object]", value)
            found += [item for item in items if isinstance(item, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


def inside(nodes: Iterable[ast.AST], stop: tuple[type[ast.AST], ...] = SCOPES) -> Iterator[ast.AST]:
    """`nodes` and all below them, in source order, not entering a node of a `stop` type.

    By default that is one scope: a nested function or class is given, but not its inside.
    """
    stack = list(nodes)[::-1]
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, stop):
            stack.extend(reversed(children(node)))


def same(left: ast.AST, right: ast.AST) -> bool:
    """Whether two pieces of code are written alike, wherever they stand."""
    stack: list[tuple[object, object]] = [(left, right)]
    while stack:
        one, other = stack.pop()
        if type(one) is not type(other):
            return False
        if isinstance(one, ast.AST):
            stack.extend((getattr(one, f, None), getattr(other, f, None)) for f in one._fields)
        elif isinstance(one, list):
            stack.extend(zip_longest(cast("list[object]", one), cast("list[object]", other)))
        elif one != other:
            return False
    return True


def name_of(node: ast.AST) -> str:
    """The last name in `a.b.c` or `c`; ``""`` for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def made_by(call: ast.Call, module: str) -> str:
    """The name that is called, by itself or as `module.name`; ``""`` for any other call."""
    function = call.func
    if isinstance(function, ast.Attribute) and name_of(function.value) != module:
        return ""
    return name_of(function)


def parameters(arguments: ast.arguments) -> list[ast.arg]:
    """All parameters in the order they are written."""
    found = [*arguments.posonlyargs, *arguments.args]
    if arguments.vararg:
        found.append(arguments.vararg)
    found += arguments.kwonlyargs
    if arguments.kwarg:
        found.append(arguments.kwarg)
    return found
