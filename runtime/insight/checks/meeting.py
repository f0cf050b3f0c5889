"""C01 and C02: what is said finds nobody, or what is heard is never said."""

from __future__ import annotations

from collections.abc import Iterator

from choreia.runtime.insight.checks.finding import Finding
from choreia.runtime.insight.choreography import Ask
from choreia.runtime.insight.links import Links, Node, Word, keeps


def unheard(links: Links) -> Iterator[Finding]:
    """C01."""
    for word in links.words:
        if is_unheard(links, word):
            said = [one for one in reversed(word.sayers) if not keeps(one[0], word)]
            places = {saying.place: node for node, saying in said}
            for place, node in places.items():
                yield Finding(
                    "C01",
                    node.player.name,
                    word.type,
                    f"{node.title} emits {word.type}, and nobody reacts",
                    f"have an agent react to it, or declare it: terminal = ({word.type!r},) if it "
                    "ends a case, external = … if it is for somebody outside",
                    place,
                )


def is_unheard(links: Links, word: Word) -> bool:
    """Whether a word of an agent's comes to nobody, and is not declared to."""
    if word.outside or word.hearers or not word.sayers:
        return False
    if word.type in links.runtime.texts:  # said through an agent, by what it is derived from
        return False
    if all(keeps(node, word) for node, _ in word.sayers):
        return False
    return not links.terminal.any_overlap(word.type) and not links.external.any_overlap(word.type)


def unsaid(links: Links) -> Iterator[Finding]:
    """C02: not told where somebody may say anything at all."""
    if links.vague:
        return
    for node in links.nodes:
        for ask in node.reaction.asks:
            if is_unsaid(links, node, ask):
                yield Finding(
                    "C02",
                    node.player.name,
                    ask.pattern,
                    f"{node.title} reacts to {ask.pattern}, which nobody emits",
                    f"have an agent emit it, or declare that it comes from outside: external = "
                    f"({ask.pattern!r},)",
                    node.reaction.place,
                )


def is_unsaid(links: Links, node: Node, ask: Ask) -> bool:
    """Whether nobody says what an ask is for: no agent, nobody outside, not the runtime."""
    if node.reaction.begins:
        return False
    pattern = ask.pattern
    return not links.said.any_overlap(pattern) and not links.runtime.any_overlap(pattern)
