"""Who says what to whom: the declared choreography as a graph.

Its nodes are reactions, and *words* between them: what is said, once for each type, payload and
way of saying it, so that the graph grows with what is written and not with its square.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, lru_cache

import attrs

from choreia.runtime.events.topic import MANY, ONE, TopicPattern
from choreia.runtime.insight.choreography import (
    Ask,
    Choreography,
    Payload,
    Player,
    Reaction,
    Saying,
)
from choreia.runtime.insight.satisfying import can_match, may_have

_Head = tuple[str, str]

pattern_of = lru_cache(maxsize=65536)(TopicPattern)


@attrs.define(eq=False)
class Node:
    """One reaction of one player."""

    player: Player
    reaction: Reaction
    says: list[Word] = attrs.field(factory=list, repr=False)
    heard: list[Word] = attrs.field(factory=list, repr=False)
    """The words that come to it."""
    awaits: list[Word] = attrs.field(factory=list, repr=False)
    """What comes from outside then, in the same case."""

    @property
    def title(self) -> str:
        return f"{self.player.name}.{self.reaction.name}"


@attrs.define(eq=False)
class Word:
    """One thing that is said."""

    type: str
    timer: bool
    payload: Payload | None
    outside: bool = False
    """Whether it is somebody outside who says it."""
    sayers: list[tuple[Node, Saying]] = attrs.field(factory=list, repr=False)
    hearers: list[tuple[Node, Ask]] = attrs.field(factory=list, repr=False)
    awaited: list[Node] = attrs.field(factory=list, repr=False)


class Links:
    """A choreography, linked. Nothing in it is changed afterwards."""

    def __init__(self, choreography: Choreography) -> None:
        self.choreography = choreography
        self.nodes = [
            Node(player, reaction)
            for player in choreography.players
            if not player.passive
            for reaction in player.reactions
        ]
        self.terminal = Patterns(one for each in choreography.players for one in each.terminal)
        self.external = Patterns(one for each in choreography.players for one in each.external)
        self.outward = Patterns(
            text for each in choreography.players for text in each.external if _says(each, text)
        )
        """Of `external` what is for somebody outside: who declares it, says it. (Who hears it, too,
        may get it from there as well.)"""
        self.runtime = Patterns(choreography.runtime)
        self.mute: list[tuple[Node, Ask, Word]] = []
        """Asks whose filter no word at all can pass, with one of those words."""
        self.keyless: list[tuple[Node, Ask, Word]] = []
        """Asks of keyed agents to which only words come that have no key."""
        self.words = [*self._said(), *self._from_outside()]
        self._hear()
        self._await()

    @cached_property
    def said(self) -> Patterns:
        """Everything that anybody says or declares to say, also where nothing calls it."""
        players = self.choreography.players
        types = {word.type for word in self.words}
        types.update(one.type for player in players for one in player.unheard)
        types.update(one for player in players for one in player.emits or ())
        return Patterns(types)

    @cached_property
    def vague(self) -> tuple[Node, ...]:
        """Handlers that may say more than their source shows, where nothing is declared either:
        anything at all."""
        return tuple(
            node
            for node in self.nodes
            if node.reaction.open and node.reaction.asks and node.player.emits is None
        )

    def reached(
        self, start: Iterable[Node], *, passing: Callable[[Word], bool] | None = None
    ) -> set[Node]:
        """The nodes that something comes to, when those begin."""
        seen = set(start)
        words: set[Word] = set()
        todo = list(seen)
        while todo:
            node = todo.pop()
            for word in (*node.says, *node.awaits):
                if word in words or (passing is not None and not passing(word)):
                    continue
                words.add(word)
                for hearer, _ in word.hearers:
                    if hearer not in seen:
                        seen.add(hearer)
                        todo.append(hearer)
        return seen

    # -- how it is made --------------------------------------------------------------------

    def _said(self) -> list[Word]:
        words: dict[object, Word] = {}
        for node in self.nodes:
            for saying in _all_said(node):
                held = saying.payload
                which = None if held is None else (held.version, held.name or id(held.schema))
                key = (saying.type, saying.timer, which)
                word = words.get(key)
                if word is None:
                    word = words[key] = Word(saying.type, saying.timer, held)
                word.sayers.append((node, saying))
                node.says.append(word)
        return list(words.values())

    def _from_outside(self) -> Iterator[Word]:
        payloads = self.choreography.payloads
        players = self.choreography.players
        inward = {
            text
            for each in players
            for text in each.external
            if not _says(each, text) or _hears(each, text)
        }
        for text in sorted(inward):
            yield Word(text, timer=False, payload=payloads.get(text), outside=True)

    def _hear(self) -> None:
        asks: dict[str, list[tuple[Node, Ask]]] = {}
        for node in self.nodes:
            for ask in node.reaction.asks:
                asks.setdefault(ask.pattern, []).append((node, ask))
        index = Patterns(asks)
        fed: dict[tuple[Node, int], list[tuple[Word, Ask]]] = {}
        for word in self.words:
            for text in index.overlapping(word.type):
                for node, ask in asks[text]:
                    fed.setdefault((node, id(ask)), []).append((word, ask))
        for (node, _), pairs in fed.items():
            self._link(node, pairs[0][1], [word for word, _ in pairs])

    def _await(self) -> None:
        for node in self.nodes:
            for text in node.reaction.awaits:
                pattern = pattern_of(text)
                for word in self.words:
                    if word.outside and pattern_of(word.type).overlaps(pattern):
                        node.awaits.append(word)
                        word.awaited.append(node)

    def _link(self, node: Node, ask: Ask, words: list[Word]) -> None:
        key = node.player.key
        if key is not None:
            keyed = [word for word in words if _may_have(word, key)]
            if not keyed:
                self.keyless.append((node, ask, words[0]))
            words = keyed or words
        if ask.filter is not None:
            passing = [word for word in words if _can_pass(word, ask)]
            if not passing and not self.runtime.any_overlap(ask.pattern):
                self.mute.append((node, ask, words[0]))
            # Told once, as what it is: nothing else is to be found because of it.
            words = passing or words
        for word in words:
            word.hearers.append((node, ask))
            node.heard.append(word)


class Patterns:
    """Types and patterns, to be asked which of them overlap another."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = sorted(set(texts))
        self._known: dict[str, list[str]] = {}
        # By the first two segments: most patterns have nothing to do with each other.
        self._near: dict[_Head, list[str]] = {}
        self._under: dict[str, list[str]] = {}
        for text in self.texts:
            head = _head(text)
            self._near.setdefault(head, []).append(text)
            self._under.setdefault(head[0], []).append(text)

    def overlapping(self, text: str) -> list[str]:
        known = self._known.get(text)
        if known is None:
            pattern = pattern_of(text)
            known = self._known[text] = [
                other for other in self._candidates(text) if pattern_of(other).overlaps(pattern)
            ]
        return known

    def _candidates(self, text: str) -> Iterable[str]:
        first, second = _head(text)
        if not first:
            return self.texts
        if not second:
            return [*self._under.get(first, ()), *self._under.get("", ())]
        heads = ((first, second), (first, ""), ("", ""))
        return [other for head in heads for other in self._near.get(head, ())]

    def any_overlap(self, text: str) -> bool:
        return bool(self.overlapping(text))


