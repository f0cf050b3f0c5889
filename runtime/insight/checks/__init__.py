"""What is wrong with a choreography as it is declared. One file for each kind of question.

A fault is told once, as what it is: what only follows from another finding is no finding. So a
handler that nothing comes to because its event is never emitted (C02) is not unreachable (C03) as
well, nor are all that come after it.
"""

from __future__ import annotations

import attrs

from choreia.runtime.insight.checks.claims import claims
from choreia.runtime.insight.checks.cycles import cycles
from choreia.runtime.insight.checks.drift import drift
from choreia.runtime.insight.checks.ends import ends
from choreia.runtime.insight.checks.finding import CHECKS as CHECKS
from choreia.runtime.insight.checks.finding import Finding as Finding
from choreia.runtime.insight.checks.joins import joins
from choreia.runtime.insight.checks.meeting import unheard, unsaid
from choreia.runtime.insight.checks.payloads import payloads
from choreia.runtime.insight.checks.reaching import reaching
from choreia.runtime.insight.checks.sagas import sagas
from choreia.runtime.insight.choreography import Choreography, Place
from choreia.runtime.insight.links import Links


@attrs.frozen
class Report:
    """What a look at a choreography gives."""

    findings: tuple[Finding, ...]
    """By id and place."""
    vague: tuple[tuple[str, Place], ...]
    """Handlers that may emit anything, as far as their source tells. While there are any, nothing
    can be said to be never emitted (C02)."""


def report(choreography: Choreography) -> Report:
    links = Links(choreography)
    found: set[Finding] = set()
    for look in (unheard, unsaid, reaching, ends, cycles, joins, sagas, payloads, drift, claims):
        found.update(look(links))
    vague = {node.title: node.reaction.place for node in links.vague}
    return Report(tuple(sorted(found)), tuple(sorted(vague.items())))


def check(choreography: Choreography) -> tuple[Finding, ...]:
    """All that is found, by id and place."""
    return report(choreography).findings
