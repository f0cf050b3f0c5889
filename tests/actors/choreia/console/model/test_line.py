"""Cells of a terminal are counted as it counts them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from choreia.console.model.face import Face
from choreia.console.model.line import Span, cut, cut_head, drop, fill, fit, styled, width_of


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("", 0),
        ("billing", 7),
        ("界界", 4),
        ("e\u0301", 1),
        ("\u1100\u1161\u11a8", 2),
        ("नि", 1),
        ("●▸█▁", 4),
        ("👍", 2),
    ],
)
def test_wide_characters_take_two_cells_and_combining_ones_none(text: str, width: int) -> None:
    assert width_of(text) == width == cell_len(text)


@given(st.text(max_size=20))
def test_what_is_shown_is_as_wide_as_rich_draws_it(text: str) -> None:
    shown = Face(ascii=False).clean(text)
    assert width_of(shown) == cell_len(shown)


@pytest.mark.parametrize(
    ("text", "width", "cut_to"),
    [
        ("billing", 7, "billing"),
        ("billing", 6, "billi…"),
        ("billing", 1, "…"),
        ("billing", 0, ""),
        ("界界界", 4, "界…"),
        ("界界", 4, "界界"),
    ],
)
def test_text_is_cut_with_an_ellipsis(text: str, width: int, cut_to: str) -> None:
    assert cut(text, width) == cut_to


def test_of_an_id_the_end_is_kept() -> None:
    assert cut_head("0192f0c1", 5) == "…f0c1"
    assert cut_head("0192f0c1", 8) == "0192f0c1"
    assert cut_head("0192f0c1", 1) == "…"
    assert cut_head("0192f0c1", 0) == ""
    assert cut_head("界界界", 4) == "…界"


def test_half_a_wide_character_becomes_a_blank() -> None:
    assert fill("界界界", 4) == "界… "
    assert fill("界", 1) == "…"
    assert fill("7", 3, right=True) == "  7"


def test_spans_are_filled_up_or_cut_and_keep_their_styles() -> None:
    spans = (Span("order", "good"), Span(" placed", "dim"))
    assert fit(spans, 14) == (*spans, Span("  "))
    assert fit(spans, 8) == (Span("order", "good"), Span(" p…", "dim"))
    assert fit(spans, 8, "~")[-1] == Span(" p~", "dim")
    assert fit((), 3) == (Span("   "),)
    assert fit(spans, 0) == (Span("", "good"),)


def test_a_style_is_added_to_those_there_are() -> None:
    assert styled((Span("a", "bad"), Span("b")), "selected") == (
        Span("a", "bad selected"),
        Span("b", "selected"),
    )


def test_what_is_scrolled_out_of_sight_is_dropped_by_cells() -> None:
    spans = (Span("ab", "good"), Span("界界c"))
    assert drop(spans, 0) == spans
    assert drop(spans, 2) == (Span("界界c"),)
    assert drop(spans, 3) == (Span(" 界c"),)
    assert drop(spans, 99) == ()
