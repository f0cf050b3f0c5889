"""Who takes part in a review: the one place that knows all agents, and only to start them."""

from __future__ import annotations

import os
from pathlib import Path

from attrs import frozen

from choreia import ActorSystem
from choreia.demos.review.clerk import Clerk
from choreia.demos.review.critics import AuthorCritic, ContextCritic, DoubtCritic, IdiomCritic
from choreia.demos.review.defenders import PrudentDefender, StubbornDefender
from choreia.demos.review.events import ReviewRequested
from choreia.demos.review.inspectors import Inspector
from choreia.demos.review.metrics import Metrics
from choreia.demos.review.report import Report
from choreia.demos.review.reporter import Reporter
from choreia.demos.review.scout import Scout
from choreia.demos.review.source import check_root

MAILBOX = 32
JOIN_TIMEOUT = 10.0
"""Seconds for all agents to come online."""


@frozen(eq=False)
class Review:
    """A guild that is ready, and the report it will fill."""

    system: ActorSystem
    root: Path
    report: Report

    def start(self) -> None:
        """Ask for the review. `system.wait_idle()` then waits for its end."""
        self.system.publish(ReviewRequested(str(self.root)))


def build(
    system: ActorSystem,
    path: str | os.PathLike[str] = ".",
    *,
    limit: int | None = None,
    analysts: int = 2,
    mailbox: int = MAILBOX,
) -> Review:
    """Start the agents that will review `path`, a folder or a file.

    `limit` is the most files to review, `analysts` how many there are for each job, `mailbox`
    the capacity of each agent's mailbox. Raises `DemoError` when there is nothing at `path`.
    """
    root = check_root(path)
    report = Report(str(root))
    system.spawn(lambda: Reporter(report), name="reporter", mailbox=mailbox)
    system.spawn(Clerk, name="clerk", mailbox=mailbox)
    for defender in (PrudentDefender, StubbornDefender):
        system.spawn(defender, mailbox=mailbox)
    for critic in (AuthorCritic, ContextCritic, DoubtCritic, IdiomCritic):
        system.spawn(critic, mailbox=mailbox)
    for number in range(1, analysts + 1):
        system.spawn(lambda: Inspector(root), name=f"faults-{number}", mailbox=mailbox)
        system.spawn(lambda: Metrics(root), name=f"metrics-{number}", mailbox=mailbox)
    system.spawn(lambda: Scout(root, limit), name="scout", mailbox=mailbox)
    # Who asks others by capability must find all of them: debates would differ otherwise.
    system.wait_idle(timeout=JOIN_TIMEOUT)
    return Review(system, root, report)
