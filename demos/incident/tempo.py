"""How long everything takes in the story, and what that is in a hurry."""

from __future__ import annotations

from attrs import asdict, frozen

from choreia import Heartbeat


@frozen
class Tempo:
    """All in seconds, as the system's clock counts them."""

    sample: float = 1
    """Between two samples of the service."""
    thought: float = 4
    """That a person needs to answer."""
    deadline: float = 20
    """From a proposal until it expires."""
    work: float = 2
    """That an action takes."""
    slow_work: float = 9
    """That it takes a slow fixer. Much longer than `stuck_after`, and yet it is not suspected."""
    sign: float = 1
    """Between two signs of life of a slow fixer."""
    beat: float = 1
    """Between two questions of the supervisor to a responder whether it is there."""
    silent_after: float = 6
    """Unanswered for so long, a responder is suspected."""
    stuck_after: float = 3
    """In a handler for so long without a sign of life, it is suspected."""
    replace_after: float = 1
    """So long after it was suspected, it is fenced, and another instance takes its place. Less than
    `work`: before the stand-by has done anything, the other cannot do anything any more."""
    hang: float = 10
    """After which a fixer that hangs comes back."""
    longest: float = 120
    """After which the story ends, whatever has become of it."""

    def paced(self, pace: float) -> Tempo:
        """The same, where a second of the story takes `pace` seconds."""
        return Tempo(**{name: seconds * pace for name, seconds in asdict(self).items()})

    @property
    def heartbeat(self) -> Heartbeat:
        """How the supervisor is to watch a responder."""
        return Heartbeat(
            interval=self.beat,
            timeout=self.silent_after,
            stuck_after=self.stuck_after,
            replace_after=self.replace_after,
        )
