"""A store as a whole: erased from, exported, opened and closed, read while it is written."""

from __future__ import annotations

import threading
from pathlib import Path

import orjson

from choreia.runtime.errors import ChoreiaError, InvalidStore
from choreia.runtime.events.recorded import ERASED, LIVE
from choreia.runtime.stores.conformance.making import (
    ODD,
    Conformance,
    append,
    committed,
    event,
    raises,
    unit,
)
from choreia.runtime.stores.jsonl import export, import_into
from choreia.runtime.stores.unit import (
    Change,
    KeepAttempts,
    KeepInterest,
    KeepLetter,
    KeepRecord,
    KeepResult,
    Letter,
    Move,
    Seat,
    SetTimer,
    Unit,
)


class WholeConformance(Conformance):
    """See the module."""

    def test_what_is_erased_is_gone_and_the_chain_still_holds(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        first = event(payload={"name": "Ada"}, id="case")
        second = event(payload={"name": "Ada"}, metadata={"correlationId": "case"})
        third = event(payload={"name": "Bob"}, metadata={"subject": "bob"})
        fourth = event(payload={"name": "Eve"})
        append(store, first, second, third, fourth)
        store.commit(
            [
                Unit(
                    changes=[
                        KeepLetter(Letter("me", second, "failed", "Ada", "Ada", 1, 1.0)),
                        SetTimer("me", "k", 9.0, second),
                        KeepResult("me", second.id, "call", b'{"value":"Ada"}'),
                    ]
                )
            ],
            1.0,
        )
        chain = store.info().chain
        assert store.erase(correlation_id="case", reason="she asked", now=5.0) == 2
        assert store.erase(correlation_id="case", reason="again", now=6.0) == 0
        assert store.erase(subject="bob", reason="he asked", now=7.0) == 1
        found = list(store.read())
        assert [dict(one.event.payload) for one in found] == [{}, {}, {}, {"name": "Eve"}]
        assert [bool(one.flags & ERASED) for one in found] == [True, True, True, False]
        assert dict(store.letters()[0].event.payload) == dict(store.timers()[0].event.payload) == {}
        assert (store.letters()[0].traceback, store.results("me")) == ("", [])
        assert store.verify().whole
        assert store.info().chain == chain
        assert [(e.time, e.reason, e.events) for e in store.erasures()] == [
            (5.0, "she asked", 2), (6.0, "again", 0), (7.0, "he asked", 1),
        ]  # fmt: skip
        for wrong in ({}, {"correlation_id": "a", "subject": "b"}):
            raises(InvalidStore, lambda rest=wrong: store.erase(reason="x", now=1.0, **rest))  # type: ignore[misc]
        raises(InvalidStore, lambda: store.erase(subject="x", reason=" ", now=1.0))
        store.close()

    def test_an_export_says_everything(self, tmp_path: Path) -> None:
        (tmp_path / "one").mkdir()
        (tmp_path / "two").mkdir()
        store = self.make(tmp_path / "one")
        append(store, event(payload={"big": 2**62, "x": ODD}), event(id="gone"), now=3.25)
        store.commit([unit(event("agent.online"), flags=LIVE)], 4.0)
        changes: list[Change] = [
            SetTimer("me", "k", 9.0, event(), "60 s"),
            KeepLetter(Letter("me", event(), "failed", ODD, "", 1, 1.0, waiting=True, crashes=1)),
            KeepAttempts("me", "e", 1, 2),
            KeepResult("me", "e", "call", b'{"value":1}'),
            KeepRecord("me:1", "case", ODD, orjson.dumps({"x": ODD})),
            KeepInterest("me", orjson.dumps({"x": ODD})),
            KeepInterest("live", b"1", durable=False),
        ]
        store.commit([Unit(seat=Seat("me"), changes=changes)], 4.0)
        store.erase(correlation_id="gone", reason="asked", now=5.0)
        lines = list(export(store))
        other = self.make(tmp_path / "two")
        assert import_into(other, lines) == 3
        assert list(export(other)) == lines
        assert other.verify().whole
        assert other.info().chain == store.info().chain
        raises(InvalidStore, lambda: import_into(other, lines))
        store.close()
        other.close()

    def test_an_export_that_was_cut_or_changed_is_refused_as_a_whole(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        append(store, *(event(payload={"n": n}) for n in range(5)))
        lines = list(export(store))
        store.close()
        (tmp_path / "other").mkdir()
        other = self.make(tmp_path / "other")
        for wrong, says in (
            (lines[:-1], "line 7: the last line is missing"),
            (lines[1:], "line 1: this is no export"),
            ([*lines[:2], *lines[3:]], "line 3: it is not what was exported"),
            ([*lines[:2], lines[3], lines[2], *lines[4:]], "line 3: it is not what"),
            ([line.replace(b'"n":3', b'"n":4') for line in lines], "line 5: it is not what"),
            ([*lines[:2], b"{", *lines[3:]], "line 3: it is no JSON"),
            ([*lines[:2], b'{"position": 2}', *lines[3:]], "line 3: it is not what"),
            ([*lines, lines[1]], "behind the last line"),
        ):
            assert says in raises(InvalidStore, lambda bad=wrong: import_into(other, bad))  # type: ignore[misc]
            assert (other.head, other.cursors()) == (0, [])
        assert import_into(other, lines) == 5
        other.close()

    def test_a_run_ends_in_order_or_it_does_not(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        opened = store.open_run(1.0)
        assert (opened.clean, opened.head) == (True, 0)
        append(store, event())
        store.close_run()
        opened = store.open_run(2.0)
        assert (opened.clean, opened.head) == (True, 1)
        raises(ChoreiaError, lambda: store.open_run(3.0))
        store.close()
        if not self.durable:
            return
        store = self.make(tmp_path)
        assert not store.open_run(4.0).clean
        store.close_run()
        store.close()
        store.close()

    def test_it_is_all_there_again(self, tmp_path: Path) -> None:
        if not self.durable:
            return
        store = self.make(tmp_path)
        append(store, *(event(payload={"n": n}) for n in range(5)), now=9.0)
        store.commit([Unit(seat=Seat("me", "beginning"))], 9.0)
        store.commit(
            [Unit(move=Move("me", 1, 0, 3), changes=[SetTimer("me", "k", 1.0, event())])], 9.0
        )
        store.commit(
            [Unit(changes=[KeepRecord("me", "case", "pay", b"1"), KeepInterest("me", b"1")])], 9.0
        )
        before = list(export(store))
        store.close()
        store = self.make(tmp_path)
        assert list(export(store)) == before
        assert append(store, event(), now=1.0) == [6]
        assert next(store.read(5)).at == 9.0, "time of recording goes on from where it was"
        [outcome] = store.commit([Unit(move=Move("me", 1, 3, 4))], 9.0)
        committed(outcome)
        assert store.verify().whole
        store.close()

    def test_readers_see_whole_commits_while_they_happen(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        faults: list[str] = []
        done = threading.Event()

        def look() -> None:
            while not done.is_set():
                found = [one.position for one in store.page(0, 10_000)]
                if found != list(range(1, len(found) + 1)) or len(found) % 10:
                    faults.append(f"{len(found)} events: {found[-3:]}")

        readers = [threading.Thread(target=look) for _ in range(2)]
        for reader in readers:
            reader.start()
        for _ in range(40):
            store.commit([unit(*(event() for _ in range(10)))], 1.0)
        done.set()
        for reader in readers:
            reader.join()
        assert faults == []
        assert store.info().events == 400
        store.close()
