"""Exceptions that are caught, thrown away or hidden."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from choreia.demos.review.faults.rule import Hit, Place, rule
from choreia.demos.review.walk import LOOPS, SCOPES, inside, name_of

_BROAD = frozenset({"Exception", "BaseException"})
_NOT_EXCEPTION = frozenset({"BaseException", "KeyboardInterrupt", "SystemExit", "GeneratorExit"})


@rule("bare-except", severity="medium", confidence=0.9)
def bare_except(node: ast.ExceptHandler, place: Place) -> Iterator[Hit]:
    """``except:`` that does not raise again: it catches Ctrl-C and `SystemExit` too."""
    if node.type is None and not any(isinstance(item, ast.Raise) for item in inside(node.body)):
        yield Hit(node, "bare except also catches KeyboardInterrupt and SystemExit")


@rule("swallowed-exception", severity="medium", confidence=0.7)
def swallowed_exception(node: ast.ExceptHandler, place: Place) -> Iterator[Hit]:
    """``except Exception: pass``: whatever went wrong, nobody will know."""
    caught = name_of(node.type) if node.type else ""
    if caught in _BROAD and all(_does_nothing(item) for item in node.body):
        yield Hit(node, f"every {caught} is silently thrown away")


def _does_nothing(node: ast.stmt) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    return isinstance(node, (ast.Pass, ast.Continue))


@rule("unreachable-handler", severity="high", confidence=0.8)
def unreachable_handler(node: ast.Try, place: Place) -> Iterator[Hit]:
    """``except ValueError`` after ``except Exception``: it is never reached."""
    broad = ""
    for handler in node.handlers:
        caught = handler.type
        names = caught.elts if isinstance(caught, ast.Tuple) else [caught] if caught else []
        if broad and names and not any(name_of(name) in _NOT_EXCEPTION for name in names):
            yield Hit(handler, f"never reached: `except {broad}` above catches this already")
        broad = broad or next((name_of(n) for n in names if name_of(n) in _BROAD), "")


@rule("except-or", severity="high", confidence=0.99)
def except_or(node: ast.ExceptHandler, place: Place) -> Iterator[Hit]:
    """``except A or B``: catches only `A`."""
    if isinstance(node.type, ast.BoolOp):
        yield Hit(node, "catches only one of these: write a tuple, except (A, B)")


@rule("return-in-finally", severity="high", confidence=0.9)
def return_in_finally(node: ast.Try | ast.TryStar, place: Place) -> Iterator[Hit]:
    """A ``return`` (or a ``break`` out) in ``finally``: it swallows the exception."""
    for item in inside(node.finalbody):
        if isinstance(item, ast.Return):
            yield Hit(item, "return in finally swallows the exception on its way out")
    for leave in _leaving(node.finalbody):
        word = type(leave).__name__.lower()
        yield Hit(leave, f"{word} in finally swallows the exception on its way out")


def _leaving(body: Sequence[ast.stmt]) -> Iterator[ast.Break | ast.Continue]:
    """`break` and `continue` of a loop around `body`, not of one inside it."""
    for item in inside(body, stop=(*SCOPES, *LOOPS)):
        if isinstance(item, (ast.Break, ast.Continue)):
            yield item


@rule("raise-not-an-exception", severity="high", confidence=0.99)
def raise_not_an_exception(node: ast.Raise, place: Place) -> Iterator[Hit]:
    """``raise NotImplemented`` or ``raise "text"``: a `TypeError` instead."""
    raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    if isinstance(raised, ast.Name) and raised.id == "NotImplemented":
        yield Hit(node, "NotImplemented cannot be raised: raise NotImplementedError")
    elif isinstance(raised, (ast.Constant, ast.JoinedStr)):
        yield Hit(node, "this is no exception, so raising it is a TypeError")


RULES = (
    bare_except,
    swallowed_exception,
    unreachable_handler,
    except_or,
    return_in_finally,
    raise_not_an_exception,
)
