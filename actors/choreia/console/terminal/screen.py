"""The screen: lines of a model, drawn with rich.

Measured with 200 agents on 120 by 40 cells, rich 15, Python 3.11: a picture takes 2.4 ms to draw,
and 5.2 ms to be made by the model; four in a second are 3 % of a core. All rows in a
`rich.table.Table` in a `Layout`, drawn by the same `Live`, took 48 ms, which is 19 %.
"""

from __future__ import annotations

import contextlib
import io
import locale
import os
import sys
from collections.abc import Generator, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import Final

from rich.cells import cell_len
from rich.console import Console, ConsoleDimensions, ConsoleOptions, RenderResult
from rich.live import Live
from rich.segment import Segment

from choreia.console.model.line import Line
from choreia.console.terminal.theme import style_of
from choreia.console.terminal.tty import size_of

_END: Final = Segment.line()
_STYLE: Final = attrgetter("style")


class Picture:
    """Lines, for rich: each span becomes a segment as it is, and nothing is measured or wrapped."""

    def __init__(self, lines: Sequence[Line], *, ascii: bool = False) -> None:
        self.lines = lines
        self._ascii = ascii

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for number, line in enumerate(self.lines):
            if number:
                yield _END
            yield from self._segments(line)

    def _segments(self, line: Line) -> Iterator[Segment]:
        # rich looks at each segment several times, so those of one style are put together.
        for style, spans in groupby(line, _STYLE):
            text = "".join([span.text for span in spans])
            shown = text if not self._ascii or text.isascii() else in_ascii(text)
            yield Segment(shown, style_of(style))


class Screen:
    """The terminal at a file descriptor, between `open` and `close`."""

    def __init__(self, screen: int, *, ascii: bool) -> None:
        self.ascii = ascii
        self.gone = False
        """Whether the terminal takes nothing any more."""
        self._screen = screen
        # A file of our own: `sys.stdout` is led to the log, and must not hold what a terminal that
        # is gone did not take.
        raw = io.FileIO(os.dup(screen), "w")
        self._file = io.TextIOWrapper(
            io.BufferedWriter(raw, 1 << 20), encoding="utf-8", errors="replace"
        )
        self._console = Console(
            file=self._file,
            force_terminal=True,
            force_interactive=True,
            legacy_windows=False,
            highlight=False,
            markup=False,
            emoji=False,
        )
        self._live = self._made()
        self._drawn: tuple[Sequence[Line], tuple[int, int]] | None = None

    def _made(self) -> Live:
        return Live(
            console=self._console,
            screen=True,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines, as they are now."""
        return size_of(self._screen)

    def open(self) -> None:
        """The other screen, without a cursor; once more, for a terminal that lost it."""
        with self._writing():
            if self._live.is_started:
                self._console.set_alt_screen(True)
                self._console.show_cursor(False)
                self.clear()
            else:
                self._live.start()

    def close(self) -> None:
        """The screen as it was, with its cursor. Harmless when the terminal is gone."""
        with self._writing():
            self._live.stop()
        self._live = self._made()
        self._drawn = None

    def draw(self, lines: Sequence[Line], size: tuple[int, int]) -> None:
        """Show `lines`, made for a terminal of that size, unless they are shown already."""
        if self._drawn == (lines, size):
            return
        # Asked of the terminal each time: rich would believe COLUMNS and LINES.
        self._console.size = ConsoleDimensions(*size)
        with self._writing():
            self._live.update(Picture(lines, ascii=self.ascii), refresh=True)
        self._drawn = lines, size

    def clear(self) -> None:
        """Draw all of it anew next time."""
        self._drawn = None
        with self._writing():
            self._console.clear()

    def send(self, sequence: str) -> None:
        """Say something to the terminal that shows nothing."""
        with self._writing():
            self._file.write(sequence)
            self._file.flush()

    @contextlib.contextmanager
    def _writing(self) -> Generator[None, None, None]:
        try:
            yield
        except OSError:  # EIO: the window is closed; the keyboard will say so, too, but later
            self.gone = True

    def release(self) -> None:
        """Close what was opened for it."""
        with contextlib.suppress(OSError):
            self._file.close()


def is_ascii() -> bool:
    """Whether only ASCII can be shown: by the locale, or by what the output is said to take.

    Python's own encoding does not tell: with ``LC_ALL=C`` it writes UTF-8 all the same.
    """
    encodings = (locale.getencoding(), sys.stdout.encoding or "ascii")
    return not all(one.lower().replace("-", "").startswith("utf") for one in encodings)


@lru_cache(maxsize=4096)
def in_ascii(text: str) -> str:
    """The text, as wide as it was, with a question mark for what is not ASCII."""
    return "".join(one if one.isascii() else "?" * cell_len(one) for one in text)
