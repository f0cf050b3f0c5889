"""Who says what to whom, as a list of arrows. What all formats draw."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from choreia.runtime.insight.choreography import Choreography, Player
from choreia.runtime.insight.links import Links, Word, keeps

OUTSIDE = ""
"""Stands for whoever is outside: who publishes, and for whom external types are."""
NOBODY = "\0"
"""Stands for the end of an arrow that leads nowhere. (No agent is called so.)"""

STATE = "(state)"
"""Stands for a handler, where an agent says something to itself, to remember it."""


@attrs.frozen(order=True)
class Arrow:
    """One type, from one agent to another."""

    sayer: str
    type: str
    """Or a pattern, where part of it is known only later."""
    hearer: str
    handlers: tuple[str, ...] = ()
    timer: bool = False
    terminal: bool = False
    """Whether that type ends a case."""
    declared: bool = True
    """Whether it follows from the code. If not, it was only observed."""
    count: int | None = None
    """How many such events there are in the store that was looked at; None: in none."""
    answered: int = 0
    """How many of them have had the hearer say something."""


@attrs.frozen
class Picture:
    """A choreography as it is drawn."""

    name: str
    players: tuple[Player, ...]
    arrows: tuple[Arrow, ...]
    events: int | None = None
    """How many recorded events were looked at; None: there was no store."""

    @property
    def agents(self) -> tuple[str, ...]:
        """The names to draw, outside first if it takes part, then as things come about."""
        ends = {end for arrow in self.arrows for end in (arrow.sayer, arrow.hearer)}
        return tuple(_in_order(self.arrows, ends - {NOBODY} | {one.name for one in self.players}))


def picture(choreography: Choreography) -> Picture:
    links = Links(choreography)
    arrows: dict[tuple[str, str, str], Arrow] = {}
    for word in links.words:
        for arrow in _arrows(links, word):
            key = (arrow.sayer, arrow.type, arrow.hearer)
            known = arrows.get(key)
            if known is not None:
                handlers = tuple(sorted({*known.handlers, *arrow.handlers}))
                timer = known.timer and arrow.timer
                arrow = attrs.evolve(known, handlers=handlers, timer=timer)
            arrows[key] = arrow
    return Picture(choreography.name, choreography.players, tuple(sorted(arrows.values())))


def _arrows(links: Links, word: Word) -> Iterator[Arrow]:
    terminal = links.terminal.any_overlap(word.type)
    sayers = sorted({node.player.name for node, _ in word.sayers}) or [OUTSIDE]
    hearers: dict[str, set[str]] = {}
    for node, _ in word.hearers:
        hearers.setdefault(node.player.name, set()).add(node.reaction.name)
    if not hearers and word.outside:
        return
    if not word.outside and links.outward.any_overlap(word.type):
        hearers[OUTSIDE] = set()
    kept = sorted({node.player.name for node, _ in word.sayers if keeps(node, word)})
    if not hearers and kept:
        for name in kept:
            yield Arrow(name, word.type, name, (STATE,), word.timer, terminal)
        sayers = [name for name in sayers if name not in kept]
    if not hearers:
        hearers[OUTSIDE if links.external.any_overlap(word.type) else NOBODY] = set()
    for sayer in sayers:
        for hearer, handlers in hearers.items():
            yield Arrow(sayer, word.type, hearer, tuple(sorted(handlers)), word.timer, terminal)


def _in_order(arrows: tuple[Arrow, ...], names: set[str]) -> Iterator[str]:
    """Breadth first from outside, so that what comes about later is drawn later."""
    after: dict[str, list[str]] = {}
    for arrow in arrows:
        after.setdefault(arrow.sayer, []).append(arrow.hearer)
    heard = {arrow.hearer for arrow in arrows}
    begin = [OUTSIDE] if OUTSIDE in names else []
    seen: set[str] = set()
    for root in [*begin, *sorted(names - heard), *sorted(names)]:
        todo = [root]
        for name in todo:  # it grows meanwhile
            if name in names and name not in seen:
                seen.add(name)
                yield name
                todo += sorted(set(after.get(name, ())))
