"""Numbers and times fit into their columns and say enough."""

from __future__ import annotations

import pytest

from choreia.console.model.wording import counted, many, rate, span, time_of_day


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, ""), (0, "0"), (0.04, "0.04"), (3.14159, "3.1"), (31.0, "31"), (1234.5, "1,234")],
)
def test_rates(value: float | None, said: str) -> None:
    assert rate(value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(0, "0"), (9999, "9,999"), (12_345, "12.3k"), (100_000, "100k"), (4_500_000, "4.5M")],
)
def test_counts(value: float, said: str) -> None:
    assert many(value) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, ""), (0, "0 ms"), (0.0002, "0.2 ms"), (0.02, "20 ms"), (1.234, "1.2 s"),
        (185, "3m05"), (7620, "2h07m"), (356_400, "4d03h"),
    ],
)  # fmt: skip
def test_spans_of_time(seconds: float | None, said: str) -> None:
    assert span(seconds) == said


@pytest.mark.parametrize("value", [0, 0.5, 3, 1e5, 12_345_678, 1e18, 1e300])
def test_nothing_is_longer_than_its_column(value: float) -> None:
    assert len(many(value)) <= 7
    assert len(span(min(value, 1e18))) <= 12


def test_times_of_day() -> None:
    assert time_of_day(1_000.25) == "00:16:40.250"
    assert time_of_day(None) == ""
    assert time_of_day(1e18) == "1e+18"
    assert counted(1, "event") == "1 event"
    assert counted(2000, "event") == "2,000 events"
