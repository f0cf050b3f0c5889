"""Tells whether a state class still is the one that a snapshot was made of.

A snapshot is what a fold had come to; whoever changes a field, or what a method makes of an event,
wants another fold. So both go into the fingerprint: the fields of the class, of those it is made of
and derives from, and the compiled code of their methods. What methods call elsewhere does not: for
that there is `snapshot_version`.

Compiled code differs between releases of Python, so an upgrade folds anew, once: too often is only
slow, too rarely would be wrong. Rejected: the source's text (a comment would count, and it is not
always there), and a number that the author counts up (forgotten once, wrong for ever).
"""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import MISSING, is_dataclass
from dataclasses import fields as fields_of_dataclass
from types import CodeType
from typing import Any, get_args

import attrs

from choreia.actors.marks import topics_of
from choreia.runtime.events.schema import type_of


def fingerprint(cls: type, version: str = "") -> str:
    """32 hexadecimal digits that change with the class."""
    digest = hashlib.blake2b(digest_size=16)
    for word in (*sys.version_info[:2], version, *_words(cls, set())):
        digest.update(str(word).encode())
        digest.update(b"\0")
    return digest.hexdigest()


def _words(cls: type, seen: set[type]) -> Iterator[object]:
    if cls in seen or cls.__module__ in ("builtins", "typing", "enum", "collections.abc"):
        return
    seen.add(cls)
    yield f"class {cls.__module__}.{cls.__qualname__}"
    declared = type_of(cls)
    if declared is not None:
        yield declared
    for name, kind, default in _fields(cls):
        yield f"field {name}: {kind if get_args(kind) else getattr(kind, '__qualname__', kind)}"
        yield from _default(default)
        for inner in _classes(kind):
            yield from _words(inner, seen)
    for name, value in vars(cls).items():
        function = inspect.unwrap(getattr(value, "fget", None) or getattr(value, "__func__", value))
        code = getattr(function, "__code__", None)
        if isinstance(code, CodeType):
            if not _is_made(function, cls):
                yield f"method {name}"
                yield from _function(function, code)
        elif not name.startswith("__") and isinstance(value, _CONSTANTS):
            yield f"constant {name}"
            yield _constant(value)
    for base in cls.__bases__:
        yield from _words(base, seen)


def _is_made(function: object, cls: type) -> bool:
    """By attrs or dataclasses, from the fields, which are in it already."""
    code: CodeType = function.__code__  # type: ignore[attr-defined]
    return code.co_filename.startswith("<") or getattr(function, "__module__", "") != cls.__module__


def _fields(cls: type) -> list[tuple[str, Any, object]]:
    if attrs.has(cls):
        with suppress(NameError):  # of a class inside a function: its text must do
            attrs.resolve_types(cls)
        return [(field.name, field.type, field.default) for field in attrs.fields(cls)]
    if is_dataclass(cls):
        return [
            (field.name, field.type, field.default)
            if field.default is not MISSING
            else (field.name, field.type, attrs.Factory(field.default_factory))  # type: ignore[arg-type]
            for field in fields_of_dataclass(cls)
        ]
    return []


def _default(default: object) -> Iterator[object]:
    """What a field is at first: a value, or what makes it."""
    factory = getattr(default, "factory", None)  # of attrs
    code = getattr(factory, "__code__", None)
    if isinstance(code, CodeType):
        yield from _code(code)
    elif callable(factory):
        yield getattr(factory, "__qualname__", "")
    elif isinstance(default, _CONSTANTS):
        yield _constant(default)


def _function(function: Any, code: CodeType) -> Iterator[object]:
    """What it does, what it assumes, and what it is told of."""
    yield from _code(code)
    for value in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).items()):
        yield _constant(value) if isinstance(value, _CONSTANTS) else type(value).__qualname__
    yield from topics_of(function)


_CONSTANTS = (str, bytes, int, float, complex, type(None), tuple, frozenset)


def _constant(value: object) -> str:
    # Sets have an order of their own in each process.
    return str(sorted(map(repr, value))) if isinstance(value, frozenset) else repr(value)


def _classes(kind: object) -> Iterator[type]:
    """Those that an annotation is made of."""
    if inspect.isclass(kind) and not get_args(kind):
        yield kind
    for inner in get_args(kind):
        yield from _classes(inner)


def _code(code: CodeType) -> Iterator[object]:
    yield code.co_code.hex()
    yield code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _code(constant)
        else:
            yield _constant(constant)
