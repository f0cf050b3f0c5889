"""Which files there are to review: a walk over a tree that cannot be led astray.

The order is the names' order, so two walks over the same tree find the same files in the
same order. Links are never followed: so no loop can be met, and no file counts twice. What
is passed over is told with its reason, save what is never of interest (caches, hidden
folders): nobody wants to read that a thousand ``__pycache__`` were skipped.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from attrs import frozen

from choreia import DemoError

SUFFIXES = (".py", ".pyw")
MAX_BYTES = 1_000_000
"""Larger files are tables and generated code: reviewing them would say nothing."""

CACHES = frozenset({"__pycache__", "node_modules"})
INSTALLED = frozenset({"site-packages", "dist-packages"})


@frozen
class SourceFile:
    """A file to review. `path` is relative to the tree's root, with forward slashes."""

    path: str
    bytes: int


@frozen
class Skipped:
    """What was passed over, and why. `path` is relative to the tree's root."""

    path: str
    reason: str


def check_root(path: str | os.PathLike[str]) -> Path:
    """The resolved place to review. Raises `DemoError` if there is nothing to read."""
    root = Path(path)
    try:
        resolved = root.resolve(strict=True)
    except FileNotFoundError:
        raise DemoError(f"there is no file or folder {root}: name one that exists") from None
    except (OSError, RuntimeError) as error:  # RuntimeError: a link to itself, before 3.13
        raise DemoError(f"cannot read {root}: {_cause(error)}") from error
    if not (resolved.is_dir() or resolved.is_file()):
        raise DemoError(f"{root} is neither a file nor a folder: name one or the other")
    return resolved


def discover(root: Path, limit: int | None = None) -> Iterator[SourceFile | Skipped]:
    """Walk `root`, a folder or one file; stop after `limit` files to review.

    A file that is named itself is reviewed whatever it is called.
    """
    found = 0
    for item in _walk(root) if root.is_dir() else _file(root, root.name):
        if isinstance(item, SourceFile):
            if found == limit:
                return
            found += 1
        yield item


def locate(root: Path, path: str) -> Path:
    """Where the file that `discover(root)` called `path` is."""
    return root / PurePosixPath(path) if root.is_dir() else root


def _walk(root: Path) -> Iterator[SourceFile | Skipped]:
    # A stack instead of recursion: folders may be nested deeper than Python's stack.
    folders = [("", root)]
    while folders:
        prefix, folder = folders.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            yield Skipped(_printable(prefix), f"cannot be read: {_cause(error)}")
            continue
        below: list[tuple[str, Path]] = []
        for entry in entries:
            yield from _entry(entry, prefix, below)
        folders.extend(reversed(below))


def _entry(
    entry: os.DirEntry[str], prefix: str, below: list[tuple[str, Path]]
) -> Iterator[SourceFile | Skipped]:
    path = f"{prefix}{entry.name}"
    if entry.is_symlink():
        if entry.name.endswith(SUFFIXES) or entry.is_dir():
            yield Skipped(_printable(path), "a link: links are not followed")
    elif entry.is_dir():
        if entry.name in INSTALLED:
            yield Skipped(_printable(path), "installed packages: name it to review it")
        elif entry.name not in CACHES and not entry.name.startswith("."):
            below.append((f"{path}/", Path(entry.path)))
    elif entry.name.endswith(SUFFIXES):
        yield from _file(Path(entry.path), path)


def _file(file: Path, path: str) -> Iterator[SourceFile | Skipped]:
    if path != (printable := _printable(path)):
        # The path travels in events, and events are JSON: its text must be Unicode.
        yield Skipped(printable, "its name is not UTF-8")
        return
    try:
        size = file.stat().st_size
    except OSError as error:
        yield Skipped(path, f"cannot be read: {_cause(error)}")
        return
    if not file.is_file():
        yield Skipped(path, "not a regular file")
    elif size > MAX_BYTES:
        yield Skipped(path, f"too large: {size:,} bytes, the limit is {MAX_BYTES:,}")
    else:
        yield SourceFile(path, size)


def _cause(error: Exception) -> str:
    """What an error says, without the path it repeats."""
    return getattr(error, "strerror", None) or str(error)


def _printable(path: str) -> str:
    """`path` with the bytes that are not UTF-8 written as ``\\xNN``."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
