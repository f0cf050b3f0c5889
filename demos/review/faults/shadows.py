"""Names that hide a builtin."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from choreia.demos.review.faults.rule import Hit, Place, bound_names, rule
from choreia.demos.review.walk import SCOPES, Function, inside, parameters

# Written down, not asked of the running Python: every version is to give the same findings.
BUILTINS = frozenset(
    {"abs", "all", "any", "ascii", "bin", "bool", "breakpoint", "bytearray", "bytes"}
    | {"callable", "chr", "classmethod", "compile", "complex", "delattr", "dict", "dir", "divmod"}
    | {"enumerate", "eval", "exec", "filter", "float", "format", "frozenset", "getattr"}
    | {"globals", "hasattr", "hash", "hex", "id", "input", "int", "isinstance", "issubclass"}
    | {"iter", "len", "list", "locals", "map", "max", "memoryview", "min", "next", "object"}
    | {"oct", "open", "ord", "pow", "print", "property", "range", "repr", "reversed", "round"}
    | {"set", "setattr", "slice", "sorted", "staticmethod", "str", "sum", "super", "tuple"}
    | {"type", "vars", "zip"}
)

_BINDING = (ast.stmt, ast.expr, ast.excepthandler, ast.alias, ast.pattern)
# The variable of a comprehension is gone at its end, and a class's names are its attributes.
_NOT_HERE = (*SCOPES, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@rule("shadowed-builtin", severity="low", confidence=0.6)
def shadowed_builtin(
    node: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef, place: Place
) -> Iterator[Hit]:
    """``list = []``: from here on the builtin `list` cannot be called."""
    seen: set[str] = set()
    if not isinstance(node, ast.Module):
        yield from _parameters(node, seen)
    public = place.module.exported if isinstance(node, ast.Module) else frozenset[str]()
    for item in inside(node.body, stop=_NOT_HERE):
        for name in bound_names(item):
            if name in BUILTINS and name not in seen and name not in public:
                seen.add(name)
                assert isinstance(item, _BINDING)
                yield Hit(item, f"{name} hides the builtin from here on")


def _parameters(node: Function, seen: set[str]) -> Iterator[Hit]:
    # `def f(len=len)` binds the builtin itself: an old way to look it up faster.
    meant = {item.id for item in inside(_defaults(node)) if isinstance(item, ast.Name)}
    for parameter in parameters(node.args):
        if parameter.arg in BUILTINS:
            seen.add(parameter.arg)
            if parameter.arg not in meant:
                # A parameter's name is what callers write: often there is no other good one.
                yield Hit(parameter, f"the parameter {parameter.arg} hides the builtin", 0.4)


def _defaults(node: Function) -> list[ast.expr]:
    return [*node.args.defaults, *(item for item in node.args.kw_defaults if item)]


RULES = (shadowed_builtin,)
