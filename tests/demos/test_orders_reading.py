"""Orders from a file: what is taken, and what is refused with its line."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreia import DemoError
from choreia.demos.orders.order import Order
from choreia.demos.orders.reading import LONGEST_TEXT, read_day

LINE = '{"id": "A-1", "item": "tea", "quantity": 2, "price": 450}'


def day_of(folder: Path, text: str | bytes) -> Path:
    file = folder / "orders.jsonl"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def changed(**fields: object) -> str:
    return json.dumps({**json.loads(LINE), **fields})


def test_orders_and_stock_are_read(tmp_path: Path) -> None:
    full = Order("A-2", "mug", 1, 1250, "4000000000000002", "Oslo", "payment.charged")
    lines = [
        '{"stock": {"tea": 3}}',
        LINE,
        "",
        changed(
            id="A-2", item="mug", quantity=1, price=1250,
            card="4000000000000002", ship_to="Oslo", cancel_on="payment.charged",
        ),
        '{"stock": {"mug": 0}}',
    ]  # fmt: skip
    day = read_day(day_of(tmp_path, "\r\n".join(lines)))
    assert day.orders == (Order("A-1", "tea", 2, 450), full)
    assert day.stock == {"tea": 3, "mug": 0}


def test_a_byte_order_mark_and_line_breaks_inside_of_texts_do_no_harm(tmp_path: Path) -> None:
    text = json.dumps({**json.loads(LINE), "item": "a\u2028b\x85c"}, ensure_ascii=False)
    assert read_day(day_of(tmp_path, f"\ufeff{text}")).orders[0].item == "a\u2028b\x85c"


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("{", "not JSON: Expecting property name enclosed in double quotes (column 2)"),
        ("[1, 2]", "not an order: write a JSON object"),
        ("null", "not an order"),
        ("{}", "the field 'id' is missing"),
        ('{"id": "A-2", "item": "tea", "price": 1}', "the field 'quantity' is missing"),
        (changed(colour="red"), 'an order has no field "colour"; it has id, item, quantity'),
        ('{"id": "A-2", "id": "A-3"}', 'the key "id" is given twice'),
        (LINE, 'there is an order "A-1" already'),
        (changed(id=7), "id is 7; it is a text"),
        (changed(id=""), 'id is ""; it is a text of 1 to'),
        (changed(item="x" * (LONGEST_TEXT + 1)), f"it is a text of 1 to {LONGEST_TEXT}"),
        (changed(card=None), "card is null"),
        (changed(ship_to=["Oslo"]), 'ship_to is ["Oslo"]'),
        (changed(id="\ud800"), "id holds half a character"),
        (changed(quantity=0), "quantity is 0; it is a whole number from 1"),
        (changed(quantity=-1), "quantity is -1"),
        (changed(quantity=1.0), "quantity is 1.0"),
        (changed(quantity=True), "quantity is true"),
        (changed(quantity="2"), 'quantity is "2"'),
        (changed(quantity=10**30), "it is a whole number from 1 to 1,000,000,000"),
        (changed(price=4.5), "price (cents) is 4.5"),
        (changed(price=float("nan")), "price (cents) is NaN"),
        (changed(cancel_on="tomorrow"), 'cancel_on is "tomorrow"; it is null or order.placed,'),
        (changed(cancel_on=["order.placed"]), "cancel_on is ["),
        ('{"stock": [1]}', 'a line about stock is {"stock": {ITEM: PIECES, …}}'),
        ('{"stock": {}, "id": "A-2"}', "and nothing else"),
        ('{"stock": {"tea": -1}}', 'the stock of "tea" is -1; it is a whole number from 0'),
        ('{"stock": {"honey": 1}}', 'the stock of "honey" was given before'),
        ('{"stock": {"": 1}}', 'an item in stock is ""'),
        ("[" * 100_000, "nested too deep"),
        ('{"id": ' + "1" * 5000 + "}", "not usable JSON"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_bad_line_is_named_with_its_fault(tmp_path: Path, line: str, fault: str) -> None:
    file = day_of(tmp_path, f'{LINE}\n{{"stock": {{"honey": 1}}}}\n\n{line}\n')
    with pytest.raises(DemoError) as caught:
        read_day(file)
    assert str(caught.value).startswith(f"{file}, line 4: ")
    assert fault in str(caught.value)


def test_what_is_no_text_is_named_with_its_place(tmp_path: Path) -> None:
    file = day_of(tmp_path, LINE.encode() + b'\n{"id": "\xff"}')
    with pytest.raises(DemoError, match=r"line 2: not UTF-8: invalid start byte at byte 9"):
        read_day(file)


def test_nothing_in_a_message_can_drive_a_terminal(tmp_path: Path) -> None:
    with pytest.raises(DemoError) as caught:
        read_day(day_of(tmp_path, changed(cancel_on="\x1b]0;x\x07\u202e" + "y" * 5000)))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < len(str(tmp_path)) + 300


@pytest.mark.parametrize("text", ["", "\n\n", '{"stock": {"tea": 3}}'])
def test_a_file_without_orders_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(DemoError, match=r"orders\.jsonl: there is no order in it"):
        read_day(day_of(tmp_path, text))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="none: cannot be read: No such file"):
        read_day(tmp_path / "none")
    with pytest.raises(DemoError, match="cannot be read: Is a directory"):
        read_day(tmp_path)
    with pytest.raises(DemoError, match="cannot be read: embedded null"):
        read_day(Path("a\0b"))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
names = st.sampled_from(["id", "item", "quantity", "price", "card", "ship_to", "cancel_on"])
documents = st.dictionaries(names | st.just("stock"), values) | values
lines = st.binary(max_size=40) | documents.map(lambda document: json.dumps(document).encode())


@given(st.lists(lines, max_size=4))
def test_whatever_is_in_a_file_it_is_orders_or_a_demo_error(
    tmp_path_factory: pytest.TempPathFactory, written: list[bytes]
) -> None:
    file = tmp_path_factory.getbasetemp() / f"any-{os.getpid()}.jsonl"
    file.write_bytes(b"\n".join(written))
    with suppress(DemoError):  # anything else that is raised fails the test
        assert all(order.total > 0 for order in read_day(file).orders)
