"""Something to be confirmed before it is done."""

from __future__ import annotations

import attrs

from choreia.console.model.asks import Call


@attrs.frozen(eq=False)
class Question:
    """``stop agent billing``; `call` is made after a y."""

    text: str
    call: Call
