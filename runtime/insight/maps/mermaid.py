"""A map as a mermaid flowchart, to be pasted into a README or a wiki."""

from __future__ import annotations

from collections.abc import Iterator

from choreia.runtime.insight.escaping import mermaid
from choreia.runtime.insight.maps.grouping import Strand, strands
from choreia.runtime.insight.maps.picture import NOBODY, OUTSIDE, Arrow, Picture

_BROKEN = "<br/>"


def to_mermaid(drawn: Picture) -> str:
    return "\n".join(_lines(drawn)) + "\n"


def _lines(drawn: Picture) -> Iterator[str]:
    ids = {name: f"n{number}" for number, name in enumerate(drawn.agents)}
    yield "flowchart LR"
    for name, id in ids.items():
        yield f'    {id}(["outside"])' if name == OUTSIDE else f'    {id}["{mermaid(name)}"]'
    for number, strand in enumerate(strands(drawn)):
        label = _BROKEN.join(map(_label, strand.arrows))
        if strand.hearer == NOBODY:
            yield f"    e{number}(( ))"
        hearer = f"e{number}" if strand.hearer == NOBODY else ids[strand.hearer]
        yield f'    {ids[strand.sayer]} {_line(strand)}|"{label}"| {hearer}'


def _label(arrow: Arrow) -> str:
    count = "" if arrow.count is None else f" {arrow.count}x"
    return mermaid(arrow.type) + count


def _line(strand: Strand) -> str:
    """Dotted for what is not declared; thick for nothing, since not all renderers know it."""
    return "-->" if strand.declared else "-.->"
