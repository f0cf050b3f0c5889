"""The critics: each looks at every finding from one side, and challenges it or agrees."""

from __future__ import annotations

import re

from choreia import Agent, on
from choreia.demos.review.events import Finding, FindingRaised, OpinionGiven
from choreia.demos.review.member import UNBUSY

_TEST_FILE = re.compile(
    r"(^|/)(tests?|testing|idle_test)/|(^|/)(test_[^/]*|[^/]*_test|conftest)\.py$"
)
# In a test too, these are mistakes: a test that is lost or that cannot fail.
_WRONG_IN_TESTS = frozenset({"redefined-method", "assert-on-tuple", "unreachable-code"})

_CLEANUP = frozenset(
    {"__del__", "__exit__", "__aexit__", "close", "shutdown", "cleanup", "tearDown"}
)
_CAUGHT = frozenset({"bare-except", "swallowed-exception"})


class Critic(Agent):
    """Gives an opinion on each finding that asks for it."""

    capabilities = ("review.critic",)
    capacity = UNBUSY
    emits = (OpinionGiven,)

    @on(FindingRaised)
    def consider(self, raised: FindingRaised) -> None:
        if self.name not in raised.critics:
            return
        finding = raised.finding
        argument = self.objection(finding)
        self.emit(
            OpinionGiven(
                finding=finding.id,
                critic=self.name,
                stance="challenge" if argument else "agree",
                argument=argument,
                severity=finding.severity,
                confidence=finding.confidence,
                defenders=raised.defenders,
            )
        )

    def objection(self, finding: Finding) -> str:
        """What speaks against `finding`, or ``""``."""
        raise NotImplementedError


class ContextCritic(Critic):
    """Knows that tests break rules on purpose."""

    specializations = ("tests",)

    def objection(self, finding: Finding) -> str:
        if finding.rule in _WRONG_IN_TESTS or not _TEST_FILE.search(finding.path):
            return ""
        return "it stands in a test, where such things are tried on purpose"


class AuthorCritic(Critic):
    """Speaks for the author, who wrote a comment to be left alone."""

    specializations = ("comments",)

    def objection(self, finding: Finding) -> str:
        return f"its author meant it: a comment there says {finding.mark!r}" if finding.mark else ""


class IdiomCritic(Critic):
    """Knows patterns that look wrong and are not."""

    specializations = ("idioms",)

    def objection(self, finding: Finding) -> str:
        place = finding.symbol.rpartition(".")[2]
        if finding.rule in _CAUGHT and place in _CLEANUP:
            return f"{place} cleans up: whatever fails there must not hide the first error"
        return ""


class DoubtCritic(Critic):
    """Believes nothing that is more likely wrong than right."""

    specializations = ("doubt",)

    def objection(self, finding: Finding) -> str:
        return "" if finding.confidence >= 0.5 else "the rule itself is rarely sure of this"
