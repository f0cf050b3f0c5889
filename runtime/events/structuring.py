"""How typed payloads become JSON and come back: cattrs, made strict.

cattrs coerces by default: ``int("5")`` is 5, ``str(None)`` is ``"None"``, ``list("abc")`` has
three elements. For payloads of others' making that hides faults until they hurt, so here a
value of another JSON type than declared is a problem. Two things are let through: a whole
number where a float is declared, and fields that the class does not have, because a minor
version may add some.

Beside JSON's own types: attrs classes and dataclasses, enumerations, `Literal`, unions,
lists, tuples, sets, mappings; datetimes and dates as ISO 8601, `Decimal` and `UUID` as
text, bytes as base85.

Importing this module loads cattrs; `schema` does so when the first typed payload is seen.
"""

from __future__ import annotations

import dataclasses
import threading
from base64 import b85decode
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, ParamSpec, get_origin
from uuid import UUID

import attrs
import cattrs
from cattrs.cols import is_frozenset, is_sequence, is_set
from cattrs.preconf.json import make_converter

from choreia.runtime.errors import SchemaError
from choreia.runtime.events.display import plain

_P = ParamSpec("_P")
_Structure = Callable[[object, Any], Any]
_Unstructure = Callable[[object], dict[str, object]]

_LONGEST_PROBLEM: Final = 200


class _Wrong(ValueError):
    """A value of another JSON type than the class declares."""

    def __init__(self, expected: str, value: object) -> None:
        super().__init__(f"expected {expected}, got {_json_type(value)}")


def structurer(cls: type) -> _Structure:
    """The function that makes an instance of `cls` from a mapping.

    Raises `SchemaError` when a field's type cannot be understood.
    """
    known = _structurers.get(cls)
    if known is None:
        known = _structurers[cls] = _hook(_converter.get_structure_hook, cls)
    return known


def unstructurer(cls: type) -> _Unstructure:
    """The function that makes a plain dict from an instance of `cls`.

    Raises `SchemaError` when a field's type cannot be understood.
    """
    known = _unstructurers.get(cls)
    if known is None:
        known = _unstructurers[cls] = _hook(_converter.get_unstructure_hook, cls)
    return known


def problems(error: Exception) -> list[str]:
    """Everything wrong with a payload, a line each: ``<what> @ payload.lines[2].price``."""
    return [
        plain(line, _LONGEST_PROBLEM) for line in cattrs.transform_error(error, "payload", _tell)
    ]


def _hook(get: Callable[[type], Callable[_P, Any]], cls: type) -> Callable[_P, Any]:
    try:
        with _building:
            return get(cls)
    except Exception as error:  # whatever resolving an annotation can raise
        raise SchemaError(
            f"{cls.__module__}.{cls.__qualname__} cannot be a payload: {error}. Give every field "
            "a type that cattrs understands, defined where get_type_hints finds it"
        ) from error


def _tell(error: BaseException, type: type | None) -> str:
    if isinstance(error, KeyError):
        return "required field missing"
    if isinstance(error, cattrs.StructureHandlerNotFoundError) or not str(error):
        return f"invalid value ({error.__class__.__name__})"
    return str(error)


def _json_type(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, Mapping):
        return "object"
    names = {bool: "boolean", int: "integer", float: "number", str: "string"}
    return next((name for kind, name in names.items() if isinstance(value, kind)), "array")


def _exact(kind: type, name: str) -> _Structure:
    def structure(value: object, target: Any) -> object:
        if type(value) is not kind:
            raise _Wrong(name, value)
        # cattrs asks for subclasses here too: enumerations of strings, or a `class Sku(str)`.
        return target(value) if target is not kind and isinstance(target, type) else value

    return structure


def _number(value: object, _: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _Wrong("number", value)
    return float(value)


def _from_text(read: Callable[[str], object], name: str) -> _Structure:
    def structure(value: object, _: object) -> object:
        if not isinstance(value, str):
            raise _Wrong(f"string ({name})", value)
        try:
            return read(value)
        except (ValueError, InvalidOperation):
            raise ValueError(f"expected {name}, got {value[:40]!r}") from None

    return structure


class _Expecting:
    """Puts a check of the JSON type before whatever hook cattrs has for some targets.

    cattrs asks predicates newest first. Ours says no once, while its factory asks cattrs for
    the hook that would have been used without it; so no private part of cattrs is needed.
    """

    def __init__(
        self, kinds: type | tuple[type, ...], name: str, applies: Callable[[Any], bool]
    ) -> None:
        self._kinds, self._name, self._applies = kinds, name, applies
        self._asking: object = None

    def accepts(self, target: Any) -> bool:
        if target is self._asking:
            self._asking = None
            return False
        return self._applies(target)

    def factory(self, target: Any, converter: cattrs.BaseConverter) -> _Structure:
        self._asking = target
        inner = converter.get_structure_hook(target, cache_result=False)
        kinds, name = self._kinds, self._name

        def structure(value: object, of: Any) -> Any:
            if not isinstance(value, kinds):
                raise _Wrong(name, value)
            return inner(value, of)

        return structure


def _is_array(target: Any) -> bool:
    kind = get_origin(target) or target
    return (
        is_sequence(target)
        or is_set(target)
        or is_frozenset(target)
        or (isinstance(kind, type) and issubclass(kind, tuple))
    )


def _is_class(target: Any) -> bool:
    kind = get_origin(target) or target
    return isinstance(kind, type) and (attrs.has(kind) or dataclasses.is_dataclass(kind))


def _make_converter() -> cattrs.Converter:
    converter = make_converter(detailed_validation=True)
    json_types: dict[type, str] = {int: "integer", str: "string", bool: "boolean"}
    for kind, name in json_types.items():
        converter.register_structure_hook(kind, _exact(kind, name))
    converter.register_structure_hook(float, _number)
    # `object` says "anything", as Any does; strict type checkers make people write it.
    converter.register_structure_hook_func(lambda target: target is object, lambda value, _: value)
    texts: list[tuple[type, Callable[[str], object], str]] = [
        (datetime, datetime.fromisoformat, "ISO 8601 date and time"),
        (date, date.fromisoformat, "ISO 8601 date"),
        (Decimal, Decimal, "decimal number"),
        (UUID, UUID, "UUID"),
        (bytes, b85decode, "base85"),
    ]
    for kind, read, name in texts:
        converter.register_structure_hook(kind, _from_text(read, name))
    converter.register_unstructure_hook(Decimal, str)
    converter.register_unstructure_hook(UUID, str)
    for expecting in (
        _Expecting(list, "array", _is_array),
        _Expecting(Mapping, "object", _is_class),
    ):
        converter.register_structure_hook_factory(expecting.accepts, expecting.factory)
    return converter


_building = threading.RLock()  # `_Expecting` remembers what it asks
_converter = _make_converter()
_structurers: dict[type, _Structure] = {}
_unstructurers: dict[type, _Unstructure] = {}
