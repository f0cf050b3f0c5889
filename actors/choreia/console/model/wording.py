"""Numbers, times and spans of time, short enough for a column."""

from __future__ import annotations

from datetime import UTC, datetime


def rate(value: float | None) -> str:
    """Of something a second: as many digits as say something."""
    if value is None:
        return ""
    if value == 0 or value >= 9.95:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 0.95 else f"{value:.2f}"


def many(value: float) -> str:
    """A count in few characters: ``9,999``, ``12.3k``, ``100k``, ``4.5M``."""
    for limit, unit, size in ((1e4, "", 1.0), (1e6, "k", 1e3), (1e9, "M", 1e6), (1e12, "G", 1e9)):
        if value < limit:
            return f"{value:,.0f}" if not unit else f"{value / size:.1f}".removesuffix(".0") + unit
    return f"{value:.0e}"


def span(seconds: float | None) -> str:
    """``0.2 ms``, ``20 ms``, ``1.2 s``, ``3m05``, ``2h07m``, ``4d03h``."""
    if seconds is None:
        return ""
    if seconds < 0.00995:
        return f"{seconds * 1000:.1f} ms" if seconds > 0 else "0 ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 99.95:
        return f"{seconds:.1f} s"
    return clock(seconds)


def clock(seconds: float) -> str:
    """A longer span of time."""
    whole = int(seconds)
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{many(whole // 86400)}d{whole % 86400 // 3600:02d}h"


def time_of_day(time: float | None) -> str:
    """``14:03:07.123``, in UTC; whatever is no time is shown as it is."""
    if time is None:
        return ""
    try:
        return datetime.fromtimestamp(time, UTC).strftime("%H:%M:%S.%f")[:-3]
    except (ValueError, OverflowError, OSError):
        return many(time) if time >= 0 else "before 1970"


def counted(number: int, one: str, several: str = "") -> str:
    """``1 event``, ``2,000 events``."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"
