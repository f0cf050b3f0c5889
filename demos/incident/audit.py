"""Do the books add up? What was said is compared with what was done, and with what may be done.

No book is checked against itself: what was executed is the service's word, who agreed to it is
read off the chronicle, and the digest is computed once more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from attrs import frozen

from choreia import Event
from choreia.demos.incident.action import Action, digest_of
from choreia.demos.incident.books import Books
from choreia.demos.incident.cast import HUMAN, JUMPY
from choreia.demos.incident.events import ScoreUpdated
from choreia.demos.incident.faults import Fault
from choreia.demos.incident.trust import Trust
from choreia.demos.incident.watcher import TEMPERS
from choreia.runtime.events.display import plain

SHOWN = 3
"""Faults of one check that are told; the others are counted."""


@frozen
class Check:
    """One thing that must hold, and a sentence on whether it does."""

    name: str
    holds: bool
    says: str


def audit(books: Books) -> tuple[Check, ...]:
    """Every check, in the order of the story. The system must be at rest."""
    return (
        _quarantine(books),
        _alarms(books),
        _ends(books),
        _once(books),
        _consent(books),
        _refusals(books),
        _suspicions(books),
        _recovery(books),
    )


def _quarantine(books: Books) -> Check:
    out = books.trust.quarantined
    faults = [] if JUMPY in out else [f"{JUMPY} is not quarantined"]
    faults += [f"{name} is quarantined, and was right" for name in out if name != JUMPY]
    if books.chronicle.trust.scores != books.trust.scores:
        faults.append("whoever listens has other scores than the keeper")
    good = f"{JUMPY}, with {books.trust.scores[JUMPY]} points, and no other"
    return _check("quarantine", good, faults)


def _alarms(books: Books) -> Check:
    """What every proposal rests on, by the scores that had been given until then."""
    faults: list[str] = []
    trust = Trust(TEMPERS)
    for event in books.chronicle.of("score.updated", "action.proposed"):
        if event.type == "score.updated":
            trust.hear(ScoreUpdated(**event.copy_payload()))
            continue
        alarms = event.payload["alarms"]
        if not trust.agree(alarms):
            faults.append(f"{_incident(event)} rests on {len(trust.counted(alarms))} alarms")
        bad = [name for name in alarms if name not in trust.trusted]
        faults += [f"{_incident(event)} rests on {name}, which does not count" for name in bad]
    good = f"every proposal rests on {trust.quorum} or more, none of them quarantined"
    return _check("alarms", good, faults)


def _ends(books: Books) -> Check:
    ends = {incident: books.ends(incident) for incident in books.incidents}
    faults = [
        f"{incident} ended {len(ended)} times"
        for incident, ended in ends.items()
        if len(ended) != 1
    ]
    if not ends:
        faults.append("there was no incident")
    told = ", ".join(plain(f"{incident} {''.join(ended)}", 60) for incident, ended in ends.items())
    return _check("incidents", f"each ended once: {told}", faults)


def _once(books: Books) -> Check:
    done = Counter(books.service_book.executed)
    resolved = [p for p in _first_proposals(books) if "resolved" in books.ends(_incident(p))]
    due = Counter((_incident(proposed), _digest(proposed)) for proposed in resolved)
    faults = [
        f"{incident}: {done[incident, digest]} times {digest[:8]}, {due[incident, digest]} due"
        for incident, digest in sorted({*done, *due})
        if done[incident, digest] != due[incident, digest]
    ]
    good = f"{done.total()} executed, one for each incident that was resolved"
    return _check("actions", good, faults)


def _first_proposals(books: Books) -> list[Event]:
    """Of each incident: should two have proposed at once, it was the same."""
    first: dict[str, Event] = {}
    for proposed in books.chronicle.of("action.proposed"):
        first.setdefault(_incident(proposed), proposed)
    return list(first.values())


def _incident(event: Event) -> str:
    incident: str = event.payload["incident"]
    return incident


def _digest(proposed: Event) -> str:
    """Of the action as it was proposed; not as the proposal has it."""
    return digest_of(Action(**proposed.copy_payload()["action"]))


def _consent(books: Books) -> Check:
    """For everything that was executed: who agreed, to exactly this, and when."""
    executed = set(map(_incident, books.chronicle.of("action.executed")))
    faults = [
        f"{_incident(proposed)}: no person approved this action in time"
        for proposed in _first_proposals(books)
        if _incident(proposed) in executed and not _approved(books, proposed)
    ]
    good = "nothing was executed but what a person approved, in time"
    return _check("consent", good, faults)


def _approved(books: Books, proposed: Event) -> bool:
    """Whether the first valid answer of a person was a yes."""
    deadline, wanted = proposed.payload["deadline"], (_incident(proposed), _digest(proposed))
    for answer in books.chronicle.of("action.approved", "action.vetoed"):
        valid = answer.source.startswith(HUMAN) and answer.timestamp < deadline
        if valid and (answer.payload["incident"], answer.payload["digest"]) == wanted:
            return answer.type == "action.approved"
    return False


def _refusals(books: Books) -> Check:
    said = len(books.chronicle.of("action.approved", "action.vetoed"))
    refused = len(books.chronicle.of("approval.refused"))
    counted = len(books.chronicle.of("action.cleared")) + sum(
        books.ends(incident).count("vetoed") for incident in books.incidents
    )
    faults = [] if said == counted + refused else [f"{said} is not {counted} + {refused}"]
    good = f"{said} from outside: {counted} counted, {refused} refused"
    return _check("answers", good, faults)


def _suspicions(books: Books) -> Check:
    suspected = books.named("agent.suspected_failure")
    faults = [
        f"{name} was suspected, and had done nothing wrong" for name in suspected - books.at_fault
    ]
    faults += [f"{name} failed, and was not suspected" for name in books.at_fault - suspected]
    good = "nobody was suspected, and nobody failed"
    if suspected:
        good = f"{', '.join(sorted(suspected))}, and no other, and it had failed"
    return _check("suspicions", good, sorted(faults))


def _recovery(books: Books) -> Check:
    suspected, back = books.named("agent.suspected_failure"), books.named("agent.recovered")
    faults = [f"{name} is still suspected" for name in sorted(suspected - back)]
    late = books.fault is Fault.HANG and bool(books.at_fault)
    if late and books.came_back != 1:
        faults.append(f"{books.came_back} old handlers were fenced")
    good = "who was suspected is well again"
    return _check("recovery", f"{good}, and the old handler was fenced" if late else good, faults)


def _check(name: str, good: str, faults: Iterable[str]) -> Check:
    faults = list(faults)
    if not faults:
        return Check(name, True, good)
    more = f"; and {len(faults) - SHOWN:,} more" if len(faults) > SHOWN else ""
    return Check(name, False, "; ".join(plain(fault, 200) for fault in faults[:SHOWN]) + more)
