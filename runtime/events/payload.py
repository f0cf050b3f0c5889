"""JSON values that nobody can change.

One event object is handed to many agents, so its payload must not be writable by any of
them. `freeze` copies JSON values into subclasses of dict and list whose writing methods
raise. They equal, encode, pickle and copy like plain ones.

Rejected: `types.MappingProxyType` (not a dict: does not encode, pickle or copy, and is
unequal to one) and copying per delivery (a payload handed to 100 agents is copied 100 times).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Never, TypeAlias, cast

import orjson

from choreia.runtime.errors import InvalidPayload, PayloadTooLarge
from choreia.runtime.events.limits import DEFAULT_LIMITS, Limits

Json: TypeAlias = "None | bool | int | float | str | Mapping[str, Json] | Sequence[Json]"
"""What JSON can hold, as Python has it."""

_LEAST_INT, _GREATEST_INT = -(2**63), 2**64 - 1  # what orjson encodes
# An upper bound of the encoded size: a character takes at most 6 bytes (\u001f), a number or
# word at most 24; with its quotes, colon and comma an entry adds at most 32 to its texts, and
# a container 2 to its entries. Only a payload whose bound is above the limit is encoded to
# learn its exact size.
_PER_CHARACTER, _PER_ENTRY = 6, 32


def _refuse(self: object, *_: object, **__: object) -> Never:
    raise TypeError(
        "an event's payload cannot be changed, because other agents have the same object; "
        "change a copy: event.copy_payload()"
    )


class _DraftDict(dict[Any, object]):
    """A `FrozenDict` in the making: the class is exchanged when it is filled and checked."""

    __slots__ = ()


class _DraftList(list[object]):
    """A `FrozenList` in the making."""

    __slots__ = ()


class FrozenDict(dict[str, Any]):
    """A dict of JSON values that cannot be changed, all the way down.

    Making one from a mapping is `freeze`: copied, checked, and refused if it is not JSON.
    Its values are typed `Any`, as those of `json.loads` are: a handler knows what it was sent,
    and with `Json` every ``payload["amount"] > 5`` would need a cast.
    """

    __slots__ = ()

    def __new__(cls, *args: object, **kwargs: object) -> FrozenDict:
        return freeze(dict(*args, **kwargs))

    def __init__(self, *_: object, **__: object) -> None:
        """Nothing: a second call must not write, as dict's own would."""

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse
    __setattr__ = _refuse

    def __copy__(self) -> FrozenDict:
        return self

    def __deepcopy__(self, memo: object) -> FrozenDict:
        return self

    def __reduce_ex__(self, protocol: object) -> tuple[object, ...]:
        return sealed_dict, (dict(self),)


class FrozenList(list[Any]):
    """A list of JSON values that cannot be changed, all the way down."""

    __slots__ = ()

    def __new__(cls, values: Iterable[object] = ()) -> FrozenList:
        return cast(FrozenList, freeze({"list": list(values)})["list"])

    def __init__(self, values: Iterable[object] = ()) -> None:
        """Nothing: a second call must not write, as list's own would."""

    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = clear = extend = insert = pop = remove = _refuse
    reverse = sort = _refuse
    __setattr__ = _refuse

    def __copy__(self) -> FrozenList:
        return self

    def __deepcopy__(self, memo: object) -> FrozenList:
        return self

    def __reduce_ex__(self, protocol: object) -> tuple[object, ...]:
        return sealed_list, (list(self),)


def freeze(value: object, limits: Limits = DEFAULT_LIMITS, path: str = "payload") -> FrozenDict:
    """A deep, immutable copy of a mapping of JSON values.

    Tuples become lists, other mappings dicts, and subclasses of str, int and float plain
    ones. What is frozen already is used as it is. `path` is what messages call the whole.

    Raises `InvalidPayload` for what JSON cannot hold (NaN, infinities, keys that are no
    strings, integers beyond 64 bits, lone surrogates, any other type) and `PayloadTooLarge`
    for more bytes or deeper nesting than `limits` allows; both name the path of the fault.
    """
    if type(value) is FrozenDict:
        return value if limits is DEFAULT_LIMITS else _within(value, limits, path)
    if type(value) is not dict and not isinstance(value, Mapping):
        raise InvalidPayload(
            f"{path} is {_kind(value)}, not a mapping: give a dict, or an instance of a class "
            "declared with @event_type",
            path=path,
        )
    try:
        frozen, bound = _freeze_dict(value, limits.payload_depth)  # pyright: ignore[reportUnknownArgumentType]
    except _Fault as fault:
        raise fault.at(path, limits) from None
    if bound > limits.payload_bytes:
        _check_size(frozen, limits, path)
    return frozen


