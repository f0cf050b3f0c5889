"""C04: where a case comes to an end that nobody has declared to be one.

Asked only where somebody declares `terminal`. A handler that merely takes note is fine as long as
what it hears leads to an end elsewhere; it is told when nothing that comes to it does. A case that
is turned back ends as well, compensated.
"""

from __future__ import annotations

from collections.abc import Iterator

from choreia.runtime.insight.checks.finding import Finding
from choreia.runtime.insight.checks.meeting import is_unheard
from choreia.runtime.insight.choreography import UNDOING
from choreia.runtime.insight.links import Links, Node, Word, keeps


def ends(links: Links) -> Iterator[Finding]:
    if not links.terminal.texts:
        return
    leading = _leading(links)
    for node in links.nodes:
        if not node.heard or any(word in leading for word in [*node.says, *node.heard]):
            continue
        yield Finding(
            "C04",
            node.player.name,
            node.heard[0].type,
            f"from {node.title} no terminal event can be reached, nor otherwise from what it hears",
            "emit what leads to an end, or declare as terminal, or external, what ends here",
            node.reaction.place,
        )


def _leading(links: Links) -> set[Word]:
    """The words from which an end can be reached, by going back from the ends."""
    leading = {word for word in links.words if _is_end(links, word)}
    todo = list(leading)
    seen: set[Node] = {node for node in links.nodes if _may_say_anything(node) or _undoes(node)}
    for node in seen:
        todo += _added(leading, node.heard)
    while todo:
        word = todo.pop()
        for node in (*(node for node, _ in word.sayers), *word.awaited):
            if node not in seen:
                seen.add(node)
                todo += _added(leading, node.heard)
    return leading


def _added(leading: set[Word], words: list[Word]) -> list[Word]:
    new = [word for word in words if word not in leading]
    leading.update(new)
    return new


def _is_end(links: Links, word: Word) -> bool:
    if links.terminal.any_overlap(word.type):
        return True
    if word.outside:
        return False
    if any(keeps(node, word) for node, _ in word.sayers):
        return True
    return links.external.any_overlap(word.type) or is_unheard(links, word)


def _undoes(node: Node) -> bool:
    return node.reaction.mark is not None and node.reaction.mark.kind == UNDOING


def _may_say_anything(node: Node) -> bool:
    return node.reaction.open and node.player.emits is None
