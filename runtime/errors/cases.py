"""Cases: everything with one correlation id."""

from __future__ import annotations

from collections.abc import Sequence

from choreia.runtime.errors.delivery import RequestTimeout
from choreia.runtime.errors.root import ChoreiaError


class CaseDied(RequestTimeout):
    """The request's case has come to its end without an answer; waiting longer would be in vain.

    `dead_letters` are those of the case, `verdict` says how it ended. (A kind of `RequestTimeout`,
    which it spares: whoever catches that is told sooner.)
    """

    def __init__(
        self,
        message: str,
        *,
        correlation_id: str = "",
        seen: Sequence[object] = (),
        dead_letters: Sequence[object] = (),
        verdict: object = None,
    ) -> None:
        super().__init__(message, correlation_id=correlation_id, seen=seen)
        self.dead_letters = tuple(dead_letters)
        self.verdict = verdict


class CaseTimeout(ChoreiaError, TimeoutError):
    """A case was not over in time; `verdict` says how it stands."""

    def __init__(self, message: str, *, correlation_id: str = "", verdict: object = None) -> None:
        super().__init__(message)
        self.correlation_id = correlation_id
        self.verdict = verdict


class BudgetExceeded(ChoreiaError):
    """A case used more events or money than `CaseLimits` grants: nothing of it is handled any more.

    Only ever in dead letters, with the reason ``budget``.
    """

    def __init__(self, message: str, *, correlation_id: str = "") -> None:
        super().__init__(message)
        self.correlation_id = correlation_id


class UnknownCase(ChoreiaError, LookupError):
    """No event, and no case, of that id is known. `id` is what was asked for."""

    def __init__(self, message: str, *, id: str = "") -> None:
        super().__init__(message)
        self.id = id
