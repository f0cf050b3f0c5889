"""``Retry-After``: in how many seconds a server wants to be asked again (RFC 9110, 10.2.3)."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite


def seconds_to_wait(after: str | None, date: str | None) -> float | None:
    """What the header says: seconds, or a time, which is compared with the server's own ``Date``,
    so that nobody's clock has to be right. None if it says nothing that can be understood."""
    if after is None:
        return None
    try:
        seconds = float(after)
    except ValueError:
        return _until(after, date)
    return max(0.0, seconds) if isfinite(seconds) else None


def _until(after: str, date: str | None) -> float | None:
    then, now = _time(after), _time(date or "")
    return None if then is None or now is None else max(0.0, (then - now).total_seconds())


def _time(text: str) -> datetime | None:
    try:
        time = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
