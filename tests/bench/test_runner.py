from __future__ import annotations

import pytest

from choreia.bench import runner
from choreia.bench.runner import run
from choreia.bench.workload import Side, Workload

PYKKA = Side("pykka", "choreia.bench.pykka_side:ask")


def workload(*, choreia: Side = PYKKA, peer: Side | None = None) -> Workload:
    """What is run does not matter here: pykka plays the first part too."""
    return Workload(
        name="sample",
        title="",
        unit="round trips",
        count=20,
        short_count=5,
        choreia=choreia,
        peer=peer,
    )


def test_sides_take_turns_round_by_round() -> None:
    peer = Side("pykka", "choreia.bench.pykka_side:tell")
    one = workload(peer=peer)
    made = list(run(one, 2))
    assert [(m.side, m.round) for m in made] == [(PYKKA, 1), (peer, 1), (PYKKA, 2), (peer, 2)]
    assert [m.sample.count for m in made if m.sample is not None] == [20] * 4


def test_short_does_the_short_count() -> None:
    (made,) = run(workload(), 1, short=True)
    assert made.sample is not None
    assert made.sample.count == 5


def test_a_missing_peer_says_what_to_install() -> None:
    absent = Side("no_such_library", "choreia.bench.pykka_side:ask")
    (_, made) = run(workload(peer=absent), 1)
    assert made.sample is None
    assert "no_such_library is not installed: pip install 'choreia[bench]'" in made.error


def test_a_crash_is_reported_and_the_rest_goes_on() -> None:
    crashing = Side("pykka", "choreia.bench.pykka_side:no_such_function")
    first, second = run(workload(choreia=crashing, peer=PYKKA), 1)
    assert "exit code 1" in first.error
    assert "no_such_function" in first.error
    assert second.sample is not None


def test_a_hanging_sample_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "TIMEOUT", 0.0)
    (made,) = run(workload(), 1)
    assert "no result after" in made.error
