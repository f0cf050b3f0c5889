"""What is to be done about an incident, and the digest by which people approve it."""

from __future__ import annotations

import json
from hashlib import sha256

from attrs import asdict, field, frozen


@frozen
class Action:
    """A change to a service. Nobody does it before a person has approved exactly this one."""

    name: str
    target: str
    parameters: dict[str, str] = field(factory=dict)


def digest_of(action: Action) -> str:
    """The SHA-256 of `action` as canonical JSON: keys sorted, no spaces, UTF-8; 64 hex digits.

    Equal actions have equal digests, wherever and by whom they are written down; an action that
    differs in one character of a parameter has another, so an approval cannot be turned to it.
    """
    text = json.dumps(asdict(action), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode()).hexdigest()
