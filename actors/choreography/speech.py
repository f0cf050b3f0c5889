"""What the methods of an agent emit, read off their source.

A method says what stands in it, and in the methods and functions that it calls with the agent in
hand, with the arguments that it gives them. Where a type cannot be told it is *open*: it may say
more than is seen.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from types import FunctionType
from typing import cast

import attrs

from choreia.actors.agent import Agent
from choreia.actors.choreography.source import Function, Sources, short
from choreia.actors.choreography.values import UNKNOWN, Instance, Own, Scope, Text, Value
from choreia.runtime.delivery.emission import VERSION
from choreia.runtime.events.schema import type_of
from choreia.runtime.insight.choreography import Payload, Place
from choreia.runtime.insight.schemas import schema_of

_SAYING = {"emit": 0, "emit_now": 0, "emit_now_async": 0, "after": 1, "at": 1}
"""Methods of `Agent` that emit, and which argument is the type."""
_WAYS = 50
"""With so many different arguments a function is followed; called in more ways, it is open."""
_HARMLESS = frozenset({isinstance, type, getattr, hasattr, id, repr, str, hash, super, len})


@attrs.frozen
class Utterance:
    """One emission in the source: its type may have pieces that only the agent knows."""

    type: str | Text
    place: Place
    timer: bool = False
    payload: Payload | None = None


Given = tuple[tuple[str, tuple[Value, ...]], ...]
"""Arguments, by name, and all that each may stand for."""


@attrs.frozen
class Call:
    """A function that is called with the agent in hand."""

    function: Function
    me: str
    """The argument that is the agent."""
    given: Given = ()
    """The others, as far as they are known."""


@attrs.frozen
class Speech:
    """What a method says by itself, and whom it calls."""

    says: tuple[Utterance, ...] = ()
    open: bool = False
    calls: tuple[Call, ...] = ()
    awaits: tuple[str, ...] = ()
    """Patterns of what it waits for from outside."""
    loose: bool = False
    """Whether it yields what cannot be told: events in a handler, anything in a helper."""
    delegates: bool = False
    """Whether what its helpers yield is what it yields."""


class Speaker:
    """The methods of one class of agents."""

    def __init__(self, cls: type[Agent], sources: Sources) -> None:
        self.cls = cls
        self._sources = sources
        self._known: dict[Call, Speech] = {}

    def whole(self, function: Function) -> Speech:
        """What a method says, with all that it calls (which `calls` then names)."""
        seen = {self._entry(function): None}
        todo = list(seen)
        ways: dict[Function, int] = {}
        parts: list[Speech] = []
        while todo:
            call = todo.pop(0)
            parts.append(speech := self._speech(call))
            for one in speech.calls:
                ways[one.function] = ways.get(one.function, 0) + 1
                # A function may call itself with ever longer texts.
                met = one if ways[one.function] < _WAYS else attrs.evolve(one, given=())
                if met not in seen:
                    seen[met] = None
                    todo.append(met)
        return Speech(
            tuple(said for part in parts for said in part.says),
            any(part.open for part in parts) or _is_loose(parts),
            tuple(seen)[1:],
            tuple(dict.fromkeys(one for part in parts for one in part.awaits)),
        )

    def _entry(self, function: Function) -> Call:
        inner = inspect.unwrap(function)
        code = getattr(inner, "__code__", None)
        return Call(inner, code.co_varnames[0] if code is not None and code.co_argcount else "")

    def _speech(self, call: Call) -> Speech:
        known = self._known.get(call)
        if known is None:
            tree = self._sources.tree(call.function)
            if tree is None:
                known = Speech(open=True)
            else:
                scope = Scope(call.function, tree, self.cls, call.me, dict(call.given))
                known = _Reading(scope).speech()
            self._known[call] = known
        return known


class _Reading:
    """Of one function."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.says: list[Utterance] = []
        self.calls: list[Call] = []
        self.awaits: list[str] = []
        self.open = False
        self.loose = False
        self.delegates = False
        self._called: set[int] = set()  # the nodes of `self.emit` that are called
        self._file = short(cast("FunctionType", scope.function).__code__.co_filename)

    def speech(self) -> Speech:
        body = self.scope.tree.body
        nodes = body if isinstance(body, list) else [body]
        for node in [each for one in nodes for each in ast.walk(one)]:
            match node:
                case ast.Call():
                    self._call(node)
                case ast.Yield(value=value):
                    self._yield(node, value)
                case ast.YieldFrom(value=value):
                    self._yield_from(value)
                case ast.Attribute(value=value) if self.scope.is_me(value):
                    self._own(node)
                case _:
                    pass
        calls = tuple(dict.fromkeys(self.calls))
        awaits = tuple(self.awaits)
        return Speech(tuple(self.says), self.open, calls, awaits, self.loose, self.delegates)

    # -- calls -----------------------------------------------------------------------------

    def _call(self, node: ast.Call) -> None:
        function = node.func
        if self._is_saying(function):
            self._called.add(id(function))
            place = _SAYING[cast("ast.Attribute", function).attr]
            type, payload = _argument(node, place, "type"), _argument(node, place + 1, "payload")
            self._say(node, type, payload, timer=place > 0)
            return
        if _is_super(function):
            self._super(cast("ast.Attribute", function).attr, node)
            return
        if isinstance(function, ast.Attribute) and self.scope.is_me(function.value):
            self._called.add(id(function))
            self._own(function, node)
        for place, argument in enumerate(node.args):
            if self.scope.is_me(argument):
                self._hand_over(node, place)

    def _is_saying(self, function: ast.expr) -> bool:
        return (
            isinstance(function, ast.Attribute)
            and function.attr in _SAYING
            and self.scope.is_me(function.value)
        )

    def _hand_over(self, node: ast.Call, place: int) -> None:
        """The agent is given to a function: what that says with it, the agent says."""
        for called in self.scope.values(node.func):
            if isinstance(called, FunctionType):
                inner = inspect.unwrap(called)
                code = inner.__code__
                if place < code.co_argcount:
                    given = self._given(inner, node, 0)
                    self.calls.append(Call(inner, code.co_varnames[place], given))
            elif called not in _HARMLESS:
                self.open = True

    def _super(self, name: str, node: ast.Call) -> None:
        owner = _owner(self.scope.function, self.scope.cls)
        mro = self.scope.cls.__mro__
        for base in mro[mro.index(owner) + 1 :] if owner in mro else ():
            if name in vars(base):
                self._follow(vars(base)[name], node)
                return

    def _own(self, node: ast.Attribute, call: ast.Call | None = None) -> None:
        if call is None and id(node) in self._called:
            return
        if node.attr in _SAYING:
            self.open = True  # it is given away
        elif node.attr == "awaits" and call is not None:
            self._await(call)
        elif not hasattr(Agent, node.attr) or node.attr in vars(self.scope.cls):
            self._follow(self.scope.own(node.attr), call)

    def _follow(self, found: Value, call: ast.Call | None) -> None:
        if isinstance(found, property):
            found, call = found.fget, None
        static = isinstance(found, staticmethod)
        found = getattr(found, "__func__", getattr(found, "func", found))
        inner = inspect.unwrap(found) if isinstance(found, FunctionType) else None
        if inner is None or static or _of_the_runtime(inner) or not inner.__code__.co_argcount:
            return
        given = () if call is None else self._given(inner, call, 1)
        self.calls.append(Call(inner, inner.__code__.co_varnames[0], given))

    def _given(self, function: FunctionType, node: ast.Call, before: int) -> Given:
        """What the arguments of a call stand for; what is not known of is left out."""
        passed: dict[str, list[Value]] = {}
        with suppress(TypeError, ValueError):  # it does not fit: an error when it runs, not here
            stars = any(isinstance(one, ast.Starred) for one in node.args)
            named = {one.arg: one.value for one in node.keywords if one.arg is not None}
            if stars or len(named) < len(node.keywords):
                return ()
            bound = inspect.signature(function).bind(*[None] * before, *node.args, **named)
            several = function.__code__.co_flags & inspect.CO_VARARGS
            for name, value in _filled(bound).items():
                if isinstance(value, ast.expr):
                    passed[name] = self.scope.values(value)
                elif several and isinstance(value, tuple):
                    parts = cast("tuple[object, ...]", value)
                    passed[name] = [tuple(self._one(part) for part in parts)]
                elif value is not None:
                    passed[name] = [value]
        known = {name: tuple(dict.fromkeys(_hashable(those))) for name, those in passed.items()}
        return tuple((name, those) for name, those in known.items() if UNKNOWN not in those)

    def _one(self, node: object) -> Value:
        found = self.scope.values(node) if isinstance(node, ast.expr) else [UNKNOWN]
        return found[0] if len(found) == 1 else UNKNOWN

    def _await(self, node: ast.Call) -> None:
        for argument in node.args:
            for value in _hashable(self.scope.values(argument)):
                declared = type_of(value) if isinstance(value, type) else None
                if isinstance(value, str):
                    self.awaits.append(str.__str__(value))
                elif declared is not None:
                    self.awaits.append(declared[0])

    # -- what is said ------------------------------------------------------------------------

    def _yield(self, node: ast.Yield, value: ast.expr | None) -> None:
        if value is None or self._is_context():
            return
        before, self.open = self.open, False
        if isinstance(value, ast.Tuple) and len(value.elts) == 2:
            self._say(node, value.elts[0], value.elts[1])
        else:
            self._say(node, value, None)
        self.loose, self.open = self.loose or self.open, before

    def _yield_from(self, value: ast.expr) -> None:
        self.delegates = True
        own = isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute)
        if not own or not self.scope.is_me(
            cast("ast.Attribute", cast("ast.Call", value).func).value
        ):
            self.open = True

    def _is_context(self) -> bool:
        """Whether it is written for ``with``: what such a generator yields is no event."""
        tree = self.scope.tree
        names = [] if isinstance(tree, ast.Lambda) else tree.decorator_list
        return any("contextmanager" in ast.unparse(one) for one in names)

    def _say(
        self,
        node: ast.expr,
        type: ast.expr | None,
        payload: ast.expr | None,
        *,
        timer: bool = False,
    ) -> None:
        if type is None:
            self.open = True
            return
        place = Place(self._file, node.lineno)
        held = self._payload(payload)
        for value in dict.fromkeys(_hashable(self.scope.values(type))):
            declared = type_of(value.cls) if isinstance(value, Instance) else None
            if isinstance(value, str):
                self.says.append(Utterance(str.__str__(value), place, timer, held))
            elif isinstance(value, (Text, Own)):
                text = value if isinstance(value, Text) else Text((value,))
                self.says.append(Utterance(text, place, timer, held))
            elif declared is not None and isinstance(value, Instance):
                self.says.append(
                    Utterance(declared[0], place, timer, payload_of(value.cls, declared[1]))
                )
            else:
                self.open = True

    def _payload(self, node: ast.expr | None) -> Payload | None:
        """What is known of a payload that is given beside its type."""
        if node is None:
            return None
        if isinstance(node, ast.Dict):
            return self._literal(node)
        for value in self.scope.values(node):
            if isinstance(value, Instance) and type_of(value.cls) is not None:
                return payload_of(value.cls, (type_of(value.cls) or ("", VERSION))[1])
        return None

    def _literal(self, node: ast.Dict) -> Payload | None:
        fields: dict[str, object] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
                return None
            fields[key.value] = _constant_schema(value)
        schema: dict[str, object] = {"type": "object", "properties": fields}
        return Payload(VERSION, schema | ({"required": list(fields)} if fields else {}))


