"""The hash chain: each event's link is made of the one before, and of all that the event says.

The payload goes in as a digest, so that it can be blanked later (somebody asks to be forgotten)
and the chain still holds. Whoever changes, removes, inserts or reorders events has to make all
later links anew, and then the last one differs from what was written down elsewhere: the anchor.

(Haber and Stornetta 1991, "How to Time-Stamp a Digital Document", section 5.1, linking; payload
digests as in Certificate Transparency's leaves.)
"""

from __future__ import annotations

from hashlib import blake2b

import orjson

from choreia.runtime.events.event import Event
from choreia.runtime.events.recorded import LIVE

ORIGIN = bytes(32)
"""The link before the first."""


def digest_of(body: bytes) -> bytes:
    """32 bytes that stand for a payload's JSON."""
    return blake2b(body, digest_size=32).digest()


def link(before: bytes, position: int, at: float, flags: int, event: Event, digest: bytes) -> bytes:
    """The link of `event`, 32 bytes. Of `flags` only `LIVE` counts: erasing changes the rest."""
    meta = event.metadata
    head = orjson.dumps(
        (
            position,
            at,
            flags & LIVE,
            event.id,
            event.type,
            event.source,
            event.timestamp,
            meta.correlation_id,
            meta.causation_id,
            meta.version,
            meta.hops,
            meta.causes,
            meta.extensions,
            event.extra,
        ),
        option=orjson.OPT_SORT_KEYS,
    )
    return blake2b(before + digest + head, digest_size=32).digest()
