"""Documents from outside: Python's own topics, or the text files of a folder.

Whatever cannot be read is told with its reason, and never lost without a word.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

from attrs import frozen

from choreia import DemoError
from choreia.runtime.events.display import plain

SUFFIXES = (".txt", ".md", ".rst", ".py")
MAX_BYTES = 400_000
"""Of a file: twice that, if every character has to be escaped, still goes into one payload."""
LONGEST_TITLE = 80

_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f]")
_DRAWN = re.compile(r"^[\W_]*$")


@frozen
class Document:
    """A text with a name."""

    id: str
    title: str
    text: str

    @property
    def digest(self) -> str:
        said = repr((self.title, self.text)).encode()
        return blake2b(said, digest_size=16).hexdigest()


@frozen
class Skipped:
    """What was not read, and why."""

    name: str
    reason: str


@frozen
class Corpus:
    """What there is to read."""

    name: str
    documents: tuple[Document, ...]
    skipped: tuple[Skipped, ...] = ()


def topics() -> Corpus:
    """The 79 or so topics behind Python's `help()`."""
    from pydoc_data.topics import topics as found

    documents = tuple(
        Document(name, title_of(text, name), text) for name, text in sorted(found.items())
    )
    return Corpus("Python's help topics", documents)


def folder(path: Path) -> Corpus:
    """The text files under `path`, in the order of their names. Links are not followed.

    Raises `DemoError` when there is no such folder, or nothing to read in it.
    """
    if not path.is_dir():
        raise DemoError(f"there is no folder {plain(str(path))}: name one that holds text files")
    found = list(_walk(path))
    documents = tuple(one for one in found if isinstance(one, Document))
    skipped = tuple(one for one in found if isinstance(one, Skipped))
    if not documents:
        why = f"; skipped: {skipped[0].name}: {skipped[0].reason}" if skipped else ""
        raise DemoError(
            f"there is nothing to read in {plain(str(path))} (wanted: {', '.join(SUFFIXES)}){why}"
        )
    return Corpus(plain(str(path)), documents, skipped)


def title_of(text: str, name: str) -> str:
    """The first line that says something, if it is as short as a heading; else the name."""
    for line in text.splitlines():
        line = " ".join(line.strip("#=*-_ \t\"'").split())
        if not _DRAWN.match(line):
            return line if len(line) <= LONGEST_TITLE else name
    return name


def _walk(root: Path) -> Iterator[Document | Skipped]:
    others = 0
    faults: list[Skipped] = []

    def fault(error: OSError) -> None:
        faults.append(Skipped(_printable(str(error.filename)), f"cannot be read: {error.strerror}"))

    for top, folders, files in os.walk(root, onerror=fault):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in files if not name.startswith(".")):
            path = Path(top) / name
            if path.suffix.lower() not in SUFFIXES:
                others += 1
            else:
                yield _read(path, _printable(path.relative_to(root).as_posix()))
    yield from faults
    if others:
        yield Skipped(f"{others:,} other files", f"only {', '.join(SUFFIXES)} are read")


def _read(path: Path, name: str) -> Document | Skipped:
    try:
        reason = _refused(path)
        if reason:
            return Skipped(name, reason)
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        return Skipped(name, f"cannot be read: {error.strerror or error}")
    except UnicodeDecodeError as error:
        return Skipped(name, f"is not UTF-8: byte {error.start:,}")
    if _CONTROLS.search(text):
        return Skipped(name, "is not text: it holds control characters")
    if not text.strip():
        return Skipped(name, "is empty")
    title = name if path.suffix.lower() == ".py" else title_of(text, name)
    return Document(name, title, text)


def _refused(path: Path) -> str:
    if path.is_symlink():
        return "is a link: links are not followed"
    if not path.is_file():
        return "is no regular file"
    size = path.stat().st_size
    return f"is too large: {size:,} bytes of at most {MAX_BYTES:,}" if size > MAX_BYTES else ""


def _printable(path: str) -> str:
    """`path` with the bytes that are not UTF-8 written as ``\\xNN``: events are JSON."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
