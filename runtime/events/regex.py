"""Regular expressions that cannot hold the process: RE2, found in time linear in the text.

The standard library's engine backtracks: ``(a+)+$`` on forty letters runs for ever, with the
GIL held. RE2 gives up look-around and backreferences for its bound, and lets other threads
run meanwhile. Searching costs at most the pattern's size times the text's, so the size is
limited too. Loaded when the first `$regex` is written.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Protocol, cast

from choreia.runtime.events.operand import refuse

_FLAGS = "ims"
# Instructions. "\pL", any letter, takes 1,200. The worst pattern on the worst text of 1 MiB
# takes 0.4 s with 100 instructions and 3.3 s with 900 (of one thread); an ordinary one 10 ms.
_MOST_INSTRUCTIONS = 2000


class _Options(Protocol):
    log_errors: bool
    never_capture: bool


class _Pattern(Protocol):
    @property
    def programsize(self) -> int: ...
    def search(self, text: bytes) -> object | None: ...


class _Re2(Protocol):
    error: type[Exception]

    def Options(self) -> _Options: ...
    def compile(self, pattern: bytes, options: _Options) -> _Pattern: ...


def search(pattern: str, options: str, where: str) -> Callable[[str], bool]:
    """A test that finds `pattern` anywhere in a text. `options` is any of ``i``, ``m``, ``s``.

    Raises `InvalidFilter` for a pattern that RE2 cannot read, naming its fault.
    """
    unknown = set(options) - set(_FLAGS)
    if unknown:
        raise refuse(
            where,
            f"$options has {min(unknown)!r}; it can have i (any case), m (^ and $ at lines) and "
            "s (a dot is a newline too)",
        )
    flags = f"(?{options})" if options else ""
    compiled = _compile(flags + pattern, where)

    def found(text: str) -> bool:
        # bytes in, because for text the binding would count characters back for each match
        return compiled.search(text.encode("utf-8", "surrogatepass")) is not None

    return found


def _compile(pattern: str, where: str) -> _Pattern:
    re2 = cast(_Re2, import_module("re2"))
    options = re2.Options()
    options.log_errors = False  # it would write to stderr
    options.never_capture = True
    try:
        compiled = re2.compile(pattern.encode(), options)
    except (re2.error, UnicodeEncodeError) as error:
        fault = error.args[0] if error.args else error
        told = fault.decode("utf-8", "replace") if isinstance(fault, bytes) else str(error)
        raise refuse(
            where,
            f"not a pattern that RE2 can read: {told} (it has no look-around and no "
            "backreferences)",
        ) from None
    if compiled.programsize > _MOST_INSTRUCTIONS:
        raise refuse(
            where,
            f"the pattern compiles to {compiled.programsize:,} instructions, "
            f"{_MOST_INSTRUCTIONS:,} are allowed: repeat less",
        )
    return compiled
