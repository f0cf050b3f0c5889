"""Read one file into a syntax tree, or say clearly why that cannot be done."""

from __future__ import annotations

import ast
import re
import threading
import warnings
from pathlib import Path

from attrs import frozen

from choreia import DemoError
from choreia.demos.review.source import MAX_BYTES

_MARK = re.compile(
    rb"#.*?\b(noqa|nosec|nopep8|pragma|pylint:\s*disable|type:\s*ignore|pyright:\s*ignore"
    rb"|intentional(?:ly)?|deliberate(?:ly)?|on purpose)",
    re.IGNORECASE,
)

# Warning filters belong to the process, not to the thread. One parse at a time may change
# them: two that overlap would restore each other's, and leave warnings off for everybody.
_WARNINGS = threading.Lock()


class UnreadableSource(DemoError):
    """A file cannot be parsed. `reason` is the cause in one line, without the path."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@frozen(eq=False)
class Source:
    """A file that was read: its syntax tree, and its bytes by line."""

    tree: ast.Module
    lines: tuple[bytes, ...]

    def mark(self, line: int) -> str:
        """The word by which a comment on `line` (from 1) asks to be left alone, or ``""``."""
        text = self.lines[line - 1] if 0 < line <= len(self.lines) else b""
        found = _MARK.search(text)
        return found.group(1).decode().lower() if found else ""


def read(file: Path) -> Source:
    """Read and parse `file`. Raises `UnreadableSource`."""
    try:
        with file.open("rb") as stream:
            # It may have grown since it was found; one byte more shows that.
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnreadableSource(error.strerror or str(error)) from error
    if len(data) > MAX_BYTES:
        raise UnreadableSource(f"larger than {MAX_BYTES:,} bytes")
    return parse(data)


def parse(data: bytes) -> Source:
    """Parse source as Python does: coding cookies and byte order marks count."""
    try:
        # What it warns about (an invalid escape, say) is no business of whoever runs us, and
        # where warnings are errors it would make a good file unreadable.
        with _WARNINGS, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(data)
    except SyntaxError as error:
        raise UnreadableSource(_place(error)) from error
    except (RecursionError, MemoryError) as error:
        raise UnreadableSource("nested too deeply to parse") from error
    except ValueError as error:  # a null byte, or bytes its coding cannot decode
        raise UnreadableSource(str(error)) from error
    return Source(tree, tuple(data.splitlines()))


def _place(error: SyntaxError) -> str:
    message = error.msg or "invalid syntax"
    return f"line {error.lineno}: {message}" if error.lineno else message