def thaw(value: Mapping[str, Any]) -> dict[str, Any]:
    """A deep, plain, writable copy."""
    return {key: _thaw(item) for key, item in value.items()}


class _Fault(Exception):
    """A value that cannot be frozen; each level on the way up adds the key it was under.

    So the path, which costs more to write than a small payload does to freeze, is only put
    together when something is wrong.
    """

    def __init__(self, problem: str, *, too_deep: bool = False) -> None:
        self.problem = problem
        self.too_deep = too_deep
        self.keys: list[object] = []

    def at(self, path: str, limits: Limits) -> InvalidPayload:
        where = join_path(path, reversed(self.keys))
        message = f"{where}: {self.problem}"
        if self.too_deep:
            return PayloadTooLarge(message, limit=limits.payload_depth, path=where)
        return InvalidPayload(message, path=where)


# The two functions below are one idea written twice, with the scalars in line: `freeze` of a
# small payload is on the path of every emitted event. ``{"i": 1}`` takes 0.4 µs; with a call
# per value, or `cast`, which is one, it took 0.7 (CPython 3.11, timeit on 2 cores).
# They return the frozen copy and the bound of its size.


def _freeze_dict(value: Mapping[Any, object], room: int) -> tuple[FrozenDict, int]:
    if not room:
        raise _Fault(_TOO_DEEP, too_deep=True)
    draft = _DraftDict(value)  # one step: no thread can be in between
    characters = 0
    bound = len(draft) * _PER_ENTRY + 2
    key: object = None
    try:
        for key, item in draft.items():
            if type(key) is not str:
                return _freeze_dict(_plain_keys(draft), room)
            if not key.isascii():
                _check_text(key)
            characters += len(key)
            if type(item) is str:
                if not item.isascii():
                    _check_text(item)
                characters += len(item)
            elif type(item) is int:
                if not _LEAST_INT <= item <= _GREATEST_INT:
                    raise _Fault(_TOO_LONG)
            elif type(item) is float:
                if item - item != 0.0:
                    raise _Fault(_NOT_FINITE)
            elif item is not None and item is not True and item is not False:
                draft[key], more = _freeze_other(item, room)
                bound += more
    except _Fault as fault:
        fault.keys.append(key)
        raise
    draft.__class__ = FrozenDict  # type: ignore[assignment]
    return draft, bound + characters * _PER_CHARACTER  # type: ignore[return-value]


def _freeze_list(value: Iterable[object], room: int) -> tuple[FrozenList, int]:
    if not room:
        raise _Fault(_TOO_DEEP, too_deep=True)
    draft = _DraftList(value)
    characters = index = 0
    bound = len(draft) * _PER_ENTRY + 2
    try:
        for index, item in enumerate(draft):
            if type(item) is str:
                if not item.isascii():
                    _check_text(item)
                characters += len(item)
            elif type(item) is int:
                if not _LEAST_INT <= item <= _GREATEST_INT:
                    raise _Fault(_TOO_LONG)
            elif type(item) is float:
                if item - item != 0.0:
                    raise _Fault(_NOT_FINITE)
            elif item is not None and item is not True and item is not False:
                draft[index], more = _freeze_other(item, room)
                bound += more
    except _Fault as fault:
        fault.keys.append(index)
        raise
    draft.__class__ = FrozenList  # type: ignore[assignment]
    return draft, bound + characters * _PER_CHARACTER  # type: ignore[return-value]


def _freeze_other(item: object, room: int) -> tuple[object, int]:
    """Freeze what is no plain scalar. `room`: how many containers may still be opened."""
    kind = type(item)
    if kind is dict:  # first the common ones: asking for a Mapping takes 0.3 µs
        return _freeze_dict(cast("Mapping[Any, object]", item), room - 1)
    if kind is list or kind is tuple:
        return _freeze_list(cast("Iterable[object]", item), room - 1)
    if isinstance(item, (FrozenDict, FrozenList)):
        return item, _bound(item, room - 1)
    if isinstance(item, Mapping):
        return _freeze_dict(cast("Mapping[Any, object]", item), room - 1)
    if isinstance(item, (list, tuple)):
        return _freeze_list(cast("Iterable[object]", item), room - 1)
    if isinstance(item, str):
        _check_text(item)
        return str.__str__(item), len(item) * _PER_CHARACTER
    if isinstance(item, int):
        item = int.__int__(item)
        if not _LEAST_INT <= item <= _GREATEST_INT:
            raise _Fault(_TOO_LONG)
        return item, 0
    if isinstance(item, float):
        item = float.__float__(item)
        if item - item != 0.0:
            raise _Fault(_NOT_FINITE)
        return item, 0
    raise _Fault(_not_json(item))


