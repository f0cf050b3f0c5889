"""Looking at a running system from another process."""

from __future__ import annotations

from collections.abc import Sequence

from choreia.runtime.errors.root import ChoreiaError


class NoSuchSystem(ChoreiaError, LookupError):
    """No running system was found, or none of that name."""


class SeveralSystems(ChoreiaError, LookupError):
    """More than one system could be meant. `systems` names them, a line each."""

    def __init__(self, message: str, *, systems: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.systems = tuple(systems)


class InspectionFailed(ChoreiaError):
    """The system could not answer. `code` says why, in a word (`runtime/inspection/frames.py`)."""

    def __init__(self, message: str, *, code: str = "failed") -> None:
        super().__init__(message)
        self.code = code


class InspectionRefused(InspectionFailed):
    """The system does not allow it: it is served for looking only, or to another user."""

    def __init__(self, message: str, *, code: str = "refused") -> None:
        super().__init__(message, code=code)


class InspectionTimeout(ChoreiaError, TimeoutError):
    """The system did not answer in time. `seconds` is how long it was given."""

    def __init__(self, message: str, *, seconds: float = 0.0) -> None:
        super().__init__(message)
        self.seconds = seconds


class SystemGone(ChoreiaError, ConnectionError):
    """The system that was looked at has ended. `reason` says how, as far as is known."""

    def __init__(self, message: str, *, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason


class InspectionInsecure(ChoreiaError, OSError):
    """The place for the socket is not safe: others could look, or put theirs in its place."""