def _is_loose(parts: list[Speech]) -> bool:
    """Of a handler with its helpers, the handler first."""
    delegated = any(part.delegates for part in parts)
    return any(part.loose for part in (parts if delegated else parts[:1]))


def payload_of(cls: type, version: str) -> Payload:
    return Payload(version, schema_of(cls), cls.__name__)


def _constant_schema(node: ast.expr) -> dict[str, object]:
    if not isinstance(node, ast.Constant):
        return {}
    kinds: Iterable[tuple[type, str]] = (
        (bool, "boolean"),
        (int, "integer"),
        (float, "number"),
        (str, "string"),
    )
    name = next((name for kind, name in kinds if isinstance(node.value, kind)), None)
    return {} if name is None else {"type": name, "enum": [node.value]}


def _argument(node: ast.Call, place: int, name: str) -> ast.expr | None:
    if len(node.args) > place and not any(isinstance(one, ast.Starred) for one in node.args):
        return node.args[place]
    return next((one.value for one in node.keywords if one.arg == name), None)


def _is_super(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Call)
        and isinstance(function.value.func, ast.Name)
        and function.value.func.id == "super"
    )


def _filled(bound: inspect.BoundArguments) -> Mapping[str, object]:
    bound.apply_defaults()
    return cast("Mapping[str, object]", bound.arguments)


def _owner(function: Function, cls: type) -> type | None:
    """The class in which a method is written."""
    return next((base for base in cls.__mro__ if _has(vars(base).values(), function)), None)


def _has(values: Iterable[object], function: Function) -> bool:
    return any(inspect.isfunction(one) and inspect.unwrap(one) is function for one in values)


def _of_the_runtime(function: Function) -> bool:
    return function.__module__.startswith("choreia.actors.")


def _hashable(values: Iterable[Value]) -> Iterator[Value]:
    for value in values:
        try:
            hash(value)
        except TypeError:
            yield UNKNOWN
        else:
            yield value
