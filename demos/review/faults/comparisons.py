"""Comparisons that do not ask what they seem to ask."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from choreia.demos.review.faults.rule import Hit, Place, rule
from choreia.demos.review.walk import inside, name_of, same

# Query builders overload `==`: there, `is None` would be the mistake.
_QUERIES = frozenset({"filter", "where", "having", "and_", "or_", "not_", "any", "has", "on"})


def _pairs(node: ast.Compare) -> Iterator[tuple[ast.expr, ast.cmpop, ast.expr]]:
    left = node.left
    for operator, right in zip(node.ops, node.comparators, strict=True):
        yield left, operator, right
        left = right


@rule("none-comparison", severity="low", confidence=0.9)
def none_comparison(node: ast.Compare, place: Place) -> Iterator[Hit]:
    """``== None``: asks the object's own `__eq__`, which may say anything."""
    if _overloaded(place.parent):
        return
    for left, operator, right in _pairs(node):
        if isinstance(operator, (ast.Eq, ast.NotEq)) and (_is_none(left) or _is_none(right)):
            instead = "is" if isinstance(operator, ast.Eq) else "is not"
            yield Hit(node, f"compare with None by `{instead}`")


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _overloaded(parent: ast.AST | None) -> bool:
    """Whether the comparison is an argument of a query, or a mask: ``table[table.x == None]``."""
    if isinstance(parent, ast.Call):
        return name_of(parent.func) in _QUERIES
    return isinstance(parent, (ast.Subscript, ast.BinOp))


@rule("literal-identity", severity="high", confidence=0.95)
def literal_identity(node: ast.Compare, place: Place) -> Iterator[Hit]:
    """``is "text"`` or ``is 1``: true or false by accident of the implementation."""
    for left, operator, right in _pairs(node):
        if isinstance(operator, (ast.Is, ast.IsNot)) and (_literal(left) or _literal(right)):
            instead = "==" if isinstance(operator, ast.Is) else "!="
            yield Hit(node, f"identity with a literal is an accident: compare by `{instead}`")


def _literal(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    if isinstance(node, ast.Constant):
        return not isinstance(node.value, (bool, type(None), type(...)))
    return isinstance(node, (ast.Tuple, ast.List, ast.Dict, ast.Set))


@rule("self-comparison", severity="medium", confidence=0.8)
def self_comparison(node: ast.Compare, place: Place) -> Iterator[Hit]:
    """``x < x``: always the same answer. ``x != x`` is how NaN is found, and left alone."""
    for left, operator, right in _pairs(node):
        if not isinstance(operator, ast.NotEq) and _steady(left) and same(left, right):
            # `x == x` may be a test of `__eq__` or for NaN.
            sure = 0.45 if isinstance(operator, ast.Eq) else None
            yield Hit(node, "compared with itself, the answer is always the same", sure)


def _steady(node: ast.expr) -> bool:
    """Whether it is a variable, attribute or item: code without calls that gives one value."""
    if not isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)):
        return False
    return not any(
        isinstance(item, (ast.Call, ast.Await, ast.NamedExpr)) for item in inside([node])
    )


RULES = (none_comparison, literal_identity, self_comparison)
