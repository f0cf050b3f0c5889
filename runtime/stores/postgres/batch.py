"""Writing a batch, where PostgreSQL has a better way than one statement with all the values."""

from __future__ import annotations

from choreia.runtime.stores.sql.rows import COLUMNS
from choreia.runtime.stores.sql.writing import Batch

# An array for each column: one statement whatever the number of events, half the time and a fifth
# of our CPU than that of a list of VALUES has. COPY is as fast, but has to wait for the server once
# more: it cannot go together with other statements.
_EVENTS = (
    f"INSERT INTO events ({COLUMNS}, link, digest) SELECT * FROM unnest(?::int8[], ?::float8[], "
    "?::bytea[], ?::int4[], ?::int4[], ?::float8[], ?::bytea[], ?::bytea[], ?::int4[], "
    "?::bytea[], ?::bytea[], ?::int4[], ?::bytea[], ?::bytea[])"
)


class ArrayBatch(Batch):
    """See `Batch`. An id that is taken does not show before the transaction's end."""

    def flush(self) -> None:
        self._write_beginnings()
        rows, self._rows = self._rows, []
        if rows:
            self._db.execute(_EVENTS, [list(column) for column in zip(*rows, strict=True)])
