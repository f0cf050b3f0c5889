"""Signs, and text of the watched system made harmless."""

from __future__ import annotations

import pytest

from choreia.console.model.face import Face

UNICODE, ASCII = Face(ascii=False), Face(ascii=True)
STATES = [
    "idle", "queued", "running", "awaiting", "parked", "backoff", "committing", "paused", "dead",
    "stopped",
]  # fmt: skip


def test_every_state_has_a_sign_of_its_own_beside_its_word() -> None:
    for face in (UNICODE, ASCII):
        signs = {face.state(word).text.split()[0] for word in STATES}
        assert len(signs) == len(STATES)
        assert all(face.state(word).text.endswith(f" {word}") for word in STATES)
    assert ASCII.state("running").text.isascii()


def test_an_unknown_state_is_shown_as_it_is_called() -> None:
    assert UNICODE.state("dreaming").text == "? dreaming"


@pytest.mark.parametrize(
    ("text", "shown", "in_ascii"),
    [
        ("\x1b[2Jbilling\x07", "[2Jbilling", "[2Jbilling"),
        ("a\nb\tc", "a b c", "a b c"),
        ("\u202etxt.exe", "txt.exe", "txt.exe"),
        ("[red]x[/]", "[red]x[/]", "[red]x[/]"),
        ("café 界", "café 界", "caf? ?"),
        ("a\u200db\ufe0f👍🏽", "ab👍", "ab?"),
        ("\ue000\ud800", "?", "?"),
    ],
)
def test_text_is_made_harmless(text: str, shown: str, in_ascii: str) -> None:
    assert UNICODE.clean(text) == shown
    assert ASCII.clean(text) == in_ascii


def test_long_text_is_cut() -> None:
    assert UNICODE.clean("x" * 100_000, 5) == "xxxx…"
    assert ASCII.clean("x" * 100_000, 5) == "xxxx~"


def test_a_bar_is_full_only_when_it_is_and_empty_only_when_nothing_is_there() -> None:
    assert UNICODE.bar(0, 4).text == "░░░░"
    assert UNICODE.bar(0.001, 4).text == "█░░░"
    assert UNICODE.bar(0.999, 4).text == "███░"
    assert UNICODE.bar(1, 4).text == "████"
    assert ASCII.bar(0.5, 4).text == "##.."
    assert [UNICODE.bar(part, 4).style for part in (0.1, 0.6, 0.95)] == [
        "bar.low", "bar.mid", "bar.high",
    ]  # fmt: skip


def test_a_history_is_a_character_each() -> None:
    assert UNICODE.spark([0, 0.5, 1, 7]) == "▁▅██"
    assert ASCII.spark([0, 1]) == " @"
