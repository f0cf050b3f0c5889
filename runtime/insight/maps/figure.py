"""The drawing of a map: who says it on the left, what in the middle, who hears it on the right.

Three columns, so that no label ever lies on another, whatever the choreography. It is SVG that
takes its colours from the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from choreia.runtime.insight.escaping import html
from choreia.runtime.insight.maps.picture import NOBODY, OUTSIDE, Arrow, Picture

ROW = 30
TOP = 34
WIDE = 230
"""Of a column."""
GAP = 150
_CUT = 30
_COLUMNS = ("says", "what", "hears")


def figure(drawn: Picture) -> str:
    return "\n".join(_Figure(drawn).lines())


class _Figure:
    def __init__(self, drawn: Picture) -> None:
        self.drawn = drawn
        order = {name: place for place, name in enumerate(drawn.agents)}
        said: dict[str, Arrow] = {}
        for arrow in sorted(drawn.arrows, key=lambda one: (order[one.sayer], one.type)):
            said.setdefault(arrow.type, arrow)
        self.types = list(said)
        self.sayers = [name for name in order if any(a.sayer == name for a in drawn.arrows)]
        self.hearers = [name for name in order if any(a.hearer == name for a in drawn.arrows)]

    def lines(self) -> Iterator[str]:
        rows = max(len(self.types), len(self.sayers), len(self.hearers), 1)
        width, height = 3 * WIDE + 2 * GAP, TOP + rows * ROW + 8
        yield (
            f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
            'aria-label="Who says what to whom">'
        )
        for column, title in enumerate(_COLUMNS):
            yield f'<text class="head" x="{_left(column)}" y="20">{title}</text>'
        places = [self._places(one, rows) for one in (self.sayers, self.types, self.hearers)]
        yield from self._curves(*places)
        for column, names in enumerate((self.sayers, self.types, self.hearers)):
            for name in names:
                yield _box(column, places[column][name], name)
        yield "</svg>"

    def _places(self, names: Sequence[str], rows: int) -> dict[str, float]:
        """Heights of the middles, spread over the whole."""
        step = rows * ROW / max(len(names), 1)
        return {name: TOP + step * (number + 0.5) for number, name in enumerate(names)}

    def _curves(
        self, left: dict[str, float], middle: dict[str, float], right: dict[str, float]
    ) -> Iterator[str]:
        drawn: set[str] = set()
        for arrow in self.drawn.arrows:
            there = middle[arrow.type]
            ends = [(0, left[arrow.sayer], there)]
            if arrow.hearer != NOBODY:
                ends.append((1, there, right[arrow.hearer]))
            for column, start, end in ends:
                line = _curve(column, start, end, arrow)
                if line not in drawn:
                    drawn.add(line)
                    yield line


def _left(column: int) -> int:
    return column * (WIDE + GAP)


def _curve(column: int, start: float, end: float, arrow: Arrow) -> str:
    begin, stop = _left(column) + WIDE, _left(column + 1)
    bend = GAP / 2
    kind = "" if arrow.declared else " undeclared"
    if arrow.declared and arrow.count == 0:
        kind = " never"
    path = f"M{begin} {start:g} C{begin + bend:g} {start:g} {stop - bend:g} {end:g} {stop} {end:g}"
    return f'<path class="flow{kind}" d="{path}"/>'


def _box(column: int, middle: float, name: str) -> str:
    outside = column != 1 and name == OUTSIDE
    kind = "type" if column == 1 else "outside" if outside else "agent"
    shown = "outside" if outside else html(name, _CUT)
    x, y = _left(column), middle - 11
    return (
        f'<g class="{kind}"><title>{"outside" if outside else html(name)}</title>'
        f'<rect x="{x}" y="{y:g}" width="{WIDE}" height="22" rx="6"/>'
        f'<text x="{x + 10}" y="{middle + 4:g}">{shown}</text></g>'
    )
