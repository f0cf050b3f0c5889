"""Findings that somebody has accepted, with a reason and for a time.

They stand in ``pyproject.toml``::

    [tool.choreia.check]
    accept = [
        {id = "C01", agent = "shop", event = "order.noted", reason = "…", until = 2027-01-31},
    ]

An entry that has expired, or that accepts what is found no more, is a finding itself (C00). Where a
project has several choreographies, ``module = "…"`` says of which one an entry is.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import cast

import attrs

from choreia.runtime.errors import InvalidAcceptance
from choreia.runtime.events.display import plain
from choreia.runtime.insight.checks.finding import CHECKS, Finding
from choreia.runtime.insight.choreography import Place

_KEYS = ("id", "agent", "event", "reason", "until")
_MODULE = "module"


@attrs.frozen
class Accepted:
    """One entry."""

    id: str
    agent: str
    event: str
    reason: str
    until: date
    """The last day on which it counts."""
    module: str | None = None
    """Of which choreography, as it is named to be checked; None: of any."""

    def is_of(self, module: str) -> bool:
        """Whether it is of the choreography ``MODULE[:build]``."""
        return self.module in (None, module, module.rpartition(":")[0])

    def covers(self, finding: Finding) -> bool:
        return (self.id, self.agent, self.event) == (finding.id, finding.agent, finding.event)


def read_accepted(file: Path) -> tuple[Accepted, ...]:
    """The entries of a ``pyproject.toml``; none without it. Raises `InvalidAcceptance`."""
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        raise InvalidAcceptance(f"{file} cannot be read: {plain(str(error), 200)}") from error
    section: object = content
    for key in ("tool", "choreia", "check"):
        section = cast("Mapping[str, object]", section).get(key, {})
        if not isinstance(section, Mapping):
            raise InvalidAcceptance(f"{file}: [tool.choreia.check] must be a table")
    settings = cast("Mapping[str, object]", section)
    unknown = sorted(set(settings) - {"accept"})
    if unknown:
        raise InvalidAcceptance(f"{file}: [tool.choreia.check] has only accept, not {unknown[0]!r}")
    entries = settings.get("accept", [])
    if not isinstance(entries, list):
        raise InvalidAcceptance(f"{file}: [tool.choreia.check] accept must be a list of tables")
    return tuple(
        _entry(file, number, one) for number, one in enumerate(cast("list[object]", entries), 1)
    )


def judge(
    findings: Iterable[Finding], accepted: Iterable[Accepted], today: date, file: str
) -> tuple[Finding, ...]:
    """What is left when the accepted is taken away; and what is wrong with the accepting."""
    left = list(findings)
    wrong: list[Finding] = []
    for entry in accepted:
        covered = [one for one in left if entry.covers(one)]
        if not covered:
            wrong.append(_stale(entry, file, "is found no more", "remove the entry"))
        elif entry.until < today:
            when = f"was accepted until {entry.until.isoformat()}: {entry.reason}"
            wrong.append(_stale(entry, file, when, "mend it, or accept it anew"))
        left = [one for one in left if one not in covered or entry.until < today]
    return tuple(sorted([*left, *wrong]))


def _stale(entry: Accepted, file: str, why: str, advice: str) -> Finding:
    what = f"{entry.id} of {entry.agent}, {entry.event}, {why}"
    return Finding("C00", entry.agent, entry.event, what, advice, Place(file, 1))


def _entry(file: Path, number: int, given: object) -> Accepted:
    where = f"{file}: accept, entry {number}"
    if not isinstance(given, Mapping):
        raise InvalidAcceptance(f"{where}: write a table of {', '.join(_KEYS)}")
    entry = cast("Mapping[str, object]", given)
    wrong = sorted(set(entry) - {*_KEYS, _MODULE}) or [key for key in _KEYS if key not in entry]
    if wrong:
        what = "is not known" if wrong[0] not in _KEYS else "is missing"
        raise InvalidAcceptance(f"{where}: {plain(wrong[0], 40)} {what}; give {', '.join(_KEYS)}")
    texts = {key: text for key, text in entry.items() if key != "until"}
    for key, text in texts.items():
        if not isinstance(text, str) or not text.strip():
            raise InvalidAcceptance(f"{where}: {key} must be text")
    until = entry["until"]
    if isinstance(until, datetime) or not isinstance(until, date):
        raise InvalidAcceptance(f"{where}: until must be a date, as 2027-01-31, without quotes")
    if entry["id"] not in CHECKS or entry["id"] == "C00":
        raise InvalidAcceptance(f"{where}: id must be one of C01 to C12")
    return Accepted(**cast("dict[str, str]", texts), until=until)
