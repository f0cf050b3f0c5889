"""Orders from a JSONL file: a line is an order, or says how much is in stock.

::

    {"stock": {"tea": 3, "mug": 10}}
    {"id": "A-1", "item": "tea", "quantity": 2, "price": 450}
    {"id": "A-2", "item": "mug", "quantity": 1, "price": 1250, "card": "4000000000000002"}
    {"id": "A-3", "item": "mug", "quantity": 1, "price": 1250, "ship_to": "Atlantis"}
    {"id": "A-4", "item": "tea", "quantity": 1, "price": 450, "cancel_on": "order.created"}

Prices are in cents. The file is somebody else's, so nothing in it is taken on trust, and what
is wrong is said with its line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from attrs import NOTHING, define, field, fields

from choreia import DemoError
from choreia.demos.orders.customer import MOMENTS
from choreia.demos.orders.order import Day, Order
from choreia.runtime.events.display import plain

LONGEST_TEXT = 100
MOST = 1_000_000_000
"""Pieces of an item, or cents for one."""

_KNOWN = {one.name for one in fields(Order)}
_REQUIRED = [one.name for one in fields(Order) if one.default is NOTHING]


class _Fault(Exception):
    """What is wrong with a line."""


def read_day(path: Path) -> Day:
    """The orders and the stock in a file. Raises `DemoError`, with the line."""
    name, reader = plain(str(path)), _Reader()
    for number, line in _lines(path):
        try:
            reader.take(_document(line))
        except _Fault as fault:
            raise DemoError(f"{name}, line {number}: {fault}") from None
    if not reader.orders:
        raise DemoError(f"{name}: there is no order in it; write one JSON object on each line")
    return Day(tuple(reader.orders.values()), reader.stock)


@define
class _Reader:
    """What has been read so far: a line may contradict an earlier one."""

    orders: dict[str, Order] = field(factory=dict)
    stock: dict[str, int] = field(factory=dict)

    def take(self, document: object) -> None:
        if not isinstance(document, dict):
            raise _Fault('not an order: write a JSON object, {"id": …, "item": …, …}')
        values = cast("dict[str, object]", document)
        if "stock" in values:
            self._take_stock(values)
        else:
            self._take_order(_order(values))

    def _take_order(self, order: Order) -> None:
        if order.id in self.orders:
            raise _Fault(f"there is an order {_show(order.id)} already; give each an id of its own")
        self.orders[order.id] = order

    def _take_stock(self, values: dict[str, object]) -> None:
        shelf = values.pop("stock")
        if values or not isinstance(shelf, dict):
            raise _Fault('a line about stock is {"stock": {ITEM: PIECES, …}}, and nothing else')
        for item, count in cast("dict[str, object]", shelf).items():
            _text("an item in stock", item)
            if item in self.stock:
                raise _Fault(f"the stock of {_show(item)} was given before")
            self.stock[item] = _whole(f"the stock of {_show(item)}", count, least=0)


def _order(values: dict[str, object]) -> Order:
    unknown = sorted(values.keys() - _KNOWN)
    missing = [name for name in _REQUIRED if name not in values]
    if unknown:
        known = ", ".join(one.name for one in fields(Order))
        raise _Fault(f"an order has no field {_show(unknown[0])}; it has {known}")
    if missing:
        raise _Fault(f"the field {missing[0]!r} is missing")
    order = Order(**values)  # type: ignore[arg-type]  # checked at once, below
    for name in ("id", "item", "card", "ship_to"):
        _text(name, getattr(order, name))
    _whole("quantity", order.quantity, least=1)
    _whole("price (cents)", order.price, least=1)
    if order.cancel_on is not None and order.cancel_on not in MOMENTS:
        raise _Fault(f"cancel_on is {_show(order.cancel_on)}; it is null or {', '.join(MOMENTS)}")
    return order


def _text(name: str, value: object) -> None:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_TEXT:
        raise _Fault(f"{name} is {_show(value)}; it is a text of 1 to {LONGEST_TEXT} characters")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _Fault(f"{name} holds half a character (a lone surrogate)") from None


def _whole(name: str, value: object, *, least: int) -> int:
    # True is an int in Python, and in nobody's JSON.
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= MOST:
        raise _Fault(f"{name} is {_show(value)}; it is a whole number from {least} to {MOST:,}")
    return value


def _show(value: object) -> str:
    return plain(json.dumps(value, ensure_ascii=False), 60)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Those that are not empty. Bytes, because in text more than a line feed would end a line."""
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or error
        raise DemoError(f"{plain(str(path))}: cannot be read: {reason}") from None
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").splitlines(), 1):
        if line.strip():
            yield number, line


def _document(line: bytes) -> object:
    try:
        return json.loads(line.decode(), object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise _Fault(f"not JSON: {error.msg} (column {error.colno})") from None
    except UnicodeDecodeError as error:
        raise _Fault(f"not UTF-8: {error.reason} at byte {error.start + 1}") from None
    except RecursionError:
        raise _Fault("the JSON is nested too deep") from None
    except ValueError as error:  # an integer of thousands of digits
        raise _Fault(f"not usable JSON: {error}") from None


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """JSON does not say which of two equal keys counts, so neither does."""
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise _Fault(f"the key {_show(key)} is given twice")
        found[key] = value
    return found
