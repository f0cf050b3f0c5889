"""`@every`, and `at`: ticks, schedules, and how they are refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from choreia import ActorSystem, Agent, Event, InvalidAgent, MemoryStore, Retry, every, on
from choreia.actors.every import _schedule

heard: list[Any] = []


@pytest.fixture(autouse=True)
def _forget() -> None:
    heard.clear()


class Clockwork(Agent):
    retry = Retry(attempts=2, delay=1)

    @every(60)
    def minute(self, tick: Event) -> None:
        heard.append(self.clock.now())
        assert tick.type == f"timer.{self.name}.minute"
        assert tick.metadata.correlation_id == tick.id, "a case of its own"
        if tick.payload["due"] == 120:
            raise RuntimeError


@pytest.mark.parametrize("store", [None, MemoryStore])
def test_a_method_is_called_again_and_again_and_a_tick_is_an_event_like_any_other(
    store: Any,
) -> None:
    with ActorSystem(mode="simulated", store=store and store()) as system:
        system.spawn(Clockwork, name="clock")
        system.advance(200)
        assert heard == [60, 120, pytest.approx(121, abs=0.2), 180]
        [letter] = system.dead_letters()
        assert letter.event is not None
        assert letter.event.payload["due"] == 120
        system.restart("clock")
        system.advance(60)
        assert heard[-1] in (240, pytest.approx(260, abs=1))
        system.ref("clock").stop()
        count = len(heard)
        system.advance(500)
        assert len(heard) == count


def test_at_a_time() -> None:
    class Alarm(Agent):
        @on("set")
        def set(self, event: Event) -> None:
            self.at(100.0, "ring", {"n": 1})
            self.at(datetime.fromtimestamp(50, UTC), "ring", {"n": 2})
            self.at(-5.0, "ring", {"n": 3})
            for wrong in (datetime(2026, 1, 1), "noon", True, float("nan")):  # noqa: DTZ001
                with pytest.raises(Exception, match="give a datetime with a time zone"):
                    self.at(wrong, "ring")  # type: ignore[arg-type]

        @on("ring")
        def ring(self, event: Event) -> None:
            heard.append((self.clock.now(), event.payload["n"]))

    with ActorSystem(mode="simulated") as system:
        system.spawn(Alarm)
        system.publish("set")
        system.advance(200)
    assert heard == [(0, 3), (50, 2), (100, 1)]


def test_cron_knows_time_zones_and_summer_time() -> None:
    schedule = _schedule("30 2 * * *", "Europe/Berlin", 0, "skip")
    zone = ZoneInfo("Europe/Berlin")
    before = datetime(2026, 3, 28, 3, tzinfo=zone).timestamp()  # that night 2:30 does not exist
    first = datetime.fromtimestamp(schedule.next(before, 0), zone)
    assert (first.day, first.hour) in ((29, 3), (30, 2))
    second = datetime.fromtimestamp(schedule.next(first.timestamp(), 0), zone)
    assert (second.day, second.hour, second.minute) in ((30, 2, 30), (31, 2, 30))


def test_intervals_are_counted_from_where_they_began() -> None:
    schedule = _schedule(10, "UTC", 0, "skip")
    assert [schedule.next(after, 3) for after in (3, 12.9, 13, 13.1, 95)] == [13, 13, 23, 23, 103]


def test_jitter_is_added_to_each_and_does_not_add_up() -> None:
    class Jittered(Agent):
        @every(100, jitter=20)
        def tick(self, tick: Event) -> None:
            heard.append((tick.payload["due"], self.clock.now()))

    with ActorSystem(mode="simulated", store=MemoryStore()) as system:
        system.spawn(Jittered)
        system.advance(1_050)
    assert [due for due, _ in heard] == [100.0 * n for n in range(1, len(heard) + 1)]
    assert all(0 <= at - due <= 20 for due, at in heard)
    assert len({at - due for due, at in heard}) > 5


@pytest.mark.parametrize(
    ("arguments", "options", "says"),
    [
        ((0,), {}, "more than 0, or a cron expression"),
        ((True,), {}, "more than 0"),
        (("every day",), {}, "no cron expression"),
        (("0 0 30 2 *",), {}, "no cron expression"),
        ((60,), {"tz": "Mars/Olympus"}, "no such time zone"),
        ((60,), {"tz": 7}, "give a name"),
        ((60,), {"jitter": -1}, "jitter="),
        ((60,), {"catch_up": "some"}, "catch_up="),
    ],
)
def test_what_makes_no_sense_is_refused_where_it_is_written(
    arguments: Any, options: Any, says: str
) -> None:
    with pytest.raises(InvalidAgent, match=says):
        every(*arguments, **options)


def test_only_methods_with_plain_names_can_be_scheduled() -> None:
    with pytest.raises(InvalidAgent, match="plain names"):
        every(60)(int)
