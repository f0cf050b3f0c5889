"""What is wrong with a choreography as it is declared. One file for each kind of question.

A fault is told once, as what it is: what only follows from another finding is no finding. So a
handler that nothing comes to because its event is never emitted (C02) is not unreachable (C03) as
well, nor are all that come after it.
"""

from __future__ import annotations

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
from choreia.runtime.insight.choreography import Choreography
from choreia.runtime.insight.links import Links


def check(choreography: Choreography) -> tuple[Finding, ...]:
    """All that is found, by id and place."""
    links = Links(choreography)
    found: set[Finding] = set()
    for look in (unheard, unsaid, reaching, ends, cycles, joins, sagas, payloads, drift, claims):
        found.update(look(links))
    return tuple(sorted(found))
