"""Times as text."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from choreia.runtime.events import rfc3339

TIMES = st.floats(-62_135_596_800, 253_402_300_799) | st.floats(1e9, 2e9) | st.floats(-10, 10)


@given(TIMES)
@example(5e-324)
@example(-5e-324)
@example(-0.0)
@example(253_402_300_799.99997)
def test_the_very_same_float_comes_back(timestamp: float) -> None:
    assert rfc3339.read(rfc3339.write(timestamp)) == timestamp


@given(TIMES)
def test_python_reads_the_same_time_to_the_microsecond(timestamp: float) -> None:
    theirs = datetime.fromisoformat(rfc3339.write(timestamp))
    ours = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=timestamp)
    assert abs(theirs - ours) <= timedelta(microseconds=1)


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=st.timezones()))  # noqa: DTZ001
def test_what_python_writes_is_read(moment: datetime) -> None:
    offset = moment.utcoffset()
    if offset is None or offset % timedelta(minutes=1):
        return  # old local mean times have seconds in their offset, and RFC 3339 has not
    ours = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=rfc3339.read(moment.isoformat()))
    assert abs(ours - moment) < timedelta(microseconds=100)


@pytest.mark.parametrize(
    ("text", "timestamp"),
    [
        ("1970-01-01T00:00:00Z", 0.0),
        ("1970-01-01t00:00:00.5z", 0.5),
        ("1969-12-31T23:59:59.5Z", -0.5),
        ("2026-11-22T13:30:00+02:30", 1_795_345_200.0),
        ("2026-11-22T08:30:00-02:30", 1_795_345_200.0),
        ("2016-12-31T23:59:60Z", 1_483_228_800.0),
        ("2024-11-22T10:40:00.1234567Z", 1_732_272_000.1234567),
    ],
)
def test_times_that_are_known(text: str, timestamp: float) -> None:
    assert rfc3339.read(text) == timestamp


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-22",
        "2026-11-22T13:30:00",
        "2026-11-22T13:30Z",
        "2026-11-22 13:30:00Z",
        "2026-13-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:61Z",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+00:60",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00." + "1" * 401 + "Z",
        "2026-01-01T00:00:00Z\n",
        "٢026-01-01T00:00:00Z",
        "now",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"RFC 3339|no such|day|month|year"):
        rfc3339.read(text)


@given(st.text(st.characters(), max_size=40) | st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"))
def test_nothing_but_a_value_error_comes_out(text: str) -> None:
    with suppress(ValueError):
        rfc3339.read(text)
