"""Which of many topic patterns select a type, at a cost that the others do not add to.

Patterns without wildcards, which most are, need no walk: one dict has them by their text.
The others share a tree with a level per segment, where ``*`` and ``#`` are keys like any
other (no segment of a type can be either).

The walk goes through the type once, keeping for each index the nodes that were reached
there. A node has one parent, so a (node, index) pair is reached at most once, and a bomb
such as ``#.a.#.b.#.c…`` cannot make it exponential. A ``#`` that was reached at one index
covers all later ones, so it is opened once, at the first, and its children are looked up by
the segments still to come rather than tried one by one. What remains is at most the nodes
that some part of the type leads to, times the length of the type.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from choreia.runtime.events.topic import MANY, ONE, TopicPattern

V = TypeVar("V")


class PatternTrie(Generic[V]):
    """An ordered multimap from patterns to values, asked by type. Not thread-safe.

    Values must be hashable, and not None.
    """

    __slots__ = ("_exact", "_wild")

    def __init__(self) -> None:
        self._exact: _Node[V] = _Node()
        self._wild: _Node[V] = _Node()

    def add(self, pattern: TopicPattern, value: V) -> bool:
        """Hold `value` under `pattern`; False when it was there already. O(segments)."""
        node, path = self._path(pattern)
        for key in path:
            node = node.child(key)
        return node.hold(value)

    def remove(self, pattern: TopicPattern, value: V) -> bool:
        """Let go of `value`, and of nodes that now lead nowhere; False when it was not there.

        O(segments), however many values the pattern holds.
        """
        node, path = self._path(pattern)
        parents: list[tuple[_Node[V], str]] = []
        for key in path:
            child = node.get(key)
            if child is None:
                return False
            parents.append((node, key))
            node = child
        if not node.let_go(value):
            return False
        for parent, key in reversed(parents):
            if not node.empty:
                break
            parent.prune(key)
            node = parent
        return True

    def matching(self, type: str) -> list[V]:
        """All values whose pattern selects `type`; those of one pattern in order of addition."""
        found: list[V] = []
        exact = self._exact.get(type)
        if exact is not None:
            found += exact.values()
        if self._wild.children is not None:
            _Walk(self._wild, type.split("."), found).run()
        return found

    @property
    def nodes(self) -> int:
        """How many nodes there are: 2 when nothing is held. Walks them all."""
        count, unseen = 0, [self._exact, self._wild]
        while unseen:
            count += 1
            unseen += (unseen.pop().children or {}).values()
        return count

    def _path(self, pattern: TopicPattern) -> tuple[_Node[V], Sequence[str]]:
        if pattern.exact:
            return self._exact, (pattern.pattern,)
        return self._wild, pattern.segments


class _Node(Generic[V]):
    __slots__ = ("children", "only", "several")

    def __init__(self) -> None:
        self.children: dict[str, _Node[V]] | None = None
        # One value stands alone: a million agents have a pattern of their own each, and a
        # dict would cost each of them 230 bytes. More are an ordered set, where removal is
        # O(1) among 100,000.
        self.only: V | None = None
        self.several: dict[V, None] | None = None

    @property
    def empty(self) -> bool:
        return self.only is None and self.several is None and self.children is None

    def get(self, key: str) -> _Node[V] | None:
        return None if self.children is None else self.children.get(key)

    def child(self, key: str) -> _Node[V]:
        if self.children is None:
            self.children = {}
        child = self.children.get(key)
        if child is None:
            child = self.children[key] = _Node()
        return child

    def prune(self, key: str) -> None:
        if self.children is not None:
            del self.children[key]
            self.children = self.children or None

    def values(self) -> Iterable[V]:
        if self.several is not None:
            return self.several
        return () if self.only is None else (self.only,)

    def hold(self, value: V) -> bool:
        if self.several is not None:
            if value in self.several:
                return False
            self.several[value] = None
        elif self.only is None:
            self.only = value
        elif self.only == value:
            return False
        else:
            self.several = {self.only: None, value: None}
            self.only = None
        return True

    def let_go(self, value: V) -> bool:
        if self.several is not None:
            if value not in self.several:
                return False
            del self.several[value]
            self.several = self.several or None
        elif self.only is None or self.only != value:
            return False
        else:
            self.only = None
        return True


class _Walk(Generic[V]):
    """One walk of the tree for one type. The argument for it stands at the top."""

    __slots__ = ("arrived", "found", "opened", "places", "segments")

    def __init__(self, root: _Node[V], segments: list[str], found: list[V]) -> None:
        self.segments = segments
        self.found = found
        self.arrived: list[list[_Node[V]]] = [[] for _ in range(len(segments) + 1)]
        self.arrived[0].append(root)
        self.opened: set[_Node[V]] = set()
        self.places: dict[str, list[int]] = {}

    def run(self) -> None:
        *before, end = self.arrived
        for index, nodes in enumerate(before):
            segment, following = self.segments[index], self.arrived[index + 1]
            for node in nodes:
                children = node.children
                if children is None:
                    continue
                if (child := children.get(segment)) is not None:
                    following.append(child)
                if (child := children.get(ONE)) is not None:
                    following.append(child)
                if (child := children.get(MANY)) is not None:
                    self.open(child, index)
        for node in end:
            self.found += node.values()
            if (child := node.get(MANY)) is not None:
                self.open(child, len(before))

    def open(self, many: _Node[V], index: int) -> None:
        """A ``#`` was reached: all that is left is its own, and each segment may follow it."""
        if many in self.opened:
            return
        self.opened.add(many)
        self.found += many.values()
        if many.children is None:
            return
        for segment, places in self._places().items():
            child = many.children.get(segment)
            if child is not None:
                self.follow(child, [at for at in places if at >= index])

    def follow(self, child: _Node[V], places: list[int]) -> None:
        only_many = child.children is not None and child.children.keys() == {MANY}
        if only_many and len(places) > 2:
            # the next "#" is opened at the first place, and the end is the last one's business
            places = [places[0], places[-1]]
        for at in places:
            self.arrived[at + 1].append(child)

    def _places(self) -> dict[str, list[int]]:
        if not self.places:
            for at, segment in enumerate(self.segments):
                self.places.setdefault(segment, []).append(at)
        return self.places
