"""`PostgresStore`: an event store on a PostgreSQL server, in a schema of its own.

`store` is the front; `server` makes connections and explains errors, `connection` lets the shared
SQL run on them, `schema` makes the tables, `writer` keeps the one session that may write and finds
out what became of a commit that was lost on its way, `batch` and `readers` are where PostgreSQL
wants another statement than `sql` has. Needs psycopg 3, which nothing imports before a store is
opened.
"""

from __future__ import annotations

from choreia.runtime.stores.postgres.store import PostgresStore as PostgresStore
