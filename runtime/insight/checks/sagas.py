"""C08: sagas that cannot be undone when they fail, or that wait for ever."""

from __future__ import annotations

from collections.abc import Iterator

from choreia.runtime.insight.checks.finding import Finding
from choreia.runtime.insight.choreography import UNDOING, Mark
from choreia.runtime.insight.links import Links, Node


def sagas(links: Links) -> Iterator[Finding]:
    marked = [(node, node.reaction.mark) for node in links.nodes if node.reaction.mark]
    beyond: set[Node] = set()
    for node, mark in marked:
        if mark and mark.kind == "pivot":
            beyond |= _following(links, node)
    for node, mark in marked:
        if mark:
            for what, advice in _faults(links, node, mark, beyond):
                yield Finding(
                    "C08",
                    node.player.name,
                    node.reaction.asks[0].pattern if node.reaction.asks else "",
                    f"{node.title} {what}",
                    advice,
                    node.reaction.place,
                )


def _faults(links: Links, node: Node, mark: Mark, beyond: set[Node]) -> Iterator[tuple[str, str]]:
    if mark.compensate is not None:
        yield from _of_compensation(node, mark, beyond)
    elif mark.kind == "step" and node not in beyond:
        failing = _failing_after(links, node)
        if failing is not None:
            yield (
                f"has no compensation, and {failing.title} after it can fail",
                "name the method that undoes it: @step(…, compensate='…')",
            )
    if mark.waits and not mark.bounded:
        yield "waits without an end", "say how long: within=…, or deadline=…"


def _of_compensation(node: Node, mark: Mark, beyond: set[Node]) -> Iterator[tuple[str, str]]:
    undoing = any(
        one.name == mark.compensate and one.asks
        for one in node.player.reactions
        if one.mark is not None and one.mark.kind == UNDOING
    )
    if not mark.compensated:
        yield (
            f"is undone by {mark.compensate!r}, and there is no such method",
            "write it, or name the one that is there",
        )
    elif not undoing:
        yield (
            f"is undone by {mark.compensate!r}, which nothing calls",
            "say at what: compensate_on = (…,)",
        )
    if node in beyond:
        yield (
            "comes after the pivot and has a compensation: past the pivot nothing is undone",
            "leave out compensate, or put it before the pivot",
        )


def _failing_after(links: Links, node: Node) -> Node | None:
    """Another agent's step or pivot that follows on this one and can fail.

    (One of the same agent is not meant: who fails knows what it has done itself.)
    """
    others = (one for one in _following(links, node) if one.player is not node.player)
    following = sorted(others, key=lambda one: one.title)
    for one in following:
        mark = one.reaction.mark
        if mark is not None and mark.kind in ("step", "pivot") and mark.fails is not None:
            return one
    return None


def _following(links: Links, node: Node) -> set[Node]:
    """What comes after it when it succeeds; not what undoes, and not itself, unless it comes
    again."""
    failed = {one.reaction.mark.fails for one in links.nodes if one.reaction.mark is not None} - {
        None
    }
    start = {
        hearer
        for word in node.says
        if word.type not in failed
        for hearer, _ in word.hearers
        if not _undoes(hearer)
    }
    return {
        one
        for one in links.reached(start, passing=lambda word: word.type not in failed)
        if not _undoes(one)
    }


def _undoes(node: Node) -> bool:
    return node.reaction.mark is not None and node.reaction.mark.kind == UNDOING
