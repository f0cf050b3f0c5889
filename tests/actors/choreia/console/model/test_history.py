"""Frames are kept, stepped through, and packed when they are old."""

from __future__ import annotations

import pytest

from choreia.console.model.history import MOST, SPARKS, History
from choreia.console.model.moment import Moment, rate_of


def filled(count: int, every: float = 0.25) -> History:
    history = History()
    for number in range(count):
        agents = [{"name": "billing", "size": number % 10, "capacity": 10}]
        said = {"at": number * every, "system": {"handled": number * 10}, "agents": agents}
        history.add(said)
    return history


def shown(history: History) -> Moment:
    moment = history.moment()
    assert moment is not None
    return moment


def test_live_the_newest_is_shown() -> None:
    history = History()
    assert history.moment() is None
    history.toggle()
    assert not history.paused
    assert not history.step(-1)
    history = filled(5)
    assert shown(history).frame.at == 1.0


def test_rates_are_counted_from_a_second_before() -> None:
    moment = shown(filled(20))
    assert moment.before is not None
    assert moment.before.at == moment.frame.at - 1.0
    assert moment.total("handled") == 40


def test_rates_are_over_what_there_is_when_that_is_less() -> None:
    assert shown(filled(2)).total("handled") == 40
    assert shown(filled(1)).total("handled") is None
    assert shown(filled(2)).total("no such counter") is None


def test_frames_that_come_seldom_are_counted_from_the_last_one() -> None:
    moment = shown(filled(3, every=5.0))
    assert moment.seconds == 5.0
    assert moment.total("handled") == 2


def test_a_counter_that_began_again_counts_from_nothing() -> None:
    assert rate_of("handled", {"handled": 30}, {"handled": 1_000}, 2.0) == 15
    assert rate_of("handled", {"handled": 30}, None, 2.0) is None
    assert rate_of("handled", {"handled": 30}, {"handled": 10}, 0.0) is None


def test_frames_of_a_clock_that_went_back_say_nothing_of_rates() -> None:
    history = filled(10)
    history.add({"at": 0.5, "system": {"handled": 3}})
    assert shown(history).total("handled") is None


def test_paused_the_same_frame_stays_while_others_come_in() -> None:
    history = filled(5)
    history.toggle()
    before = history.moment()
    history.add({"at": 4.0})
    assert history.paused
    assert history.moment() is before
    assert history.behind() == 3.0
    history.toggle()
    assert not history.paused
    assert shown(history).frame.at == 4.0
    assert history.behind() == 0


def test_one_steps_back_and_on_again() -> None:
    history = filled(5)
    assert history.step(-1)
    assert history.paused
    assert shown(history).frame.at == 0.75
    assert history.step(-1)
    assert history.step(1)
    assert history.step(1)
    assert not history.step(1)
    assert shown(history).frame.at == 1.0
    assert not [history.step(-1) for _ in range(9)][-1]
    assert shown(history).frame.at == 0


def test_so_many_frames_are_kept() -> None:
    history = filled(MOST + 50)
    assert sum(history.step(-1) for _ in range(MOST + 50)) == MOST - 1
    assert shown(history).frame.at == 50 * 0.25


def test_a_frozen_frame_stays_even_when_it_is_not_kept_any_more() -> None:
    history = filled(1)
    history.toggle()
    for number in range(MOST + 10):
        history.add({"at": float(number)})
    assert shown(history).frame.at == 0
    assert history.step(1)
    assert shown(history).frame.at == 10


def test_old_frames_are_as_they_were() -> None:
    history = filled(200)
    for _ in range(150):
        history.step(-1)
    moment = shown(history)
    assert moment.frame.agents["billing"]["size"] == 9
    assert moment.total("handled") == 40
    assert moment.pressures("billing") == pytest.approx([n % 10 / 10 for n in range(30, 50)])
    assert len(moment.pressures("billing")) == SPARKS
    assert moment.pressures("nobody") == []


def test_what_cannot_be_packed_is_kept_as_it_is() -> None:
    history = History()
    history.add({"at": 0.0, "agents": {1, 2}})
    for number in range(1, 50):
        history.add({"at": float(number)})
    for _ in range(49):
        history.step(-1)
    assert shown(history).frame.said["agents"] == {1, 2}
