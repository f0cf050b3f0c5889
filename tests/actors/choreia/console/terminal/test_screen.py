"""Lines become segments as they are; in ASCII, they keep their width."""

from __future__ import annotations

import io
import sys

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment

from choreia.console.model.line import Line, Span
from choreia.console.terminal.screen import Picture, in_ascii, is_ascii
from choreia.console.terminal.theme import style_of


def segments(*lines: Line, ascii: bool = False) -> list[Segment]:
    console = Console(file=io.StringIO(), width=20)
    return [
        one
        for one in Picture(lines, ascii=ascii).__rich_console__(console, console.options)
        if isinstance(one, Segment)
    ]


def test_spans_of_one_style_are_put_together() -> None:
    line = (Span("a"), Span("b"), Span("[red]c", "bad"), Span("d", "bad"), Span("e"))
    assert segments(line) == [
        Segment("ab"), Segment("[red]cd", style_of("bad")), Segment("e")
    ]  # fmt: skip


def test_lines_have_ends_between_them() -> None:
    assert [one.text for one in segments((Span("a"),), (Span("b"),))] == ["a", "\n", "b"]


@pytest.mark.parametrize("text", ["plain", "é", "寿司", "a\u0301", "▸ ✗ …", "\u200b"])
def test_ascii_is_as_wide(text: str) -> None:
    shown = in_ascii(text)
    assert shown.isascii()
    assert len(shown) == cell_len(text)
    assert segments((Span(text),), ascii=True) == [Segment(shown)]


@pytest.mark.parametrize(
    ("encoding", "output", "ascii"),
    [
        ("UTF-8", "utf-8", False), ("utf8", "UTF8", False), ("ANSI_X3.4-1968", "utf-8", True),
        ("UTF-8", "ascii", True), ("UTF-8", "iso8859-1", True),
    ],
)  # fmt: skip
def test_both_the_locale_and_the_output_must_take_more_than_ascii(
    encoding: str, output: str, ascii: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("locale.getencoding", lambda: encoding)
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=output))
    assert is_ascii() is ascii
