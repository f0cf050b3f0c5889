"""What expressions in a handler's source stand for, as far as that can be told without running it.

Only what people write when they emit: constants, f-strings, names of classes and constants, local
names, the agent's own attributes and methods, and what annotations say. All else is `UNKNOWN`.
"""

from __future__ import annotations

import ast
import inspect
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, Final, cast

import attrs

from choreia.actors.choreography.source import Function, Tree


class _Unknown(Enum):
    UNKNOWN = "unknown"


UNKNOWN: Final = _Unknown.UNKNOWN
_DEEPEST = 12


@attrs.frozen
class Instance:
    """Some instance of a class."""

    cls: type


@attrs.frozen
class Own:
    """What an attribute of the agent holds, which is known only when it is there."""

    name: str


@attrs.frozen
class Text:
    """A text of which some pieces are known only later: attributes of the agent, or (None) not."""

    pieces: tuple[str | Own | None, ...]


Value = object
"""A Python object that a name stands for, or one of the above."""


@attrs.frozen(eq=False)
class Scope:
    """A function as the method of an agent: `me` is the name of the agent in it."""

    function: Function
    tree: Tree
    cls: type
    me: str
    given: Mapping[str, Sequence[Value]] = attrs.field(factory=dict[str, Sequence[Value]])
    """What a caller is known to give for its arguments."""
    _bound: dict[str, list[ast.expr | None]] = attrs.field(
        init=False, default=attrs.Factory(lambda scope: _bound_in(scope.tree), takes_self=True)
    )

    def values(self, node: ast.expr | None, depth: int = 0) -> list[Value]:
        """All that an expression may stand for."""
        if node is None or depth > _DEEPEST:
            return [UNKNOWN]
        look = _LOOKS.get(type(node))
        return [UNKNOWN] if look is None else look(self, node, depth + 1)

    def is_me(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id == self.me

    def own(self, name: str) -> Value:
        """What stands in the agent's class under that name."""
        return inspect.getattr_static(self.cls, name, UNKNOWN)

    # -- one kind of expression each -----------------------------------------------------

    def _constant(self, node: ast.Constant, _: int) -> list[Value]:
        return [node.value]

    def _joined(self, node: ast.JoinedStr, depth: int) -> list[Value]:
        pieces = [piece for part in node.values for piece in self._pieces(part, depth)]
        if all(isinstance(piece, str) for piece in pieces):
            return ["".join(cast("list[str]", pieces))]
        return [Text(tuple(pieces))]

    def _pieces(self, part: ast.expr, depth: int) -> Sequence[str | Own | None]:
        expression = part.value if isinstance(part, ast.FormattedValue) else part
        found = self.values(expression, depth)
        match found:
            case [str() as text]:
                return [str.__str__(text)]
            case [Own() as own]:
                return [own]
            case [Text() as text]:
                return text.pieces
            case _:
                return [None]

    def _sum(self, node: ast.BinOp, depth: int) -> list[Value]:
        if not isinstance(node.op, ast.Add):
            return [UNKNOWN]
        return self._joined(ast.JoinedStr([node.left, node.right]), depth)

    def _name(self, node: ast.Name, depth: int) -> list[Value]:
        if node.id == self.me:
            return [Instance(self.cls)]
        passed = list(self.given.get(node.id, ()))
        if node.id in self._bound:
            return passed + [v for one in self._bound[node.id] for v in self.values(one, depth)]
        if passed:
            return passed
        code = getattr(self.function, "__code__", None)
        if code is not None and node.id in code.co_varnames[: _arguments(code)]:
            return _instances(annotation(self.function, node.id))
        return [self._outer(node.id)]

    def _outer(self, name: str) -> Value:
        function: Any = self.function
        cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=False))
        if name in cells:
            try:
                return cells[name].cell_contents
            except ValueError:
                return UNKNOWN
        if name in function.__code__.co_varnames:
            return UNKNOWN
        builtins = vars(__import__("builtins"))
        return function.__globals__.get(name, builtins.get(name, UNKNOWN))

    def _attribute(self, node: ast.Attribute, depth: int) -> list[Value]:
        if self.is_me(node.value):
            found = self.own(node.attr)
            if found is UNKNOWN or isinstance(found, types.MemberDescriptorType):
                return [Own(node.attr)]
            if isinstance(found, property):
                hinted = _instances(annotation(cast("Function", found.fget), "return"))
                return hinted if hinted != [Instance(str)] else [Own(node.attr)]
            return [found]
        return [
            value for base in self.values(node.value, depth) for value in _member(base, node.attr)
        ]

    def _call(self, node: ast.Call, depth: int) -> list[Value]:
        results: list[Value] = []
        for called in self.values(node.func, depth):
            if called in (attrs.evolve, attrs.asdict) and node.args:
                same = called is attrs.evolve
                results += self.values(node.args[0], depth) if same else [UNKNOWN]
            elif isinstance(called, type):
                results.append(Instance(called))
            elif inspect.isroutine(called) or isinstance(called, (staticmethod, classmethod)):
                function = getattr(called, "__func__", called)
                results += _instances(annotation(function, "return"))
            else:
                results.append(UNKNOWN)
        return results

    def _either(self, node: ast.IfExp, depth: int) -> list[Value]:
        return self.values(node.body, depth) + self.values(node.orelse, depth)

    def _any(self, node: ast.BoolOp, depth: int) -> list[Value]:
        return [value for one in node.values for value in self.values(one, depth)]

    def _inner(self, node: ast.NamedExpr | ast.Await, depth: int) -> list[Value]:
        return self.values(node.value, depth)

    def _item(self, node: ast.Subscript, depth: int) -> list[Value]:
        results: list[Value] = []
        if tables := self._tables(node.value):
            return [v for table in tables for one in table.values for v in self.values(one, depth)]
        for base in self.values(node.value, depth):
            if isinstance(base, Mapping):
                results += list(cast("Mapping[object, Value]", base).values())
            elif isinstance(base, (tuple, list)):
                results += list(cast("Sequence[Value]", base))
            else:
                results.append(UNKNOWN)
        return results

    def _tables(self, node: ast.expr) -> list[ast.Dict]:
        """A dict that is written there, or that a local name stands for."""
        nodes = self._bound.get(node.id, []) if isinstance(node, ast.Name) else [node]
        tables = [one for one in nodes if isinstance(one, ast.Dict)]
        return tables if len(tables) == len(nodes) else []

    def _element(self, node: _Element, depth: int) -> list[Value]:
        """Of what is gone through: a literal, a constant, or what an annotation says."""
        over = node.over
        if isinstance(over, (ast.Tuple, ast.List, ast.Set)):
            return [value for one in over.elts for value in self.values(one, depth)]
        results: list[Value] = []
        for base in self.values(over, depth):
            if isinstance(base, (tuple, list, set, frozenset)):
                results += list(cast("Sequence[Value]", base))
            else:
                results.append(UNKNOWN)
        if isinstance(over, ast.Call):
            for called in self.values(over.func, depth):
                if inspect.isfunction(called):
                    args = typing.get_args(annotation(called, "return"))
                    results = _instances(args[0]) if args else results
        return results


