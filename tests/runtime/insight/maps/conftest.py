"""A small choreography with everything in it that a map shows, and one that means harm."""

from __future__ import annotations

from choreia.runtime.insight.choreography import (
    Ask,
    Choreography,
    Payload,
    Place,
    Player,
    Reaction,
    Saying,
)

HOSTILE = (
    '"]; click n0 href "javascript:alert(1)"\n%%{init: {"securityLevel": "loose"}}%%',
    "end",
    "<script>alert(1)</script>",
    "[/bold][red]x",
    "\x1b[31mred\x1b[0m \u202e",
    "--> n1; # x",
    "x" * 1_000_000,
    "\\",
    "' onload='alert(1)",
)
"""Nothing of this can be a name in a running system; a store, or another program, may hold it."""

ORDER = Payload(
    "1.0.0",
    {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]},
    "OrderPlaced",
)

SHOP = Choreography(
    "shop",
    (
        Player(
            "clerk",
            "Clerk",
            Place("shop.py", 10),
            reactions=(
                Reaction(
                    "open",
                    (Ask("order.placed", payload=ORDER),),
                    (
                        Saying("order.opened", Place("shop.py", 13)),
                        Saying("order.late", Place("shop.py", 14), timer=True),
                    ),
                    Place("shop.py", 12),
                ),
            ),
            external=("order.placed",),
        ),
        Player(
            "packer",
            "Packer",
            Place("shop.py", 20),
            reactions=(
                Reaction(
                    "pack",
                    (Ask("order.opened"), Ask("order.late")),
                    (Saying("parcel.packed.#", Place("shop.py", 23)),),
                    Place("shop.py", 22),
                ),
            ),
            terminal=("parcel.packed.*",),
        ),
    ),
    payloads={"order.placed": ORDER},
)


def hostile(text: str) -> Choreography:
    """One in which names, places, handlers and classes are of somebody's making."""
    return Choreography(
        text,
        tuple(
            Player(
                f"{text}{number}",
                text,
                Place(text, 1),
                reactions=(
                    Reaction(text, (Ask("a.b"),), (Saying("a.b", Place(text, 2)),), Place(text, 1)),
                ),
            )
            for number in range(2)
        ),
        payloads={"a.b": Payload("1.0.0", {"type": "object"}, text)},
    )
