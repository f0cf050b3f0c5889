"""The log: what is appended, found again, selected."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from choreia.runtime.errors import DuplicateId, InvalidStore
from choreia.runtime.events.recorded import LIVE
from choreia.runtime.stores.base import EventStore, Selection, When
from choreia.runtime.stores.conformance.making import (
    ODD,
    Conformance,
    append,
    committed,
    event,
    raises,
    refused,
    unit,
)
from choreia.runtime.stores.selecting import position_of


class LogConformance(Conformance):
    """See the module."""

    def test_positions_count_from_one_without_gaps_in_the_order_given(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        assert store.head == 0
        events = [event(payload={"n": n}) for n in range(700)]
        assert append(store, *events[:3]) == [1, 2, 3]
        [outcome] = store.commit([unit(*events[3:])], 2.0)
        assert [one.position for one in committed(outcome).recorded] == list(range(4, 701))
        assert [one.event for one in store.read()] == events
        assert store.head == 700
        store.close()

    def test_what_is_read_equals_what_was_written(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        odd = {
            "text": ODD, "big": 2**63, "small": -(2**63), "float": 0.1 + 0.2, "zero": -0.0,
            "nested": {"list": [1, [2.0, {"deep": None}], True], "empty": {}}, "": [],
        }  # fmt: skip
        events = [
            event(payload=odd, source=ODD, id=ODD, timestamp=12),
            event(payload={"n": 1}, id="A" * 32, timestamp=1e-300),
            event(payload={"n": 1}, id="0123456789abcdef" * 2, timestamp=2e11 + 0.5),
            event(metadata={"correlationId": ODD, "causationId": "a" * 32, "hops": 3}),
            event(metadata={"version": "2.1.0", "causes": ["x", ODD], "tenant": {"a": [1]}}),
            event(extra={"unknown": [1, {"x": 2**60}]}),
        ]
        append(store, *events)
        found = [one.event for one in store.read()]
        assert found == events
        for one, other in zip(found, events, strict=True):
            assert (one.metadata, one.extra, one.source) == (
                other.metadata, other.extra, other.source,
            )  # fmt: skip
            assert type(one.timestamp) is type(other.timestamp)
            assert orjson.dumps(one.payload) == orjson.dumps(other.payload)
            again = store.find(other.id)
            assert again is not None
            assert again.event == other
        assert store.find("nobody") is None
        assert store.verify().whole
        store.close()

    def test_an_id_that_stands_in_the_log_is_not_recorded_twice(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        first, other = event(payload={"a": 1, "b": [2]}, id="one"), event(payload={}, id="two")
        append(store, first)
        again = event(payload={"b": [2], "a": 1}, id="one", timestamp=99.0)
        [outcome] = store.commit([unit(again, other, strict=True)], 2.0)
        assert [one.position for one in committed(outcome).recorded] == [1, 2]
        assert committed(outcome).repeated == {1}
        assert committed(outcome).recorded[0].event == first, "the one that stands there"
        [outcome] = store.commit([unit(event(id="three"), event(id="three"))], 2.0)
        assert [one.position for one in committed(outcome).recorded] == [3]
        assert committed(outcome).repeated == frozenset()
        assert store.head == 3
        store.close()

    def test_another_body_under_an_id_is_refused_or_told_of(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        append(store, event(payload={"a": 1}, id="one"))
        other, fine = event(payload={"a": 2}, id="one"), event(id="fine")
        outcomes = store.commit(
            [
                unit(fine, other, strict=True),
                unit(other, event(id="kept")),
                unit(event(payload={"x": 1}, id="new"), event(payload={"x": 2}, id="new")),
                unit(event("another.type", {"a": 1}, id="one"), strict=True),
                unit(event(id="s"), event(payload={"x": 1}, id="s"), strict=True),
            ],
            2.0,
        )
        refused(outcomes[0], DuplicateId)
        assert committed(outcomes[1]).conflicts == (other,)
        assert [one.event.id for one in committed(outcomes[1]).recorded] == ["kept"]
        assert len(committed(outcomes[2]).conflicts) == 1
        refused(outcomes[3], DuplicateId)
        refused(outcomes[4], DuplicateId)
        assert [one.event.id for one in store.read()] == ["one", "kept", "new"]
        store.close()

    def test_of_two_bodies_under_an_id_in_one_unit_the_first_is_recorded(
        self, tmp_path: Path
    ) -> None:
        store = self.make(tmp_path)
        first, other = event(payload={"x": 1}, id="new"), event(payload={"x": 2}, id="new")
        [outcome] = store.commit([unit(first, other)], 2.0)
        assert [one.event for one in committed(outcome).recorded] == [first]
        assert committed(outcome).conflicts == (other,)
        assert [one.event for one in store.read()] == [first]
        store.close()

    def test_what_was_erased_still_has_its_id_and_its_body(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        said = event(payload={"name": "Ada"}, id="case")
        append(store, said)
        store.erase(correlation_id="case", reason="asked", now=1.0)
        [again, empty] = store.commit([unit(said, strict=True), unit(event(id="case"))], 2.0)
        assert [(one.position, one.erased) for one in committed(again).recorded] == [(1, True)]
        assert committed(again).repeated == {1}
        assert len(committed(empty).conflicts) == 1, "blanked is not the same as empty"
        refusal = store.commit([unit(event(id="case"), strict=True)], 2.0)[0]
        refused(refusal, DuplicateId)
        store.close()

    def test_a_unit_that_records_nothing_does_not_move_the_time_of_recording(
        self, tmp_path: Path
    ) -> None:
        store = self.make(tmp_path)
        append(store, event(), now=1.0)
        store.commit([unit()], 99.0)
        append(store, event(), now=2.0)
        assert [one.at for one in store.read()] == [1.0, 2.0]
        store.close()

    def test_times_of_recording_never_go_back(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        for now in (10.0, 20.0, 5.0, 30.0):
            append(store, event(), now=now)
        assert [one.at for one in store.read()] == [10.0, 20.0, 20.0, 30.0]
        places = [store.position_at(at) for at in (9.9, 10.0, 19.9, 20.0, 29.0, 30.0, 1e12)]
        assert places == [0, 1, 1, 3, 3, 4, 4]
        store.close()

    def test_selections(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        first = event("order.placed", source="a", id="case")
        case = {"correlationId": "case"}
        others = [
            event("order.paid", source="b", metadata=case),
            event("order.paid", source="a"),
            event("parcel.sent", source="b", metadata=case),
            event("order.item.added", source="b"),
        ]
        append(store, first, *others)
        store.commit([unit(event("agent.online", source="a"), flags=LIVE)], 1.0)

        def found(**rest: Any) -> list[int]:
            return [one.position for one in store.read(**rest)]

        assert found(pattern="order.*") == [1, 2, 3]
        assert found(pattern="order.#") == [1, 2, 3, 5]
        assert found(pattern=("parcel.sent", "order.placed")) == [1, 4]
        assert found(pattern="nobody.says.this") == []
        assert found(source="b") == [2, 4, 5]
        assert found(source="nobody") == []
        assert found(correlation_id="case") == [1, 2, 4]
        assert found(correlation_id="case", pattern="order.paid", source="b") == [2]
        assert found(after=2, limit=2) == [3, 4]
        assert found(up_to=2) == [1, 2]
        assert found(limit=0) == []
        assert store.last_of_types() == {
            "order.placed": 1, "order.paid": 3, "parcel.sent": 4, "order.item.added": 5,
            "agent.online": 6,
        }  # fmt: skip
        live = [store.page(0, 9, Selection(live=wanted)) for wanted in (True, False)]
        assert [[one.position for one in page] for page in live] == [[6], [1, 2, 3, 4, 5]]
        assert live[0][0].live
        assert [one.type for one in store.get_events("a")] == [
            "order.placed", "order.paid", "agent.online",
        ]  # fmt: skip
        assert list(store.get_events("a", up_to=0.5)) == []
        self._check_moments(store)
        for wrong in ({"after": -1}, {"limit": -1}, {"up_to": 1.5}):
            raises(InvalidStore, lambda rest=wrong: store.read(**rest))  # type: ignore[misc]
        store.close()

    @staticmethod
    def _check_moments(store: EventStore) -> None:
        first, second, _ = store.get_events("a")
        moments: tuple[When, ...] = (1, first.id, 1.0, datetime(2100, 1, 1, tzinfo=UTC))
        assert next(store.get_events("a", up_to=1)) == first
        assert list(store.get_events("a", up_to=first.id)) == [first]
        assert list(store.get_events("a", after=1, up_to=second.id)) == [second]
        assert list(store.get_events("a", up_to=datetime(1970, 1, 1, tzinfo=UTC))) == []
        assert len(list(store.get_events("a", up_to=10**9))) == 3
        assert all(position_of(store, moment) >= 1 for moment in moments)
        for wrong in (datetime(2026, 1, 1), -1, True, float("nan"), "nothing", [1]):  # noqa: DTZ001
            raises(InvalidStore, lambda moment=wrong: store.get_events("a", moment))  # type: ignore[misc]

    def test_many_types_merge_in_order(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        events = [event(f"kind.t{n % 23}") for n in range(1_500)]
        store.commit([unit(*events)], 1.0)
        for patterns in ([f"kind.t{n}" for n in range(9)], [f"kind.t{n}" for n in range(20)]):
            wanted = [n + 1 for n, one in enumerate(events) if one.type in patterns]
            assert [one.position for one in store.read(pattern=patterns)] == wanted
        store.close()
