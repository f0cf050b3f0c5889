"""What is said in a review: every event, in the order in which they follow each other.

Typed payloads: a handler marked ``@on(FileFound)`` is given a `FileFound`. Paths are relative
to the place under review, and no event carries a file's content. Two more events have no class
because their type ends in a name that only the agents know, ``bid.placed.<job>`` and
``file.awarded.<agent>``; their payloads are `Bid` and `Award`.
"""

from __future__ import annotations

from typing import Literal

from attrs import frozen

from choreia import event_type

Stance = Literal["agree", "challenge"]


@event_type("review.requested")
@frozen
class ReviewRequested:
    """Somebody wants `root` reviewed. This starts it all."""

    root: str


@event_type("file.skipped")
@frozen
class FileSkipped:
    """The scout passed something over."""

    path: str
    reason: str


@event_type("file.found")
@frozen
class FileFound:
    """A file is there to be measured, and these may bid for it."""

    number: int
    path: str
    bytes: int
    bidders: tuple[str, ...]


@frozen
class Bid:
    """What a bidder wants for a file: the bytes it still has to read before this one."""

    number: int
    bidder: str
    price: int


@frozen
class Award:
    """The winner's word to itself: this one is mine."""

    number: int
    path: str
    bytes: int


@event_type("scout.finished")
@frozen
class ScoutFinished:
    """There are no more files."""

    files: int


@frozen
class Notable:
    """A function that somebody should look at."""

    name: str
    line: int
    complexity: int
    length: int
    nesting: int
    arguments: int


@event_type("file.measured")
@frozen
class FileMeasured:
    """A file was measured; now its faults are to be found, and these may bid for it."""

    number: int
    path: str
    bytes: int
    bidders: tuple[str, ...]
    lines: int
    functions: int
    classes: int
    complexity: int
    undocumented: int
    notable: tuple[Notable, ...]


@frozen
class Finding:
    """A fault that somebody claims to have found. `id` is unique in a review.

    `mark` is the word of a comment on that line that asks reviewers to leave it alone.
    """

    id: str
    path: str
    line: int
    column: int
    rule: str
    symbol: str
    severity: str
    confidence: float
    message: str
    mark: str


@event_type("finding.raised")
@frozen
class FindingRaised:
    """A finding, before it is debated; `critics` and `defenders` are asked to speak."""

    finding: Finding
    critics: tuple[str, ...]
    defenders: tuple[str, ...]


@event_type("file.judged")
@frozen
class FileJudged:
    """All that was found in a file has been said: `findings` of them; `left_out` were not."""

    number: int
    path: str
    findings: int
    left_out: int


@event_type("opinion.given")
@frozen
class OpinionGiven:
    """What a critic thinks of a finding. A challenge is for the defenders to answer."""

    finding: str
    critic: str
    stance: Stance
    argument: str
    severity: str
    confidence: float
    defenders: tuple[str, ...]


@event_type("challenge.answered")
@frozen
class ChallengeAnswered:
    """What a defender thinks of a challenge."""

    finding: str
    critic: str
    defender: str
    rebutted: bool


@frozen
class Challenge:
    """An argument against a finding, and whether it stands."""

    critic: str
    argument: str
    stands: bool


@event_type("finding.settled")
@frozen
class FindingSettled:
    """The debate is over. `weight` is severity (1 to 4) times confidence times votes."""

    finding: Finding
    weight: float
    upheld: bool
    challenges: tuple[Challenge, ...]


@event_type("review.completed")
@frozen
class ReviewCompleted:
    """Every file that was found has been reviewed, or cannot be."""

    files: int
    unreadable: int
    findings: int
    upheld: int
