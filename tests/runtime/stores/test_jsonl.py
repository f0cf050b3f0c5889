"""An export is the whole store, in any kind of store again; and what was changed is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from choreia import InvalidStore, MemoryStore, SqliteStore
from choreia.runtime.stores.base import EventStore
from choreia.runtime.stores.conformance.making import ODD, append, event, unit
from choreia.runtime.stores.jsonl import export, import_into
from choreia.runtime.stores.unit import (
    Change,
    KeepAttempts,
    KeepInterest,
    KeepLetter,
    KeepRecord,
    KeepResult,
    Letter,
    Seat,
    SetTimer,
    Unit,
)


def fill(store: EventStore) -> EventStore:
    """Something of everything."""
    changes: list[Change] = [
        SetTimer("me", "k", 9.0, event(payload={"x": ODD}), "60 s"),
        KeepLetter(Letter("me", event(), "failed", ODD, "", 1, 1.5, waiting=True, crashes=1)),
        KeepAttempts("me", "e2", 1, 2),
        KeepAttempts("me", "e1", 1, 2),
        KeepResult("me", "e", "call", b'{"value":1}'),
        KeepRecord("me:1", "case", "pay", orjson.dumps({"state": ODD})),
        KeepInterest("me", orjson.dumps([ODD]), durable=False),
    ]
    append(store, event(payload={"big": 2**64 - 1, "small": -(2**63), "float": 0.1 + 0.2}))
    append(store, event(payload={"x": ODD}, source=ODD, id=ODD), event(id="gone"), now=2.25)
    store.commit([Unit(seat=Seat("me"), changes=changes), Unit(seat=Seat("you"))], 3.0)
    store.erase(correlation_id="gone", reason="asked", now=4.0)
    return store


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "events.db")
    yield store
    store.close()


@pytest.fixture
def lines() -> list[bytes]:
    return list(export(fill(MemoryStore())))


def test_it_goes_through_every_kind_of_store_and_is_the_same(
    lines: list[bytes], sqlite: SqliteStore
) -> None:
    assert import_into(sqlite, lines) == 3
    assert list(export(sqlite)) == lines
    again = MemoryStore()
    import_into(again, export(sqlite))
    assert list(export(again)) == lines
    assert sqlite.verify() == again.verify()
    assert sqlite.verify().whole


def test_work_goes_on_in_the_store_that_was_filled(lines: list[bytes], sqlite: SqliteStore) -> None:
    import_into(sqlite, lines)
    assert append(sqlite, event(), now=0.5) == [4]
    assert [one.at for one in sqlite.read(2)] == [2.25, 2.25], "time goes on from where it was"
    fresh = KeepLetter(Letter("me", event(), "failed", "", "", 1, 5.0))
    sqlite.commit([Unit(seat=Seat("me"), changes=[fresh])], 5.0)
    assert [one.number for one in sqlite.letters()] == [1, 2]
    assert [(one.agent, one.epoch) for one in sqlite.cursors()] == [("me", 2), ("you", 1)]
    assert sqlite.verify().whole


def test_each_line_is_json_and_says_what_it_is(lines: list[bytes]) -> None:
    documents = [json.loads(line) for line in lines]
    kinds = [next(iter(document)) for document in documents]
    assert kinds == [
        "format", *["position"] * 3, "cursor", "cursor", "timer", "letter", "attempts", "attempts",
        "result", "record", "interest", "erasure", "events",
    ]  # fmt: skip
    assert documents[1]["event"]["payload"]["big"] == 2**64 - 1
    assert "digest" not in documents[1]
    assert len(documents[3]["digest"]) == 64
    assert documents[3]["event"]["payload"] == {}


def refused(lines: list[bytes], store: EventStore) -> str:
    with pytest.raises(InvalidStore) as caught:
        import_into(store, lines)
    assert store.head == 0
    left = [store.cursors(), store.timers(), store.letters(), store.erasures()]
    left += [list(store.records()), store.interests()]
    assert not any(left), "nothing is kept of it"
    return str(caught.value)


def test_a_change_in_any_line_is_refused_with_its_number(
    lines: list[bytes], sqlite: SqliteStore
) -> None:
    for place, line in enumerate(lines):
        for old, new in ((b"1", b"2"), (b'"', b"'"), (b"e", b"f"), (b"}", b" }")):
            changed = line.replace(old, new, 1)
            if changed != line:
                wrong = [*lines[:place], changed, *lines[place + 1 :]]
                assert f"line {place + 1}: " in refused(wrong, sqlite)
    assert import_into(sqlite, lines) == 3, "and it takes the whole one still"


def test_a_line_that_is_missing_or_twice_there_is_refused_where_it_is_missed(
    lines: list[bytes], sqlite: SqliteStore
) -> None:
    for place in range(len(lines)):
        missing = [*lines[:place], *lines[place + 1 :]]
        assert f"line {place + 1}: " in refused(missing, sqlite)
        twice = [*lines[: place + 1], *lines[place:]]
        assert f"line {place + 2}: " in refused(twice, sqlite)
    for place in range(1, len(lines) - 1):
        swapped = [*lines[:place], lines[place + 1], lines[place], *lines[place + 2 :]]
        assert f"line {place + 1}: " in refused(swapped, sqlite)


def test_a_file_that_was_cut_anywhere_is_refused(lines: list[bytes]) -> None:
    whole = b"".join(lines)
    for length in range(0, len(whole) - 1, 7):
        refused(whole[:length].splitlines(keepends=True), MemoryStore())
    assert import_into(MemoryStore(), whole[:-1].splitlines(keepends=True)) == 3


def test_line_ends_of_another_system_do_not_matter(lines: list[bytes]) -> None:
    other = [line.replace(b"\n", b"\r\n") for line in lines]
    assert import_into(MemoryStore(), other) == 3


@pytest.mark.parametrize("begins", [b"{}", b"[]", b'{"format":"choreia.store/2"}', b"\xff\xfe"])
def test_what_is_no_export_is_refused_at_once(begins: bytes) -> None:
    assert refused([begins + b"\n"], MemoryStore()).startswith("line 1: ")


def test_a_store_that_has_events_takes_no_import(lines: list[bytes]) -> None:
    store = MemoryStore()
    append(store, event())
    live = MemoryStore()
    live.commit([Unit(changes=[KeepInterest("me", b"1", durable=False)])], 1.0)
    for used in (store, live):
        with pytest.raises(InvalidStore, match="empty store"):
            import_into(used, lines)
    assert (store.head, live.head) == (1, 0)


def test_an_export_while_others_write_is_whole(tmp_path: Path, sqlite: SqliteStore) -> None:
    fill(sqlite)
    store = SqliteStore(sqlite.path, readonly=True)
    lines = export(store)
    some = [next(lines), next(lines)]
    append(sqlite, *(event() for _ in range(2_000)))
    some += lines
    store.close()
    assert orjson.loads(some[-1])["events"] == 3
    (tmp_path / "copy").mkdir()
    copy = SqliteStore(tmp_path / "copy" / "events.db")
    assert import_into(copy, some) == 3
    assert copy.verify().whole
    copy.close()


def test_an_empty_store_has_an_export_too(sqlite: SqliteStore) -> None:
    lines = list(export(sqlite))
    assert len(lines) == 2
    assert import_into(MemoryStore(), lines) == 0


def test_a_log_longer_than_a_page(sqlite: SqliteStore) -> None:
    sqlite.commit([unit(*(event(payload={"n": n}) for n in range(3_000)))], 1.0)
    store = MemoryStore()
    assert import_into(store, export(sqlite)) == 3_000
    assert store.info().chain == sqlite.info().chain