def _within(value: FrozenDict, limits: Limits, path: str) -> FrozenDict:
    """What was frozen under the default limits, if it keeps to these."""
    try:
        bound = _bound(value, limits.payload_depth)
    except _Fault as fault:
        raise fault.at(path, limits) from None
    if bound > limits.payload_bytes:
        _check_size(value, limits, path)
    return value


def _bound(value: FrozenDict | FrozenList, room: int) -> int:
    """The bound of something frozen: walked for its depth and size, not copied or checked."""
    if not room:
        raise _Fault(_TOO_DEEP, too_deep=True)
    total = len(value) * _PER_ENTRY + 2
    if isinstance(value, FrozenDict):
        total += sum(map(len, value)) * _PER_CHARACTER
    items = value.values() if isinstance(value, FrozenDict) else value
    for item in items:
        if type(item) is str:
            total += len(item) * _PER_CHARACTER
        elif isinstance(item, (FrozenDict, FrozenList)):
            total += _bound(item, room - 1)
    return total


def _plain_keys(value: Mapping[Any, object]) -> dict[str, object]:
    """The same mapping with subclasses of str (enumerations) as plain keys, or a fault."""
    plain: dict[str, object] = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise _Fault(f"the key {_shown(key)} is {_kind(key)}; JSON has only strings as keys")
        plain[str.__str__(key)] = item
    return plain


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise _Fault(
            f"the text has a lone surrogate ({error.object[error.start]!r} at {error.start}), "
            "which UTF-8 cannot hold"
        ) from None


def _check_size(frozen: FrozenDict, limits: Limits, path: str) -> None:
    size = len(orjson.dumps(frozen))
    if size > limits.payload_bytes:
        raise PayloadTooLarge(
            f"{path or 'the event'} is {size:,} bytes of JSON, {limits.payload_bytes:,} are "
            "allowed: keep large data elsewhere and send a reference to it",
            limit=limits.payload_bytes,
            path=path,
        )


def sealed_dict(plain: dict[str, object]) -> FrozenDict:
    """What was frozen when it was pickled or stored needs no second check; its containers must be
    frozen."""
    draft = _DraftDict(plain)
    draft.__class__ = FrozenDict  # type: ignore[assignment]
    return cast(FrozenDict, draft)


def sealed_list(plain: list[object]) -> FrozenList:
    draft = _DraftList(plain)
    draft.__class__ = FrozenList  # type: ignore[assignment]
    return cast(FrozenList, draft)


def _thaw(value: Any) -> Any:
    if isinstance(value, Mapping):
        return thaw(cast("Mapping[str, Any]", value))
    if isinstance(value, list):
        return [_thaw(item) for item in cast("Sequence[Any]", value)]
    return value


_TOO_DEEP = "nested deeper than the limit allows (or it contains itself): flatten it"
_TOO_LONG = "the integer has more than 64 bits: send it as a string"
_NOT_FINITE = "JSON has neither NaN nor infinities: send None, or a string"
_HINTS = {
    "bytes": "send text, for example base64",
    "bytearray": "send text, for example base64",
    "datetime": "send .timestamp() or .isoformat()",
    "date": "send .isoformat()",
    "Decimal": "send str(…), or a whole number of the smallest unit",
    "UUID": "send str(…)",
    "set": "send a sorted list",
    "frozenset": "send a sorted list",
    "complex": "send [real, imag]",
}


def _not_json(item: object) -> str:
    hint = _HINTS.get(type(item).__name__, "send dicts, lists, strings, numbers, True/False, None")
    return f"a value {_kind(item)} is not JSON: {hint}"


def _kind(value: object) -> str:
    return f"of type {type(value).__qualname__}"


def join_path(path: str, keys: Iterable[object]) -> str:
    """The path of what lies under `keys`: ``payload.items[3].when``, ``payload['a b']``."""
    return (path + "".join(map(_step, keys))).removeprefix(".")


def _step(key: object) -> str:
    if isinstance(key, str) and key.isidentifier() and key.isascii() and len(key) <= 60:
        return f".{key}"
    return f"[{_shown(key)}]"


def _shown(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."


EMPTY: FrozenDict = sealed_dict({})
"""The frozen empty mapping."""
