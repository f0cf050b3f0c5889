"""What a rule is: a function that is shown every node of some types and tells what is wrong.

A rule says which nodes it wants by the annotation of its first parameter::

    @rule("assert-on-tuple", severity="high", confidence=0.99)
    def assert_on_tuple(node: ast.Assert, place: Place) -> Iterator[Hit]:
        '''An assertion on a tuple: never fails.'''
        if isinstance(node.test, ast.Tuple) and node.test.elts:
            yield Hit(node, "this tuple is always true, so the assertion never fails")
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, TypeAlias, get_args, get_type_hints

from attrs import frozen

_ASSIGNMENTS = (ast.Assign, ast.AugAssign, ast.AnnAssign)


@frozen
class Fault:
    """Something wrong with the code, where, and how sure the rule is (0 to 1).

    `severity` is a word of the common scale: low, medium, high. `symbol` is the qualified
    name of the function or class it is in, ``""`` at the top of the file.
    """

    line: int
    column: int
    rule: str
    symbol: str
    severity: str
    confidence: float
    message: str


@frozen
class Hit:
    """What a rule yields: the node, what is wrong, and how sure, if not as sure as usual."""

    node: ast.expr | ast.stmt | ast.excepthandler | ast.arg | ast.alias | ast.pattern
    message: str
    confidence: float | None = None


@frozen(eq=False)
class Module:
    """What a rule may have to know about the whole file; looked for only when asked."""

    tree: ast.Module

    @cached_property
    def bound(self) -> frozenset[str]:
        """Every name the file itself defines, imports or assigns anywhere."""
        return frozenset(name for node in ast.walk(self.tree) for name in bound_names(node))

    @cached_property
    def exported(self) -> frozenset[str]:
        """The strings in what is assigned to ``__all__``."""
        found: set[str] = set()
        for node in self.tree.body:
            if isinstance(node, _ASSIGNMENTS) and node.value and "__all__" in _targets(node):
                strings = (item for item in ast.walk(node.value) if isinstance(item, ast.Constant))
                found.update(item.value for item in strings if isinstance(item.value, str))
        return frozenset(found)


@frozen(eq=False)
class Place:
    """Where a node stands: in which file, directly below what, in which function or class.

    `symbol` is the qualified name of the innermost one; of the node itself, if it is one.
    """

    module: Module
    parent: ast.AST | None
    symbol: str


# Which type of node goes in is read from the annotation; no static type can say that.
Check: TypeAlias = Callable[[Any, Place], Iterator[Hit]]


@frozen(eq=False)
class Rule:
    """A rule under its name. `about` is the one line its function's docstring gives."""

    name: str
    severity: str
    confidence: float
    about: str
    nodes: tuple[type[ast.AST], ...]
    check: Check

    def faults(self, node: ast.AST, place: Place) -> Iterator[Fault]:
        for hit in self.check(node, place):
            yield Fault(
                line=hit.node.lineno,
                column=hit.node.col_offset + 1,
                rule=self.name,
                symbol=place.symbol,
                severity=self.severity,
                confidence=self.confidence if hit.confidence is None else hit.confidence,
                message=hit.message,
            )


def rule(name: str, *, severity: str, confidence: float) -> Callable[[Check], Rule]:
    """Make a rule of the function below. `confidence`: how often it is right, 0 to 1."""

    def decorate(check: Check) -> Rule:
        wanted = next(iter(get_type_hints(check).values()))
        about = (check.__doc__ or "").partition("\n")[0]
        return Rule(name, severity, confidence, about, get_args(wanted) or (wanted,), check)

    return decorate


def bound_names(node: ast.AST) -> Iterator[str]:
    """The names that `node` itself binds, without those below it."""
    if isinstance(node, ast.Name):
        if isinstance(node.ctx, ast.Store):
            yield node.id
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.alias):
        yield (node.asname or node.name).partition(".")[0]
    elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
        yield node.name


def _targets(node: ast.Assign | ast.AugAssign | ast.AnnAssign) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [target.id for target in targets if isinstance(target, ast.Name)]
