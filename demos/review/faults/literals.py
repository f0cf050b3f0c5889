"""Displays and literals that hold something else than they show."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from choreia.demos.review.faults.rule import Hit, Place, rule
from choreia.demos.review.walk import same


@rule("assert-on-tuple", severity="high", confidence=0.99)
def assert_on_tuple(node: ast.Assert, place: Place) -> Iterator[Hit]:
    """``assert (test, "message")``: a tuple is true, so it never fails."""
    if isinstance(node.test, ast.Tuple) and node.test.elts:
        yield Hit(node, "a tuple is always true: write assert test, message")


@rule("duplicate-key", severity="high", confidence=0.95)
def duplicate_key(node: ast.Dict, place: Place) -> Iterator[Hit]:
    """``{"a": 1, "a": 2}``: the first value is lost."""
    seen: dict[object, ast.expr] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant):
            first = seen.setdefault(key.value, value)
            if not same(first, value):
                yield Hit(key, f"the value of key {_short(key.value)} above is lost")


def _short(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 40 else f"{text[:36]}…"


@rule("empty-f-string", severity="low", confidence=0.99)
def empty_f_string(node: ast.JoinedStr, place: Place) -> Iterator[Hit]:
    """``f"text"``: nothing is filled in; the braces were forgotten, or the f is idle."""
    # The format after the colon in f"{x:>3}" is a JoinedStr of its own.
    specification = isinstance(place.parent, ast.FormattedValue)
    if not specification and all(isinstance(item, ast.Constant) for item in node.values):
        yield Hit(node, "this f-string has no placeholder")


@rule("repeated-mutable", severity="medium", confidence=0.9)
def repeated_mutable(node: ast.BinOp, place: Place) -> Iterator[Hit]:
    """``[[]] * 3``: three times the same list."""
    if isinstance(node.op, ast.Mult):
        for display, count in ((node.left, node.right), (node.right, node.left)):
            if isinstance(display, ast.List) and _shares(display) and not _once(count):
                yield Hit(node, "every item is the same object: use a comprehension")


def _shares(display: ast.List) -> bool:
    shared = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
    return any(isinstance(item, shared) or _is_product(item) for item in display.elts)


def _is_product(node: ast.expr) -> bool:
    """``[0] * n``: a list as well."""
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult)):
        return False
    return isinstance(node.left, ast.List) or isinstance(node.right, ast.List)


def _once(count: ast.expr) -> bool:
    """Once or never: then nothing is shared."""
    return isinstance(count, ast.Constant) and count.value in (0, 1)


RULES = (assert_on_tuple, duplicate_key, empty_f_string, repeated_mutable)
