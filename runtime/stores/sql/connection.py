"""A connection, as far as stores use one: Python's DB-API with a shortcut, as `sqlite3` has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

Row = tuple[Any, ...]


class Rows(Protocol):
    """What a statement gives."""

    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """Statements run at once; ``BEGIN`` and ``COMMIT`` are said."""

    @property
    def IntegrityError(self) -> type[Exception]:  # DB-API's name
        """Raised when something is not unique."""
        ...

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Rows: ...

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> Rows: ...

    def close(self) -> None: ...
