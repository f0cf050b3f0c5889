"""`SqliteStore`: the embedded default. One file, no set-up.

`store` is the front; `files` sees to permissions, the lock and the anchor, `schema` to the tables,
`rows` to what an event is as a row, `writing` to commits, `reading` to queries.
"""

from __future__ import annotations

from choreia.runtime.stores.sqlite.store import SqliteStore as SqliteStore
