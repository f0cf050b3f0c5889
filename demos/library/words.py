"""Words of a text, as far as they tell what it is about; and whether a question stands alone."""

from __future__ import annotations

import re

LONGEST = 64
"""Characters. What is longer is no word, but a key, a hash, a line without blanks."""

_WORD = re.compile(r"[^\W_]+(?:_[^\W_]+)*")
# Few: how rare a word is counts anyway, and of Python "with", "while" or "not" may be asked.
_COMMON = (
    "a about an and any are be been but by can could did do does doing had has have he her his how "
    "i is it its may me mean means my of on please she should so tell that the their them then "
    "there these they this those to was we were what when where which who whom whose why will "
    "would you your"
)
_COMMON_WORDS = frozenset(_COMMON.split())
_POINTING = "it its that this they them their these those he him his she her"
_BACK = frozenset(_POINTING.split())
_OPENING = re.compile(r"\s*(and|but|or|so|what about|how about)\b", re.IGNORECASE)


def terms(text: str) -> list[str]:
    """The words that say something, small and in the singular, as often as they occur."""
    found = (word.casefold() for word in _WORD.findall(text) if len(word) <= LONGEST)
    return [_singular(word) for word in found if word not in _COMMON_WORDS]


def refers_back(text: str) -> bool:
    """Whether a question leans on the one before: "and what about its arguments?"."""
    words = {word.casefold() for word in _WORD.findall(text)}
    return bool(words & _BACK) or _OPENING.match(text) is not None


def _singular(word: str) -> str:
    """Crude, but the same for question and passage: arguments, classes and entries are found."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
