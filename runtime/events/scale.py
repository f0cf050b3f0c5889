"""Ordered scales: words that filters compare by rank instead of by spelling.

``{"payload.priority": {"$gte": "high"}}`` is meant to select ``critical`` too, though it
comes first in the alphabet. A scale lists its words from the lowest; words of one rank are
given together: ``register_scale("low", ("normal", "medium"), "high", "critical")``, which is
the scale that is always there.

The words of the operand decide: compared with a word of a scale, a text that is on no scale
with it is another kind of thing, so the comparison is false (and its negation true). When
two scales have both words, the one registered last counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, TypeAlias, cast

from choreia.runtime.errors import InvalidFilter

Scale: TypeAlias = Mapping[str, int]
# Of two numbers, or of two texts: `operator.ge` and its kin.
Compare: TypeAlias = Callable[[Any, Any], bool]


class _Registered:
    """The scales, last registered first. Replaced as a whole, so reading takes no lock."""

    def __init__(self) -> None:
        self.scales: tuple[Scale, ...] = ()
        self.lock = Lock()


_registered = _Registered()


def register_scale(*ranks: str | tuple[str, ...]) -> None:
    """Make the words of `ranks`, lowest first, comparable; a tuple holds words of one rank.

    For the whole process. Filters that were made before take it into account too. Raises
    `InvalidFilter` for fewer than two ranks, for what is not a word, and for a word twice.
    """
    scale = _ranked(ranks)
    with _registered.lock:
        others = tuple(known for known in _registered.scales if known != scale)
        _registered.scales = (scale, *others)


def _ranked(ranks: tuple[str | tuple[str, ...], ...]) -> Scale:
    scale: dict[str, int] = {}
    for rank, words in enumerate(ranks):
        for word in (words,) if isinstance(words, str) else _several(words):
            if not isinstance(word, str) or not word:
                raise InvalidFilter(f"rank {rank} of a scale has {word!r}: give a word, in text")
            if word in scale:
                raise InvalidFilter(f"a scale has the word {word!r} twice: give each word once")
            scale[word] = rank
    if len(ranks) < 2:
        raise InvalidFilter(
            f"a scale needs at least two ranks, lowest first, and got {len(ranks)}: "
            'register_scale("bronze", "silver", "gold")'
        )
    return scale


def _several(words: object) -> tuple[object, ...]:
    if not isinstance(words, tuple) or not words:
        raise InvalidFilter(
            f"a rank of a scale is a word, or a tuple of words of one rank, not {words!r}"
        )
    return cast("tuple[object, ...]", words)


def compare_words(compare: Compare, operand: str) -> Callable[[str], bool]:
    """A test of texts against `operand`: by rank when it is on a scale, else by code points."""
    known = _registered.scales, _verdicts(compare, operand, _registered.scales)

    def test(text: str) -> bool:
        nonlocal known  # one value of two parts, so that no thread sees halves of two
        scales, verdicts = known
        # A filter may be older than a scale: decorators run while a module is still loading.
        if scales is not _registered.scales:
            scales = _registered.scales
            verdicts = _verdicts(compare, operand, scales)
            known = scales, verdicts
        if verdicts is None:
            return compare(text, operand)
        return verdicts.get(text, False)

    return test


def _verdicts(compare: Compare, operand: str, scales: tuple[Scale, ...]) -> dict[str, bool] | None:
    """For each word of a scale that has `operand`, what the comparison says; None: no scale."""
    verdicts: dict[str, bool] = {}
    for scale in reversed(scales):  # so that the one registered last has the last word
        if operand in scale:
            verdicts.update({word: compare(rank, scale[operand]) for word, rank in scale.items()})
    return verdicts or None


register_scale("low", ("normal", "medium"), "high", "critical")
