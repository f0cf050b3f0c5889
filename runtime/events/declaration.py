"""Checks that declarations in code share: those of typed payloads and of upcasters."""

from __future__ import annotations

from choreia.runtime.errors import InvalidEvent, SchemaError
from choreia.runtime.events.fields import check_version
from choreia.runtime.events.topic import check_type


def checked_type(type: str) -> str:
    """Return an event type, or raise `SchemaError`."""
    try:
        return check_type(type)
    except InvalidEvent as error:
        raise SchemaError(str(error)) from None


def checked_version(version: str) -> str:
    """Return a version, or raise `SchemaError`."""
    try:
        return check_version(version, "version")
    except InvalidEvent as error:
        raise SchemaError(str(error)) from None


def same_definition(one: object, other: object) -> bool:
    """Whether two classes or functions are the same one, before and after a reload."""
    return _name(one) == _name(other)


def _name(definition: object) -> tuple[str, str]:
    name = getattr(definition, "__qualname__", None) or repr(definition)
    return getattr(definition, "__module__", ""), name


def where(definition: object) -> str:
    """What a class or function is called, with its module, for messages."""
    return ".".join(_name(definition))
