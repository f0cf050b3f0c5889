"""C11: what an agent declares in `emits` is not what stands in its source; or what stands there can
never be emitted, because it is no event type."""

from __future__ import annotations

from collections.abc import Iterator

from choreia.runtime.events.display import plain
from choreia.runtime.insight.checks.finding import Finding
from choreia.runtime.insight.choreography import Player, Saying
from choreia.runtime.insight.links import Links, pattern_of


def drift(links: Links) -> Iterator[Finding]:
    seen: set[tuple[str, str]] = set()
    for player in links.choreography.players:
        which = (player.cls, str(player.place))
        if player.kind != "agent" or which in seen:
            continue
        seen.add(which)  # of a class one is told
        yield from _refused(player)
        if player.emits is None:
            continue
        yield from _undeclared(player, player.emits)
        if not player.open:
            yield from _never_said(player, player.emits)


def _said(player: Player) -> list[Saying]:
    said = [one for reaction in player.reactions for one in reaction.says]
    return said + list(player.unheard)


def _refused(player: Player) -> Iterator[Finding]:
    for saying in player.refused:
        what = plain(saying.type, 80)
        yield Finding(
            "C11",
            player.name,
            what,
            f"{player.cls} emits {what!r}, which is no event type: it will be refused",
            "give it segments of A-Z a-z 0-9 _ - with dots between, at most 255 characters",
            saying.place,
        )


def _undeclared(player: Player, declared: tuple[str, ...]) -> Iterator[Finding]:
    for saying in _said(player):
        if not _among(saying.type, declared):
            yield Finding(
                "C11",
                player.name,
                saying.type,
                f"{player.cls} emits {saying.type} and does not declare it: it will be refused",
                "add it to emits",
                saying.place,
            )


def _never_said(player: Player, declared: tuple[str, ...]) -> Iterator[Finding]:
    said = tuple(one.type for one in _said(player))
    for type in declared:
        if not _among(type, said):
            yield Finding(
                "C11",
                player.name,
                type,
                f"{player.cls} declares {type} and never emits it",
                "remove it from emits, or emit it",
                player.place,
            )


def _among(type: str, others: tuple[str, ...]) -> bool:
    return any(pattern_of(type).overlaps(pattern_of(other)) for other in others)
