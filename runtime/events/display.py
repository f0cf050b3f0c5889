"""Event text made fit to be seen: harmless to a terminal, and without secrets.

Text in events comes from anywhere. Escape sequences in it could rewrite the screen of
whoever looks, bidirectional overrides could make it read as something else, and payloads
carry passwords. Whatever shows an event to a person, or writes it to a log, comes here first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import Any, cast

MASK = "***"
DEFAULT_REDACTED: tuple[str, ...] = ("password", "token", "secret", "authorization", "api_key")

_Words = tuple[str, ...]
_Secret = tuple[_Words, ...]  # the words of each segment of a path to mask

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_a-zA-Z]+")
# The joiners are invisible too, but Persian, Hindi and many emoji are spelt with them.
_JOINERS = "\u200c\u200d"
_GAPS = "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029"


def plain(text: str, limit: int | None = None) -> str:
    """Text without what a terminal would obey, on one line, at most `limit` characters long.

    Left out: C0 and C1 controls (so escape sequences), bidirectional and other invisible
    format characters, surrogates. Line breaks and tabs become spaces. What is cut ends in "…".
    Markup of rich is not touched: show the result as `rich.text.Text`, never as markup.
    """
    if not text.isprintable():
        shown = filter(None, map(_visible, text))
        text = "".join(shown if limit is None else islice(shown, limit + 1))
    return text if limit is None or len(text) <= limit else text[: max(limit - 1, 0)] + "…"


def stamp(time: float) -> str:
    """A time for people, in UTC."""
    try:
        return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    except (ValueError, OverflowError, OSError):
        return f"{time:.3f}"


def redact(payload: Mapping[str, Any], paths: Iterable[str] = DEFAULT_REDACTED) -> dict[str, Any]:
    """A plain copy of a payload in which secrets are masked, at any depth.

    A path is a key, or several with dots between (``card.number``), as they follow each other
    anywhere in the payload; list positions do not count. Spelling is loose, on the safe side:
    ``api_key`` also masks ``apiKey``, ``API-Key`` and ``x_api_key``, but not ``api_keys_used``.
    """
    secrets = _secrets(tuple(paths))
    return {key: _redacted(item, (key,), secrets) for key, item in payload.items()}


def brief(value: Any, limit: int = 80, paths: Iterable[str] = DEFAULT_REDACTED) -> str:
    """A payload or text as Python writes it: printable, secrets masked, cut at `limit`.

    Looks at no more of the value than it shows, so it is cheap however large that is.
    """
    shown: list[str] = []
    room = limit
    for piece in _pieces(value, (), _secrets(tuple(paths)), limit):
        shown.append(piece)
        room -= len(piece)
        if room < 0:
            return "".join(shown)[: max(limit - 1, 0)] + "…"
    return "".join(shown)


def _visible(character: str) -> str:
    if character.isprintable() or character in _JOINERS:
        return character
    if character in _GAPS:
        return " "
    # Cc: controls; Cf: bidirectional and other format characters; Cs: surrogates.
    return "" if unicodedata.category(character) in ("Cc", "Cf", "Cs") else character


def _redacted(value: Any, path: tuple[str, ...], secrets: tuple[_Secret, ...]) -> Any:
    if _is_secret(path, secrets):
        return MASK
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, Any]", value)
        return {key: _redacted(item, (*path, key), secrets) for key, item in fields.items()}
    if isinstance(value, list):
        return [_redacted(item, path, secrets) for item in cast("Sequence[Any]", value)]
    return value


def _pieces(
    value: Any, path: tuple[str, ...], secrets: tuple[_Secret, ...], limit: int
) -> Iterator[str]:
    if path and _is_secret(path, secrets):
        yield repr(MASK)
    elif isinstance(value, Mapping):
        yield "{"
        for index, (key, item) in enumerate(cast("Mapping[str, Any]", value).items()):
            yield f"{', ' if index else ''}{key[:limit]!r}: "
            yield from _pieces(item, (*path, key), secrets, limit)
        yield "}"
    elif isinstance(value, (list, tuple)):
        yield "["
        for index, item in enumerate(cast("Sequence[Any]", value)):
            yield ", " if index else ""
            yield from _pieces(item, path, secrets, limit)
        yield "]"
    else:
        yield repr(value[: limit + 1] if isinstance(value, str) else value)


def _is_secret(path: tuple[str, ...], secrets: tuple[_Secret, ...]) -> bool:
    return any(_ends_with(path, secret) for secret in secrets)


def _ends_with(path: tuple[str, ...], secret: _Secret) -> bool:
    if len(path) < len(secret):
        return False
    tail = path[len(path) - len(secret) :]
    return all(_words(key)[-len(words) :] == words for key, words in zip(tail, secret, strict=True))


@lru_cache(maxsize=64)
def _secrets(paths: tuple[str, ...]) -> tuple[_Secret, ...]:
    return tuple(tuple(map(_words, path.split("."))) for path in paths)


def _words(key: str) -> _Words:
    # A hostile key may be a megabyte long; what it ends in decides.
    return _split(key[-64:])


@lru_cache(maxsize=4096)
def _split(key: str) -> _Words:
    return tuple(word.casefold() for word in _WORD.findall(key))
