"""Arrows between the same two, drawn as one."""

from __future__ import annotations

from itertools import groupby

import attrs

from choreia.runtime.insight.maps.picture import Arrow, Picture


@attrs.frozen
class Strand:
    """What one agent says to another."""

    sayer: str
    hearer: str
    declared: bool
    arrows: tuple[Arrow, ...]


def strands(drawn: Picture) -> list[Strand]:
    """By who says it, to whom, and whether it is declared."""
    order = {name: place for place, name in enumerate(drawn.agents)}
    last = len(order)

    def key(arrow: Arrow) -> tuple[int, int, str, bool]:
        hearer = order.get(arrow.hearer, last)
        return order[arrow.sayer], hearer, arrow.hearer, not arrow.declared

    found: list[Strand] = []
    for _, group in groupby(sorted(drawn.arrows, key=key), key=key):
        arrows = tuple(sorted(group))
        first = arrows[0]
        found.append(Strand(first.sayer, first.hearer, first.declared, arrows))
    return found
