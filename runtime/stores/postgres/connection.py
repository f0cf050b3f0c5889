"""A session with the server, as the shared SQL uses one; and text that survives it."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, TypeAlias

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Dumper, Loader
from psycopg.pq import ConnStatus, Format

from choreia.runtime.stores.sql.connection import Row, Rows

Raw: TypeAlias = psycopg.Connection[Row]

_UNANSWERED = 512
"""So many statements are sent at most before their answers are waited for."""

# -- text -------------------------------------------------------------------------------------

# PostgreSQL's text cannot hold U+0000, and its UTF-8 no lone surrogates, which tracebacks may have.
_ESCAPE = "\x1a"
_UNFIT = re.compile(f"[\0{_ESCAPE}\ud800-\udfff]")
_ESCAPED = re.compile(f"{_ESCAPE}([0-9a-f]{{4}})")


class _TextDumper(Dumper):
    format = Format.BINARY
    oid = psycopg.adapters.types["text"].oid

    def dump(self, obj: str) -> bytes:
        return _UNFIT.sub(lambda found: f"{_ESCAPE}{ord(found[0]):04x}", obj).encode()


class _TextLoader(Loader):
    format = Format.BINARY

    def load(self, data: Buffer) -> str:
        text = bytes(data).decode()
        if _ESCAPE not in text:
            return text
        return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


# -- sessions ---------------------------------------------------------------------------------


class Session:
    """A `sql.connection.Connection`. What it sends and gets is binary."""

    IntegrityError: type[Exception] = psycopg.IntegrityError

    def __init__(self, raw: Raw) -> None:
        raw.adapters.register_dumper(str, _TextDumper)
        raw.adapters.register_loader("text", _TextLoader)
        self.raw = raw
        self._pipeline: psycopg.Pipeline | None = None
        self._unanswered = 0

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Rows:
        self._count()
        return self.raw.execute(_spelled(sql), parameters, binary=True)

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> Rows:
        self._count()
        cursor = self.raw.cursor()
        cursor.executemany(_spelled(sql), list(parameters))
        return cursor

    def _count(self) -> None:
        self._unanswered += 1
        if self._pipeline is not None and self._unanswered >= _UNANSWERED:
            self._pipeline.sync()
            self._unanswered = 0

    @contextmanager
    def together(self) -> Generator[None, None, None]:
        """Statements go to the server without waiting for the answers to those before, unless
        somebody fetches them. What fails is raised at the end at the latest."""
        with self.raw.pipeline() as pipeline:
            self._pipeline, self._unanswered = pipeline, 0
            try:
                yield
            finally:
                self._pipeline = None

    def is_alive(self) -> bool:
        """Whether the server has not ended this session while it was idle, as far as it told."""
        if self.raw.closed:
            return False
        try:
            for _ in range(2):  # its last words first, then that it hung up
                self.raw.pgconn.consume_input()
        except psycopg.Error:
            return False
        return self.raw.pgconn.status == ConnStatus.OK

    def close(self) -> None:
        self.raw.close()


@lru_cache(1_000)
def _spelled(sql: str) -> bytes:
    """With psycopg's sign for a parameter. None of our statements has a ``?`` in a literal."""
    return sql.replace("%", "%%").replace("?", "%b").encode()
