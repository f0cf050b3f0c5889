"""Code that never runs, and loops whose ``else`` always does."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TypeAlias

from choreia.demos.review.faults.rule import Hit, Place, rule
from choreia.demos.review.walk import LOOPS, SCOPES, inside

_ENDS: dict[type[ast.stmt], str] = {
    ast.Return: "return",
    ast.Raise: "raise",
    ast.Continue: "continue",
    ast.Break: "break",
}

_Block: TypeAlias = (
    ast.Module
    | ast.FunctionDef
    | ast.AsyncFunctionDef
    | ast.ClassDef
    | ast.If
    | ast.For
    | ast.AsyncFor
    | ast.While
    | ast.With
    | ast.AsyncWith
    | ast.Try
    | ast.TryStar
    | ast.ExceptHandler
    | ast.match_case
)


@rule("unreachable-code", severity="high", confidence=0.95)
def unreachable_code(node: _Block, place: Place) -> Iterator[Hit]:
    """A statement after ``return``, ``raise``, ``continue`` or ``break``: it never runs."""
    for field in ("body", "orelse", "finalbody"):
        statements: list[ast.stmt] = getattr(node, field, [])
        for statement, following in pairwise(statements):
            end = _end(statement)
            if end and not _makes_generator(following):
                yield Hit(following, f"never runs: it stands behind {end}")
                break


def _end(statement: ast.stmt) -> str:
    """What surely leaves the block at `statement`, in words; ``""`` if it may go on."""
    if isinstance(statement, ast.If):
        return "an if whose every branch leaves" if _all_leave(statement) else ""
    return f"a {_ENDS[type(statement)]}" if type(statement) in _ENDS else ""


def _all_leave(branch: ast.If) -> bool:
    # A loop along the elifs: there may be thousands, and each is one level deeper in the tree.
    while type(branch.body[-1]) in _ENDS and branch.orelse:
        last = branch.orelse[-1]
        if not isinstance(last, ast.If):
            return type(last) in _ENDS
        branch = last
    return False


def _makes_generator(statement: ast.stmt) -> bool:
    """``return`` and then ``yield`` is how an empty generator is written."""
    return isinstance(statement, ast.Expr) and isinstance(
        statement.value, (ast.Yield, ast.YieldFrom)
    )


@rule("else-without-break", severity="low", confidence=0.9)
def else_without_break(node: ast.For | ast.AsyncFor | ast.While, place: Place) -> Iterator[Hit]:
    """A loop's ``else`` without a ``break``: it always runs, so it says nothing."""
    endless = isinstance(node, ast.While) and isinstance(node.test, ast.Constant)
    if node.orelse and not endless and not _breaks(node.body):
        yield Hit(node, "the loop has no break, so its else always runs")


def _breaks(body: Sequence[ast.stmt]) -> bool:
    """Whether a ``break`` in `body` leaves the loop that it is the body of."""
    for item in inside(body, stop=(*SCOPES, *LOOPS)):
        if isinstance(item, ast.Break):
            return True
        # The else of an inner loop belongs to the outer one.
        if isinstance(item, LOOPS) and _breaks(item.orelse):
            return True
    return False


RULES = (unreachable_code, else_without_break)
