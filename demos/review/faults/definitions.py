"""Functions and classes that are not defined the way they seem to be."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from choreia.demos.review.faults.rule import Hit, Place, rule
from choreia.demos.review.walk import FUNCTIONS, Function, inside, made_by, name_of

_MAKERS = frozenset(
    {"list", "dict", "set", "bytearray", "defaultdict", "deque", "OrderedDict", "Counter"}
)
_CHANGERS = frozenset(
    {"add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop"}
    | {"popitem", "popleft", "remove", "reverse", "setdefault", "sort", "update"}
)
_DISPLAYS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)


@rule("mutable-default", severity="medium", confidence=0.6)
def mutable_default(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, place: Place
) -> Iterator[Hit]:
    """``def f(x=[])``: one list for all calls."""
    for parameter, default in _defaults(node.args):
        if _mutable(default):
            changed = not isinstance(node, ast.Lambda) and _changes(node, parameter.arg)
            message = f"the default of {parameter.arg} is made once and shared by all calls"
            if changed:
                message += ", and it is changed"
            # `_cache={}` says by its underscore that it is meant to be shared.
            private = parameter.arg.startswith("_")
            yield Hit(default, message, 0.3 if private else 0.9 if changed else None)


def _defaults(arguments: ast.arguments) -> Iterator[tuple[ast.arg, ast.expr]]:
    positional = [*arguments.posonlyargs, *arguments.args]
    first = len(positional) - len(arguments.defaults)
    yield from zip(positional[first:], arguments.defaults, strict=True)
    for parameter, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is not None:
            yield parameter, default


def _mutable(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        return made_by(node, "collections") in _MAKERS
    return isinstance(node, _DISPLAYS)


def _changes(function: Function, name: str) -> bool:
    """Whether the body changes what `name` holds: ``x.append(…)``, ``x[…] = …``, ``x += …``."""
    changed = (_changed(node) for node in inside(function.body))
    return any(isinstance(node, ast.Name) and node.id == name for node in changed)


def _changed(node: ast.AST) -> ast.expr | None:
    """What `node` changes in place, if it does."""
    if isinstance(node, ast.Attribute):
        return node.value if node.attr in _CHANGERS else None
    if isinstance(node, ast.Subscript):
        return None if isinstance(node.ctx, ast.Load) else node.value
    return node.target if isinstance(node, ast.AugAssign) else None


@rule("missing-self", severity="high", confidence=0.9)
def missing_self(node: ast.ClassDef, place: Place) -> Iterator[Hit]:
    """A method without a parameter for its instance: it cannot be called on one."""
    if any(name_of(base).endswith("Interface") for base in node.bases):
        return  # interfaces are declared without
    for method in node.body:
        if not isinstance(method, FUNCTIONS) or method.decorator_list:
            continue
        arguments = method.args
        positional = [*arguments.posonlyargs, *arguments.args]
        if not positional and not arguments.vararg and not _used(node, method.name):
            yield Hit(method, f"{method.name} has no parameter for the instance (self)")


def _used(node: ast.ClassDef, name: str) -> bool:
    """Whether the class body itself uses `name`: then it is a helper, or wrapped later on."""
    return any(isinstance(item, ast.Name) and item.id == name for item in inside(node.body))


@rule("redefined-method", severity="high", confidence=0.9)
def redefined_method(node: ast.ClassDef, place: Place) -> Iterator[Hit]:
    """Two methods of one name in a class: the first one is lost."""
    seen: dict[str, int] = {}
    for item in node.body:
        if isinstance(item, FUNCTIONS) and not item.decorator_list and item.name != "_":
            if item.name in seen:
                yield Hit(item, f"{item.name} replaces the one of line {seen[item.name]}")
            seen[item.name] = item.lineno
        elif seen:  # what the body uses in between, it has kept
            for used in inside([item]):
                if isinstance(used, ast.Name):
                    seen.pop(used.id, None)


@rule("return-in-init", severity="high", confidence=0.95)
def return_in_init(node: ast.FunctionDef, place: Place) -> Iterator[Hit]:
    """``__init__`` that returns a value: a `TypeError` when it is called."""
    if node.name != "__init__" or not isinstance(place.parent, ast.ClassDef):
        return
    for item in inside(node.body):
        if isinstance(item, ast.Return) and _surely_a_value(item.value):
            yield Hit(item, "__init__ must return None")


def _surely_a_value(node: ast.expr | None) -> bool:
    if isinstance(node, ast.Constant):
        return node.value is not None
    return isinstance(node, (*_DISPLAYS, ast.Tuple, ast.JoinedStr))


RULES = (mutable_default, missing_self, redefined_method, return_in_init)
