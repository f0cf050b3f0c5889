"""The lines of a tree: what hangs from what, drawn before each of its rows."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from choreia.console.model.face import Face


@attrs.frozen
class Branch:
    """What is drawn before one row, and before what is said under it."""

    before: str
    under: str


def branches(depths: Sequence[int], face: Face, deepest: int) -> list[Branch]:
    """One for each row, in order; each row hangs from the last one before it that is less deep.
    Deeper than `deepest` they are not told apart."""
    drawn: list[Branch] = []
    later: set[int] = set()  # the depths at which something still comes, under the same row
    for depth in (min(max(0, one), deepest) for one in reversed(depths)):
        later = {one for one in later if one <= depth}
        bars = "".join(face.sign("bar") if one in later else "  " for one in range(1, depth))
        own = face.sign("fork" if depth in later else "branch") if depth else ""
        on = (face.sign("bar") if depth in later else "  ") if depth else ""
        drawn.append(Branch(f"{'  ' if depth else ''}{bars}{own}", f"  {bars}{on}"))
        later.add(depth)
    return drawn[::-1]
