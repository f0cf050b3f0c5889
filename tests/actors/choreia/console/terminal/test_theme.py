"""Names of styles become styles of rich."""

from __future__ import annotations

from rich.style import Style

from choreia.console.terminal.theme import STYLES, style_of


def test_names_are_combined() -> None:
    assert style_of("bad") == STYLES["bad"]
    assert style_of("bad selected") == STYLES["bad"] + Style(reverse=True)
    assert style_of("bad selected") is style_of("bad selected")


def test_plain_and_unknown_names_are_plain() -> None:
    assert style_of("") is None
    assert style_of("nonsense") is None
    assert style_of("nonsense good") == STYLES["good"]
