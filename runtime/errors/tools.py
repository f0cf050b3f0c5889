"""Tests, commands and demos."""

from __future__ import annotations

from collections.abc import Sequence

from choreia.runtime.errors.root import ChoreiaError


class ExpectationFailed(ChoreiaError, AssertionError):
    """A test's expectation did not hold, or the test left something behind that nobody allowed.

    `event` is the one that should not have come, if that is what failed; `faults` are what was
    left behind, a line each.
    """

    def __init__(self, message: str, *, event: object = None, faults: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.event = event
        self.faults = tuple(faults)


class InvalidModule(ChoreiaError, ValueError):
    """Code that was to be looked at cannot be imported, or does not spawn its agents.

    `module` is what was asked for.
    """

    def __init__(self, message: str, *, module: str = "") -> None:
        super().__init__(message)
        self.module = module


class InvalidFormat(ChoreiaError, ValueError):
    """There is no such format to show something in. `format` is what was asked for."""

    def __init__(self, message: str, *, format: str = "") -> None:
        super().__init__(message)
        self.format = format


class InvalidAcceptance(ChoreiaError, ValueError):
    """What ``[tool.choreia.check]`` says of accepted findings cannot be understood."""


class DemoError(ChoreiaError):
    """A demo was given input it cannot use: a file, a line, a value."""
