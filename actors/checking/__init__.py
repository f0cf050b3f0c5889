"""Before a deploy: what in a store could the new code not read?

`code` imports a module and learns its agents; by then the types and upcasters that it declares are
known. `log` tries the recorded events, `states` folds them, and `beside` looks at what is kept
beside the log: timers, cursors, dead letters. Each tells its `finding`s; nothing is written.
"""

from __future__ import annotations

from choreia.actors.checking.beside import check_cursors, check_letters, check_timers
from choreia.actors.checking.code import Code as Code
from choreia.actors.checking.code import load as load
from choreia.actors.checking.finding import Finding as Finding
from choreia.actors.checking.finding import Report as Report
from choreia.actors.checking.log import check_log
from choreia.actors.checking.states import check_states, sourced, stale_snapshots
from choreia.runtime.stores.base import EventStore


def check(store: EventStore, code: Code, *, sample: int | None = None) -> Report:
    """Everything in `store` that `code` could not read, by id.

    Every event of a declared type is tried, or as many as `sample` of each type and version. Reads
    page by page, so memory stays flat however long the log is.
    """
    tried, in_log = check_log(store, sample)
    found = [
        *in_log,
        *check_timers(store, code),
        *stale_snapshots(store, sourced(code)),
        *check_cursors(store, code),
        *check_states(store, code),
        *check_letters(store, code),
    ]
    return Report(tried, tuple(sorted(found, key=_order)))


def _order(finding: Finding) -> tuple[str, ...]:
    return finding.id, finding.type, finding.version, finding.agent