class _Element(ast.expr):
    """An element of what a loop goes through."""

    def __init__(self, over: ast.expr) -> None:
        super().__init__()
        self.over = over


_LOOKS: Final[dict[type[ast.AST], Callable[[Scope, Any, int], list[Value]]]] = {
    ast.Constant: Scope._constant,
    ast.JoinedStr: Scope._joined,
    ast.BinOp: Scope._sum,
    ast.Name: Scope._name,
    ast.Attribute: Scope._attribute,
    ast.Call: Scope._call,
    ast.IfExp: Scope._either,
    ast.BoolOp: Scope._any,
    ast.NamedExpr: Scope._inner,
    ast.Await: Scope._inner,
    ast.Subscript: Scope._item,
    _Element: Scope._element,
}


def _arguments(code: types.CodeType) -> int:
    return code.co_argcount + code.co_kwonlyargcount


def _bound_in(tree: Tree) -> dict[str, list[ast.expr | None]]:
    """What local names are set to: expressions, or None where that cannot be told."""
    bound: dict[str, list[ast.expr | None]] = {}

    def bind(target: ast.expr, value: ast.expr | None) -> None:
        if isinstance(target, ast.Name):
            bound.setdefault(target.id, []).append(value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            pairs = isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts)
            parts: Sequence[ast.expr | None] = (
                cast("ast.Tuple", value).elts if pairs else [None] * len(target.elts)
            )
            for one, part in zip(target.elts, parts, strict=True):
                bind(one, part)

    for node in ast.walk(tree):
        for target, value in _bindings(node):
            bind(target, value)
    return bound


def _bindings(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    match node:
        case ast.Assign(targets=targets, value=value):
            yield from ((target, value) for target in targets)
        case ast.AnnAssign(target=target, value=value) if value is not None:
            yield target, value
        case ast.NamedExpr(target=target, value=value):
            yield target, value
        case (
            ast.For(target=target, iter=over)
            | ast.AsyncFor(target=target, iter=over)
            | ast.comprehension(target=target, iter=over)
        ):
            yield target, _Element(over)
        case ast.withitem(optional_vars=target) if target is not None:
            yield target, None
        case ast.AugAssign(target=target):
            yield target, None
        case _:
            return


def _member(base: Value, name: str) -> list[Value]:
    if isinstance(base, (types.ModuleType, type)):
        found: Value = inspect.getattr_static(base, name, UNKNOWN)
        return [getattr(found, "__func__", found)]
    if not isinstance(base, Instance):
        return [UNKNOWN]
    found = inspect.getattr_static(base.cls, name, UNKNOWN)
    if isinstance(found, property):
        return _instances(annotation(cast("Function", found.fget), "return"))
    if inspect.isfunction(found):
        return [found]
    return _instances(annotation(base.cls, name))


def annotation(thing: object, name: str) -> object:
    """What a function or class says of that argument, field or result."""
    for base in thing.__mro__ if isinstance(thing, type) else (inspect.unwrap(cast("Any", thing)),):
        hint: object = getattr(base, "__annotations__", {}).get(name)
        if hint is None:
            continue
        if not isinstance(hint, str):
            return hint
        spaces = getattr(base, "__globals__", None)
        if spaces is None:
            spaces = vars(inspect.getmodule(base) or typing)
        try:  # the annotation of a class that is imported already: Python itself reads it so
            return eval(hint, dict(spaces))
        except Exception:  # a name that is only there for type checkers
            return None
    return None


def _instances(hint: object) -> list[Value]:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return [
            value
            for one in typing.get_args(hint)
            if one is not type(None)
            for value in _instances(one)
        ]
    return [Instance(hint)] if isinstance(hint, type) else [UNKNOWN]
