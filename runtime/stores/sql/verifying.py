"""Is what stands in the file what was written? The hash chain tells, and the anchor."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from choreia.runtime.errors import StoreError
from choreia.runtime.stores.base import Fault, Verdict
from choreia.runtime.stores.chain import ORIGIN, digest_of, link
from choreia.runtime.stores.sql.readers import Readers

PAGE = 1_000
MOST = 100
"""Faults that are told; where so much is wrong, more would not help."""


def verify_log(
    readers: Readers, anchored: tuple[int, bytes] | None, check: Callable[[], Iterable[str]]
) -> Verdict:
    """Damage is what it finds, so it raises for none. `anchored`: position and link of the last
    commit, as written down elsewhere; `check`: what the database finds wrong by itself."""
    faults: list[Fault] = []
    head, last = 0, ORIGIN
    at_anchor: bytes | None = ORIGIN
    checked = 0
    try:
        for recorded, body, written, digest in readers.chain(PAGE):
            position = recorded.position
            if position != head + 1:
                faults.append(
                    Fault(position, f"positions {head + 1} to {position - 1} are missing")
                )
            found = digest_of(body)
            if recorded.erased:
                found = digest or b""
            made = link(last, position, recorded.at, recorded.flags, recorded.event, found)
            if made != written:
                faults.append(Fault(position, "it is not what was recorded there"))
            head, last = position, written
            checked += 1
            if anchored is not None and position == anchored[0]:
                at_anchor = written
            if len(faults) >= MOST:
                break
        faults += [Fault(0, problem) for problem in check()]
    except StoreError as error:
        faults.append(Fault(head + 1, str(error)))
    if anchored is not None and len(faults) < MOST:
        if anchored[0] > head:
            what = f"{anchored[0]} was acknowledged, but the log ends at {head}"
            faults.append(Fault(head + 1, what))
        elif anchored[0] and at_anchor != anchored[1]:
            faults.append(Fault(anchored[0], "it is not what the anchor says"))
    return Verdict(checked, head, last.hex(), tuple(faults[:MOST]))