def keeps(node: Node, word: Word) -> bool:
    """Whether an agent says it to itself, to remember."""
    return any(pattern_of(one).overlaps(pattern_of(word.type)) for one in node.player.keeps)


def _head(text: str) -> _Head:
    """The first two segments; "" for one that may be anything, "." for one that is not there."""
    first, dot, rest = text.partition(".")
    second = rest.partition(".")[0] if dot else "."
    if first in (ONE, MANY):
        return "", ""
    return first, "" if second in (ONE, MANY) else second


def _all_said(node: Node) -> Iterator[Saying]:
    """What stands in its source, and where that is not all, whatever the agent declares."""
    yield from node.reaction.says
    if node.reaction.open:
        shown = [pattern_of(one.type) for one in node.reaction.says]
        for text in node.player.emits or ():
            if not any(pattern_of(text).overlaps(one) for one in shown):
                yield Saying(text, node.reaction.place)


def _says(player: Player, text: str) -> bool:
    said = [one.type for reaction in player.reactions for one in reaction.says]
    said += [*(one.type for one in player.unheard), *(player.emits or ())]
    return any(pattern_of(text).overlaps(pattern_of(one)) for one in said)


def _hears(player: Player, text: str) -> bool:
    pattern = pattern_of(text)
    asks = [ask for reaction in player.reactions for ask in reaction.asks]
    return any(pattern.overlaps(pattern_of(ask.pattern)) for ask in asks)


def _may_have(word: Word, key: str) -> bool:
    return word.payload is None or may_have(word.payload.schema, key)


def _can_pass(word: Word, ask: Ask) -> bool:
    schema = None if word.payload is None else word.payload.schema
    return ask.filter is None or can_match(ask.filter, word.type, schema)
