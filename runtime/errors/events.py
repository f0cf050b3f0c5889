"""Events, payloads, topics and filters that cannot be."""

from __future__ import annotations

from collections.abc import Sequence

from choreia.runtime.errors.root import ChoreiaError


class InvalidEvent(ChoreiaError, ValueError):
    """An event has a field that breaks the rules: its type, source, id, version, …"""


class InvalidType(InvalidEvent):
    """An event type is not dot-separated segments of ``[A-Za-z0-9_-]+``.

    `type` is the text that was refused.
    """

    def __init__(self, message: str, *, type: str = "") -> None:
        super().__init__(message)
        self.type = type


class InvalidPayload(InvalidEvent, TypeError):
    """A payload holds something JSON cannot: `path` says where (``payload.items[3].when``)."""

    def __init__(self, message: str, *, path: str = "payload") -> None:
        super().__init__(message)
        self.path = path


class PayloadTooLarge(InvalidPayload):
    """A payload is larger (bytes of JSON) or nested deeper than the limit allows."""

    def __init__(self, message: str, *, limit: int = 0, path: str = "payload") -> None:
        super().__init__(message, path=path)
        self.limit = limit


class DecodeError(InvalidEvent):
    """Wire input is not a well-formed event: not JSON, a wrong field, a duplicate key, NaN …"""

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class SchemaError(ChoreiaError, ValueError):
    """A declared event type, version or upcaster is wrong, or declared twice."""


class IncompatibleVersion(ChoreiaError):
    """An event's payload has a major version newer than the code that should read it."""

    def __init__(self, message: str, *, type: str = "", version: str = "") -> None:
        super().__init__(message)
        self.type = type
        self.version = version


class PayloadMismatch(ChoreiaError):
    """A payload does not structure into the class that the handler asked for."""

    def __init__(self, message: str, *, type: str = "", problems: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.type = type
        self.problems = tuple(problems)


class InvalidPattern(ChoreiaError, ValueError):
    """A topic pattern is malformed. `pattern` is the text that was refused."""

    def __init__(self, message: str, *, pattern: str = "") -> None:
        super().__init__(message)
        self.pattern = pattern


class InvalidFilter(ChoreiaError, ValueError):
    """A content filter is malformed. `path` says where in the filter."""

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class InvalidLimit(ChoreiaError, ValueError):
    """A limit is no sensible number: negative, not whole, or beyond what can be kept."""
