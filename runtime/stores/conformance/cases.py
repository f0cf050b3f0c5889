"""What a store knows of cases: the records that agents keep of them, who
listens to what, and where cases stand in the log."""

from __future__ import annotations

from pathlib import Path

from choreia.runtime.errors import InvalidStore, StaleCursor
from choreia.runtime.events.recorded import LIVE
from choreia.runtime.stores.base import CaseSpan
from choreia.runtime.stores.conformance.making import (
    ODD,
    Conformance,
    append,
    event,
    raises,
    refused,
    unit,
)
from choreia.runtime.stores.unit import (
    CaseRecord,
    Change,
    DropRecord,
    KeepInterest,
    KeepRecord,
    KeptInterest,
    Move,
    Seat,
    Unit,
)


class CasesConformance(Conformance):
    """See the module."""

    # -- records

    def test_a_record_is_kept_with_the_last_position_of_its_unit(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        append(store, event())
        kept = KeepRecord("me", "case", "reserve", b'{"state":"done"}')
        store.commit([unit(event(), event(), changes=[kept]), unit(event())], 1.0)
        assert list(store.records("case")) == [
            CaseRecord("me", "case", "reserve", b'{"state":"done"}', 3)
        ]
        store.commit([Unit(changes=[KeepRecord("me", "case", "reserve", b"2")])], 1.0)
        assert list(store.records()) == [CaseRecord("me", "case", "reserve", b"2", 4)]
        store.close()

    def test_records_are_by_agent_case_and_name(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        wanted = [
            CaseRecord(agent, case, name, b"1")
            for agent in ("B", "a", "orders:42", "ünlike \U0001f600")
            for case in ("A" * 32, "c", "f" * 32, ODD)
            for name in ("", "charge", "pay", ODD)
        ]
        wanted.sort(key=lambda one: (one.agent, one.correlation_id, one.name))
        changes = [KeepRecord(*(one.agent, one.correlation_id, one.name, b"1")) for one in wanted]
        store.commit([Unit(changes=changes[::-1])], 1.0)
        assert list(store.records()) == wanted
        assert list(store.records("c")) == [one for one in wanted if one.correlation_id == "c"]
        assert list(store.records(ODD)) == [one for one in wanted if one.correlation_id == ODD]
        for agent in ("B", "orders:42"):
            mine = [one for one in wanted if one.agent == agent]
            assert list(store.records(agent=agent)) == mine
            assert list(store.records("f" * 32, agent)) == mine[8:12]
        for nothing in (("unknown", None), (None, "unknown"), ("c", "unknown"), ("unknown", "B")):
            assert list(store.records(*nothing)) == []
        store.close()

    def test_more_records_than_a_page(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        wanted = [
            CaseRecord(agent, f"{case:04}", name, b"0")
            for agent in ("a", "b")
            for case in range(450)
            for name in ("x", "y")
        ]
        changes = [KeepRecord(one.agent, one.correlation_id, one.name, b"0") for one in wanted]
        store.commit([Unit(changes=changes)], 1.0)
        assert list(store.records()) == wanted
        assert list(store.records(agent="b")) == wanted[900:]
        store.close()

    def test_a_record_that_is_dropped_is_gone_and_no_other(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        kept = [KeepRecord(a, c, n, b"1") for a in "ab" for c in "cd" for n in "mn"]
        store.commit([Unit(changes=[*kept, DropRecord("a", "c", "n")])], 1.0)
        store.commit([Unit(changes=[DropRecord("a", "c", "n"), DropRecord("new", "c", "n")])], 1.0)
        left = [(one.agent, one.correlation_id, one.name) for one in store.records()]
        assert left == [(k.agent, k.correlation_id, k.name) for k in kept if k != kept[1]]
        store.commit([Unit(changes=[DropRecord(*key) for key in left])], 1.0)
        assert list(store.records()) == []
        store.close()

    def test_no_record_of_a_unit_that_is_refused(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        kept = KeepRecord("me", "case", "pay", b"1")
        store.commit([Unit(changes=[kept])], 1.0)
        late: list[Change] = [
            KeepRecord("me", "case", "pay", b"2"),
            DropRecord("me", "case", "pay"),
        ]
        for change in late:
            [outcome] = store.commit([Unit(move=Move("me", 1, 0, 1), changes=[change])], 1.0)
            refused(outcome, StaleCursor)
        assert [one.value for one in store.records("case")] == [b"1"]
        store.close()

    def test_erasing_leaves_what_quotes_no_payload(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        kept = KeepRecord("me", "case", "pay", b"1")
        store.commit([unit(event(id="case", payload={"x": 1}), changes=[kept])], 1.0)
        assert store.erase(correlation_id="case", reason="asked", now=2.0) == 1
        assert list(store.records("case")) == [CaseRecord("me", "case", "pay", b"1", 1)]
        store.close()

    # -- interests

    def test_an_interest_begins_where_its_agent_is_seated_or_at_the_head(
        self, tmp_path: Path
    ) -> None:
        store = self.make(tmp_path)
        append(store, event(), event())
        store.commit(
            [
                unit(event(), seat=Seat("old", 1), changes=[KeepInterest("old", b"1")]),
                unit(event(), changes=[KeepInterest("live", b"2", durable=False)]),
                unit(event(), seat=Seat("old"), changes=[KeepInterest("other", b"3")]),
                Unit(seat=Seat("new"), changes=[KeepInterest("new", b"4")]),
            ],
            1.0,
        )
        assert store.interests() == [
            KeptInterest("old", 1, b"1"),
            KeptInterest("live", 4, b"2", durable=False),
            KeptInterest("new", 5, b"4"),
            KeptInterest("other", 5, b"3"),
        ]
        store.close()

    def test_interests_have_versions_and_the_same_again_is_none(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        for value in (b"1", b"1", b"2", b"1", b"", b"", b"1"):
            store.commit([unit(event(), changes=[KeepInterest("me", value)])], 1.0)
        mine = [(one.since, one.value) for one in store.interests()]
        assert mine == [(1, b"1"), (3, b"2"), (4, b"1"), (5, b""), (7, b"1")]
        store.commit([unit(event(), changes=[KeepInterest("me", b"1", durable=False)])], 1.0)
        assert store.interests()[-1] == KeptInterest("me", 8, b"1", durable=False)
        store.commit([Unit(changes=[KeepInterest("nobody", b"")])], 1.0)
        assert {one.agent for one in store.interests()} == {"me"}
        store.close()

    def test_an_interest_takes_the_place_of_those_that_would_begin_later(
        self, tmp_path: Path
    ) -> None:
        store = self.make(tmp_path)
        append(store, *(event() for _ in range(5)))
        other = KeepInterest("you", b"9")
        store.commit([Unit(seat=Seat("me", 2), changes=[KeepInterest("me", b"1"), other])], 1.0)
        store.commit([Unit(changes=[KeepInterest("me", b"2")])], 1.0)
        you = KeptInterest("you", 5, b"9")
        assert store.interests() == [
            KeptInterest("me", 2, b"1"), KeptInterest("me", 5, b"2"), you,
        ]  # fmt: skip
        store.commit([Unit(changes=[KeepInterest("me", b"3"), KeepInterest("me", b"")])], 1.0)
        assert store.interests()[1:] == [KeptInterest("me", 5, b""), you]
        store.commit([Unit(seat=Seat("me"), changes=[KeepInterest("me", b"4")])], 1.0)
        assert store.interests() == [KeptInterest("me", 2, b"4"), you]
        store.commit([Unit(move=Move("me", 2, 2, 3), changes=[KeepInterest("me", b"5")])], 1.0)
        store.commit([Unit(seat=Seat("me"), changes=[KeepInterest("me", b"4")])], 1.0)
        assert store.interests() == [KeptInterest("me", 2, b"4"), you], "it never was another"
        store.close()

    def test_an_interest_that_is_not_durable_ends_with_its_run(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        store.open_run(1.0)
        live, kept = KeepInterest("live", b"1", durable=False), KeepInterest("kept", b"1")
        store.commit([unit(event(), changes=[live, kept]), unit(event())], 1.0)
        ended = [live, KeepInterest("gone", b"1", durable=False), KeepInterest("gone", b"")]
        store.commit([unit(event(), changes=ended)], 1.0)
        deaf = KeepInterest("deaf", b"1", durable=False)
        store.commit([Unit(changes=[deaf])], 1.0)
        before = [KeptInterest("kept", 1, b"1"), KeptInterest("live", 1, b"1", durable=False)]
        assert store.interests() == [*before, KeptInterest("deaf", 3, b"1", durable=False)]
        store.close_run()
        for _ in range(2):
            store.open_run(2.0)
            assert store.interests() == [*before, KeptInterest("live", 3, b"", durable=False)]
            store.close_run()
        store.close()

    # -- where cases stand

    def test_cases_are_told_newest_first(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        assert store.cases() == []

        def of(case: str) -> dict[str, str]:
            return {"correlationId": case}

        news = event(metadata=of("later"))
        store.commit([unit(event(id="live"), news, flags=LIVE)], 1.0)  # 1, 2
        append(store, event(id="one"), now=2.0)
        append(store, event(id="two", metadata=of("two")), now=3.0)
        append(store, event(metadata=of("one")), event(metadata=of(ODD)), now=4.0)  # 5, 6
        append(store, event(metadata=of("later")), event(id="later"), now=5.0)  # 7, 8
        append(store, event(id="other", metadata=of("two")), event(id="last"), now=6.0)
        store.commit([unit(event(metadata=of("last")), flags=LIVE)], 7.0)
        store.erase(correlation_id="one", reason="asked", now=8.0)
        wanted = [
            CaseSpan("last", 10, 10, 1, 6.0, 6.0),
            CaseSpan("later", 7, 8, 2, 5.0, 5.0),
            CaseSpan(ODD, 6, 6, 1, 4.0, 4.0),
            CaseSpan("two", 4, 9, 2, 3.0, 6.0),
            CaseSpan("one", 3, 5, 2, 2.0, 4.0),
        ]
        assert store.cases() == wanted
        assert store.cases(limit=2) == wanted[:2]
        assert store.cases(before=7, limit=2) == wanted[2:4]
        assert store.cases(before=3) == store.cases(before=0) == store.cases(limit=0) == []
        assert store.cases(before=2**70, limit=2**70) == wanted
        for wrong in ({"before": -1}, {"before": True}, {"limit": -1}, {"limit": 1.5}):
            raises(InvalidStore, lambda rest=wrong: store.cases(**rest))  # type: ignore[misc]
        store.close()

    def test_a_case_that_was_not_recorded_is_none(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        append(store, event(id="x", metadata={"correlationId": "case"}))
        [outcome] = store.commit([unit(event(id="y"), move=Move("me", 1, 0, 1))], 1.0)
        refused(outcome, StaleCursor)
        append(store, event(id="x", metadata={"correlationId": "other"}))  # a repetition
        assert [one.correlation_id for one in store.cases()] == ["case"]
        append(store, event(metadata={"correlationId": "other"}), event(id="y"))
        assert [(one.correlation_id, one.first) for one in store.cases()] == [
            ("y", 3), ("other", 2), ("case", 1),
        ]  # fmt: skip
        store.close()

    def test_cases_page_by_page(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        ids = [f"case-{n:04}" for n in range(1_300)]
        rounds = [event(metadata={"correlationId": id}) for _ in range(2) for id in ids]
        store.commit([unit(*rounds)], 1.0)
        found: list[CaseSpan] = []
        while page := store.cases(before=found[-1].first if found else None, limit=77):
            found += page
        assert [one.correlation_id for one in found] == ids[::-1]
        assert {(one.events, one.last - one.first) for one in found} == {(2, 1_300)}
        assert store.cases(limit=9_999) == found
        store.close()
