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
from dataclasses import fields as fields_of_dataclass
from dataclasses import is_dataclass
from types import CodeType
from typing import Any, get_args

import attrs

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
    for name, kind in _fields(cls):
        yield f"field {name}: {getattr(kind, '__qualname__', kind)}"
        for inner in _classes(kind):
            yield from _words(inner, seen)
    for name, value in vars(cls).items():
        function = inspect.unwrap(getattr(value, "fget", None) or getattr(value, "__func__", value))
        code = getattr(function, "__code__", None)
        if isinstance(code, CodeType) and not _is_made(function, cls):
            yield f"method {name}"
            yield from _code(code)
    for base in cls.__bases__:
        yield from _words(base, seen)


def _is_made(function: object, cls: type) -> bool:
    """By attrs or dataclasses, from the fields, which are in it already."""
    code: CodeType = function.__code__  # type: ignore[attr-defined]
    return code.co_filename.startswith("<") or getattr(function, "__module__", "") != cls.__module__


def _fields(cls: type) -> list[tuple[str, Any]]:
    if attrs.has(cls):
        with suppress(NameError):  # of a class inside a function: its text must do
            attrs.resolve_types(cls)
        return [(field.name, field.type) for field in attrs.fields(cls)]
    if is_dataclass(cls):
        return [(field.name, field.type) for field in fields_of_dataclass(cls)]
    return []


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
        elif isinstance(constant, frozenset):  # in an order of its own in each process
            yield sorted(map(repr, constant))
        else:
            yield repr(constant)
