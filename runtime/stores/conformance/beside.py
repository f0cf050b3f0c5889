"""What is kept beside the log: cursors, timers, dead letters, attempts, results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import orjson

from choreia.runtime.errors import StaleCursor
from choreia.runtime.stores.conformance.making import (
    ODD,
    Conformance,
    append,
    committed,
    event,
    refused,
    unit,
)
from choreia.runtime.stores.unit import (
    CancelTimer,
    Committed,
    Complete,
    Completed,
    Cursor,
    DropLetter,
    Forget,
    KeepAttempts,
    KeepLetter,
    KeepResult,
    KeepSnapshot,
    Letter,
    Move,
    Result,
    Seat,
    SetTimer,
    Snapshot,
    Start,
    Unit,
)


class BesideConformance(Conformance):
    """See the module."""

    # -- cursors

    def test_a_seat_begins_where_it_is_told_and_goes_on_where_it_was(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        append(store, event(), event(), event())
        starts: Sequence[tuple[str, Start]] = (
            ("now", "now"), ("first", "beginning"), ("second", 2), ("beyond", 99),
        )  # fmt: skip
        seated = {}
        for agent, start in starts:
            [outcome] = store.commit([Unit(seat=Seat(agent, start))], 1.0)
            seated[agent] = committed(outcome).seated
        assert {agent: one.position for agent, one in seated.items() if one is not None} == {
            "now": 3, "first": 0, "second": 2, "beyond": 3,
        }  # fmt: skip
        assert all(
            one is not None and (one.epoch, one.created) == (1, True) for one in seated.values()
        )
        store.commit([Unit(move=Move("first", 1, 0, 2))], 1.0)
        [outcome] = store.commit([Unit(seat=Seat("first", "now"))], 1.0)
        again = committed(outcome).seated
        assert again is not None
        assert (again.epoch, again.position, again.created) == (2, 2, False)
        assert Cursor("first", 2, 2) in store.cursors()
        store.close()

    def test_a_seat_that_is_taken_between_two_publishes_begins_between_them(
        self, tmp_path: Path
    ) -> None:
        store = self.make(tmp_path)
        outcomes = store.commit([unit(event()), Unit(seat=Seat("me")), unit(event())], 1.0)
        seated = committed(outcomes[1]).seated
        assert seated is not None
        assert seated.position == 1
        store.close()

    def test_a_turn_of_one_whose_place_was_taken_does_not_happen(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        store.commit([Unit(seat=Seat("me", "beginning"))], 1.0)
        timer = SetTimer("me", "k", 5.0, event())
        outcomes = store.commit(
            [
                unit(event(id="a"), move=Move("me", 1, 0, 1)),
                unit(event(id="b"), move=Move("me", 1, 0, 2), changes=[timer]),
                unit(event(id="c"), move=Move("me", 2, 1, 3)),
                unit(event(id="d"), move=Move("nobody", 1, 0, 1)),
                unit(event(id="e"), move=Move("me", 1, 1, 4)),
            ],
            1.0,
        )
        for place in (1, 2, 3):
            refused(outcomes[place], StaleCursor)
        assert [one.event.id for one in store.read()] == ["a", "e"]
        assert store.timers() == []
        assert store.cursors() == [Cursor("me", 1, 4)]
        store.close()

    def test_a_seat_that_is_taken_in_the_unit_of_a_move_comes_after_it(
        self, tmp_path: Path
    ) -> None:
        store = self.make(tmp_path)
        store.commit([unit(event(), event()), Unit(seat=Seat("me", "beginning"))], 1.0)
        [outcome] = store.commit([Unit(move=Move("me", 1, 0, 2), seat=Seat("me"))], 1.0)
        seated = committed(outcome).seated
        assert seated is not None
        assert (seated.epoch, seated.position) == (2, 2)
        assert store.cursors() == [Cursor("me", 2, 2)]
        store.close()

    # -- families of agents

    def test_what_is_done_out_of_order_is_kept_above_the_cursor(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        append(store, *(event() for _ in range(9)))
        store.commit([Unit(seat=Seat("all", "beginning")), Unit(seat=Seat("other"))], 1.0)
        outcomes = store.commit(
            [
                Unit(complete=Complete("all", 1, (3, 5), 0)),
                Unit(complete=Complete("all", 1, (2,), 0)),
            ],
            1.0,
        )
        assert [type(outcome) for outcome in outcomes] == [Committed, Committed]
        assert store.completed("all") == [Completed("all", position) for position in (2, 3, 5)]
        assert Cursor("all", 1, 0) in store.cursors()
        store.commit([Unit(complete=Complete("all", 1, (1, 7), 3))], 1.0)
        assert store.completed() == [Completed("all", 5), Completed("all", 7)]
        assert store.completed("other") == []
        assert Cursor("all", 1, 3) in store.cursors()
        [outcome] = store.commit([Unit(seat=Seat("all"))], 1.0)
        seated = committed(outcome).seated
        assert seated is not None
        assert (seated.epoch, seated.position) == (2, 3)
        assert store.completed("all") == [Completed("all", 5), Completed("all", 7)]
        store.commit([Unit(complete=Complete("all", 2, (4, 6, 8), 8))], 1.0)
        assert store.completed() == []
        assert Cursor("all", 2, 8) in store.cursors()
        store.close()

    def test_a_member_of_an_earlier_epoch_and_what_is_done_already_are_refused(
        self, tmp_path: Path
    ) -> None:
        store = self.make(tmp_path)
        store.commit([Unit(seat=Seat("all", "beginning")), Unit(seat=Seat("all"))], 1.0)
        outcomes = store.commit(
            [
                unit(event(id="a"), complete=Complete("all", 1, (1,), 1)),
                unit(event(id="b"), complete=Complete("nobody", 1, (1,), 1)),
                unit(event(id="c"), complete=Complete("all", 2, (1, 4), 2)),
                unit(event(id="d"), complete=Complete("all", 2, (2,), 2)),
            ],
            1.0,
        )
        for place in (0, 1, 3):
            refused(outcomes[place], StaleCursor)
        assert [one.event.id for one in store.read()] == ["c"]
        assert store.completed() == [Completed("all", 4)]
        store.close()

    # -- snapshots

    def test_a_snapshot_is_of_the_moment_when_its_unit_has_happened(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        append(store, event())
        one = KeepSnapshot("did:me", "v1", orjson.dumps({"text": ODD}))
        two = KeepSnapshot("did:ünlike", "v1", b"{}")
        store.commit([unit(event(), event(), changes=[one]), unit(event(), changes=[two])], 1.0)
        assert store.snapshot("did:me") == Snapshot("did:me", 3, "v1", one.state)
        assert store.snapshot("nobody") is None
        store.commit([Unit(changes=[KeepSnapshot("did:me", "v2", b"[]")])], 1.0)
        assert list(store.snapshots()) == [
            Snapshot("did:me", 4, "v2", b"[]"), Snapshot("did:ünlike", 4, "v1", b"{}"),
        ]  # fmt: skip
        store.close()

    def test_no_snapshot_is_kept_that_was_made_of_what_did_not_happen(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        append(store, event(id="x", payload={"n": 1}))
        conflict = event(id="x", payload={"n": 2})
        [outcome] = store.commit([unit(conflict, changes=[KeepSnapshot("me", "v", b"1")])], 1.0)
        assert committed(outcome).conflicts == (conflict,)
        again = unit(event(id="x", payload={"n": 1}), changes=[KeepSnapshot("me", "v", b"1")])
        assert committed(store.commit([again], 1.0)[0]).repeated == {1}
        stale = Unit(move=Move("me", 1, 0, 1), changes=[KeepSnapshot("me", "v", b"2")])
        refused(store.commit([stale], 1.0)[0], StaleCursor)
        assert store.snapshot("me") is None
        store.close()

    def test_what_is_erased_does_not_live_on_in_snapshots(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        about = event(source="me", payload={"name": "Ann"})
        other = event(source="you")
        kept = [KeepSnapshot("me", "v", b'"Ann"'), KeepSnapshot("you", "v", b"1")]
        store.commit([unit(about, other, changes=kept)], 1.0)
        store.erase(correlation_id=about.id, reason="asked", now=2.0)
        assert store.snapshot("me") is None
        assert store.snapshot("you") is not None
        # Whoever said it still knows it, until it begins again.
        store.commit([unit(event(source="me"), changes=kept)], 3.0)
        assert store.snapshot("me") is None
        store.open_run(4.0)
        store.commit([unit(event(source="me"), changes=kept)], 5.0)
        assert store.snapshot("me") is not None
        store.close_run()
        store.close()

    # -- what is kept beside the log

    def test_timers(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        one = SetTimer("me", "k", 5.0, event(payload={"x": ODD}), "60 s")
        two, three = SetTimer("me", "j", 4.0, event()), SetTimer("you", "k", 1.0, event())
        store.commit([Unit(changes=[one, two, three])], 1.0)
        assert store.timers("me") == [two, one]
        assert store.timers() == [three, two, one]
        newer = SetTimer("me", "k", 9.0, event())
        fires = event("late")
        outcomes = store.commit(
            [
                Unit(changes=[newer, CancelTimer("me", "j"), CancelTimer("me", "unknown")]),
                unit(event("too.late"), fires=one),
                unit(fires, fires=newer, changes=[SetTimer("me", "next", 8.0, event())]),
                unit(event("twice"), fires=newer),
                unit(event("cancelled"), fires=two),
            ],
            1.0,
        )
        for place in (1, 3, 4):
            refused(outcomes[place], StaleCursor)
        assert [one.event for one in store.read()] == [fires]
        assert [timer.key for timer in store.timers()] == ["k", "next"]
        store.close()

    def test_letters(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        about, other = event(payload={"x": ODD}), event()
        one = Letter("me", about, "failed", f"ValueError: {ODD}", "trace\nback", 3, 7.5)
        two = Letter("you", about, "crashed", "", "", 0, 8.0)
        store.commit([Unit(changes=[KeepLetter(one), KeepLetter(two)])], 1.0)
        found = store.letters()
        assert [(letter.number, letter.agent) for letter in found] == [(1, "me"), (2, "you")]
        assert found[0].event == about
        assert (found[0].error, found[0].traceback, found[0].time) == (
            one.error,
            "trace\nback",
            7.5,
        )
        back = Letter("me", about, "failed", "e", "t", 4, 9.0, waiting=True, crashes=2)
        third = Letter("me", other, "gave_up", "", "", 1, 9.0)
        store.commit(
            [Unit(changes=[KeepLetter(back), KeepLetter(third), DropLetter("you", about.id)])], 1.0
        )
        mine = store.letters("me")
        assert [(one.waiting, one.crashes) for one in mine] == [(True, 2), (False, 0)]
        assert mine[0].number == 1
        assert mine[1].number > 2
        assert store.letters("you") == []
        store.close()

    def test_attempts_and_results_until_they_are_forgotten(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        tried, kept = KeepAttempts("me", "e1", 2, 1), KeepResult("me", "e1", "call", b'{"value":1}')
        other = KeepResult("me", "e2", "call", b'{"value":2}')
        store.commit([Unit(changes=[KeepAttempts("me", "e1", 1, 0), tried, kept, other])], 1.0)
        assert store.attempts("me") == [tried]
        assert store.unfinished() == {"me"}
        assert store.attempts("you") == []
        assert len(store.results("me")) == 2
        store.commit([Unit(changes=[Forget("me", "e1"), Forget("you", "e2")])], 1.0)
        assert store.attempts("me") == []
        assert store.results("me") == [Result("e2", "call", b'{"value":2}')]
        store.close()
