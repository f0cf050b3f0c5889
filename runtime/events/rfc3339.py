"""Unix seconds as RFC 3339 text, and back to the very same float."""

from __future__ import annotations

import datetime
import math
import re
from decimal import Context, Decimal

_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]{1,400})?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)
_EPOCH = datetime.datetime(1970, 1, 1)  # noqa: DTZ001  # in UTC; the zone is written by hand
# Room for every digit of the smallest float beside a second: nothing is ever rounded.
_EXACT = Context(prec=400)


def write(timestamp: float) -> str:
    """The time in UTC: right to the microsecond, with more digits where the float needs them to
    come back the same (today's have seven). `timestamp` must be in the years 1 to 9999."""
    rounded = f"{timestamp:.6f}"
    exact = Decimal(rounded if float(rounded) == timestamp else repr(timestamp))
    seconds = math.floor(exact)
    fraction = _EXACT.subtract(exact, Decimal(seconds))
    moment = (_EPOCH + datetime.timedelta(seconds=seconds)).isoformat()
    digits = f"{fraction:f}".partition(".")[2].rstrip("0")
    return f"{moment}.{digits}Z" if digits else f"{moment}Z"


def read(text: str) -> float:
    """Unix seconds. Raises `ValueError` when the text is no time, or has no zone."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError("give an RFC 3339 time with a zone, such as 2026-01-31T12:00:00Z")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    if hour > 23 or minute > 59 or second > 60:  # 60: a leap second, the same as the next one
        raise ValueError("there is no such time of day")
    days = datetime.date(year, month, day).toordinal() - _EPOCH.toordinal()
    whole = days * 86_400 + hour * 3_600 + minute * 60 + second - _offset(match)
    fraction = Decimal(match[7] or 0)
    return float(_EXACT.add(Decimal(whole), fraction))


def _offset(match: re.Match[str]) -> int:
    if match[8] is None:
        return 0
    hours, minutes = int(match[9]), int(match[10])
    if hours > 23 or minutes > 59:
        raise ValueError("there is no such offset from UTC")
    return (hours * 3_600 + minutes * 60) * (-1 if match[8] == "-" else 1)
