"""Recorded events, lifted and structured as the new code would do it: V01, V02, V03."""

from __future__ import annotations

from collections import Counter

import attrs

from choreia.actors.checking.finding import Finding
from choreia.runtime.errors import ChoreiaError
from choreia.runtime.events.event import Event
from choreia.runtime.events.fields import ordered_version
from choreia.runtime.events.schema import newest_classes, structure, type_of
from choreia.runtime.events.upcasting import UPCAST, upcast, upcast_version
from choreia.runtime.stores.base import EventStore

Key = tuple[str, str]
"""A type and the version that is recorded."""


def check_log(store: EventStore, sample: int | None = None) -> tuple[int, list[Finding]]:
    """How many events of declared types there are, and what is wrong with them.

    Timers are tried as well: their events will be in the log. At most `sample` payloads of a type
    and version are structured; versions are compared for all.
    """
    trial = _Trial(newest_classes(), sample)
    types = sorted({*trial.classes, *UPCAST})
    if not types:
        return 0, []
    for recorded in store.read(pattern=types):
        if not recorded.erased and not recorded.live:  # those are delivered to nobody
            trial.look(recorded.event, recorded.position)
    events = trial.events
    for timer in store.timers():
        if timer.event.type in types:
            trial.look(timer.event, 0)
    return events, list(trial.findings.values())


@attrs.define
class _Trial:
    classes: dict[str, type]
    sample: int | None
    events: int = 0
    findings: dict[tuple[str, str, str], Finding] = attrs.field(factory=dict)
    """By id, type and version."""
    _known: dict[Key, Finding | None] = attrs.field(factory=dict)
    """What the version alone tells."""
    _tried: Counter[Key] = attrs.field(factory=Counter)

    def look(self, event: Event, position: int) -> None:
        self.events += 1
        key = (event.type, event.metadata.version)
        if key not in self._known:
            self._known[key] = self._by_version(*key)
        finding = self._known[key]
        if finding is None and (self.sample is None or self._tried[key] < self.sample):
            self._tried[key] += 1
            finding = self._by_payload(event)
        if finding is not None:
            self._count(finding, position)

    def _count(self, finding: Finding, position: int) -> None:
        key = (finding.id, finding.type, finding.version)
        first = self.findings.get(key)
        if first is None:
            self.findings[key] = attrs.evolve(finding, position=position)
        else:
            self.findings[key] = attrs.evolve(first, count=first.count + 1)

    def _by_version(self, type: str, version: str) -> Finding | None:
        cls = self.classes.get(type)
        if cls is None:
            return None
        reached, known = upcast_version(type, version), _version(cls)
        if ordered_version(reached)[0] < ordered_version(known)[0]:
            return _missing(type, version, reached, known)
        if ordered_version(reached)[0] > ordered_version(known)[0]:
            return _unknown(type, version, reached, known)
        return None

    def _by_payload(self, event: Event) -> Finding | None:
        cls = self.classes.get(event.type)
        try:
            lifted = upcast(event)
            if cls is not None:
                structure(lifted, cls)
        except ChoreiaError as error:
            return Finding(
                "V03",
                str(error),
                "mend the upcaster, let the class take what was recorded, or give it another major "
                "version and an upcaster",
                event.type,
                event.metadata.version,
            )
        return None


def _version(cls: type) -> str:
    declared = type_of(cls)
    assert declared is not None
    return declared[1]


def _missing(type: str, version: str, reached: str, known: str) -> Finding:
    far = "" if reached == version else f", only to {reached}"
    return Finding(
        "V01",
        f"the code reads {known}, and no upcaster leads there{far}",
        f'declare @upcaster("{type}", "{reached}", "{known}")',
        type,
        version,
    )


def _unknown(type: str, version: str, reached: str, known: str) -> Finding:
    by = "" if reached == version else f", and its upcasters lead on to {reached}"
    return Finding(
        "V02",
        f"the code reads up to {known}{by}: this is a newer major version",
        f'deploy code that declares @event_type("{type}", version="{reached}")',
        type,
        version,
    )
