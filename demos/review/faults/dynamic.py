"""Code that is made and run at run time."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from choreia.demos.review.faults.rule import Hit, Place, rule


@rule("eval-exec", severity="high", confidence=0.7)
def eval_exec(node: ast.Call, place: Place) -> Iterator[Hit]:
    """``eval(text)``: whoever writes the text runs the program."""
    called = node.func
    if not isinstance(called, ast.Name) or called.id not in ("eval", "exec") or not node.args:
        return
    if called.id in place.module.bound:
        return  # a function of that name that is the file's own
    if isinstance(node.args[0], ast.Constant):
        yield Hit(node, f"{called.id} of a text that is known: write it as code", 0.4)
    else:
        yield Hit(node, f"{called.id} runs whatever it is given")


RULES = (eval_exec,)
