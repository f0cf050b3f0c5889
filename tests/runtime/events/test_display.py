"""Text from events, made fit to be seen."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreia.runtime.events.display import MASK, brief, plain, redact
from choreia.runtime.events.payload import freeze


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, ünïcode, 事件", "plain, ünïcode, 事件"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("\x1b]0;title\x07", "]0;title"),
        ("\x9b31m", "31m"),
        ("a\nb\r\nc\td", "a b  c d"),
        ("a\u2028b\u2029c\x85d", "a b c d"),
        ("bell\x07 null\x00 del\x7f back\x08", "bell null del back"),
        ("\u202egnp.exe", "gnp.exe"),
        ("\u2066a\u2069\u200e\u061c", "a"),
        ("zero\u200bwidth\ufeff soft\u00ad", "zerowidth soft"),
        ("tags\U000e0041\U000e007f", "tags"),
        ("\ud800lone", "lone"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("no\u00a0break", "no\u00a0break"),
        ("[bold]markup[/bold]", "[bold]markup[/bold]"),
        ("", ""),
    ],
)
def test_what_a_terminal_would_obey_is_left_out(text: str, shown: str) -> None:
    assert plain(text) == shown


@given(st.text(st.characters(), max_size=60))
def test_no_control_or_format_character_comes_through(text: str) -> None:
    shown = plain(text)
    assert shown == plain(shown)
    shown.encode()
    for character in shown:
        assert unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp")
        if unicodedata.category(character) == "Cf":
            assert character in "\u200c\u200d"


@given(st.text(max_size=60), st.integers(0, 30))
def test_a_limit_is_kept_and_what_is_cut_is_marked(text: str, limit: int) -> None:
    whole, cut = plain(text), plain(text, limit)
    if len(whole) <= limit:
        assert cut == whole
    else:
        assert cut == whole[: max(limit - 1, 0)] + "…"


def test_secrets_are_masked_at_any_depth() -> None:
    payload = freeze(
        {
            "user": "ann",
            "password": "x",
            "nested": [{"deep": {"token": {"all": "of it"}}}, {"authorization": ["a", "b"]}],
            "api_key": 5,
            "secret": None,
        }
    )
    assert redact(payload) == {
        "user": "ann",
        "password": MASK,
        "nested": [{"deep": {"token": MASK}}, {"authorization": MASK}],
        "api_key": MASK,
        "secret": MASK,
    }
    assert payload["password"] == "x"


@pytest.mark.parametrize(
    "key",
    [
        "apiKey", "API_KEY", "api-key", "X-Api-Key", "APIKey", "Password", "userPassword",
        "new_password", "access_token", "accessToken", "refresh-token", "CLIENT_SECRET",
        "Authorization", "token",
    ],
)  # fmt: skip
def test_keys_are_compared_loosely_on_the_safe_side(key: str) -> None:
    assert redact({key: "x"}) == {key: MASK}


@pytest.mark.parametrize(
    "key", ["tokens_used", "token_count", "secretary", "key", "api", "passwordless", "author", ""]
)
def test_keys_that_only_begin_like_a_secret_are_shown(key: str) -> None:
    assert redact({key: "x"}) == {key: "x"}


def test_the_paths_can_be_others() -> None:
    payload: dict[str, Any] = {
        "card": {"number": 1, "holder": "a"},
        "number": 2,
        "cards": [{"card": [{"number": 3}]}],
        "password": "shown",
    }
    assert redact(payload, ["card.number"]) == {
        "card": {"number": MASK, "holder": "a"},
        "number": 2,
        "cards": [{"card": [{"number": MASK}]}],
        "password": "shown",
    }
    assert redact(payload, []) == payload


def test_a_redacted_payload_is_a_copy_that_can_be_written_to() -> None:
    payload = freeze({"a": [{"b": 1}]})
    copy = redact(payload)
    copy["a"][0]["b"] = 2
    assert payload == {"a": [{"b": 1}]}


VALUES = st.recursive(st.integers() | st.text(max_size=9), st.lists, max_leaves=10)


@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=4))
def test_what_is_brief_enough_is_what_python_writes(payload: dict[str, Any]) -> None:
    assert brief(payload, 10_000, paths=[]) == repr(payload)


def test_brief_is_short_printable_and_masked() -> None:
    endless = {"token": "hunter2", "text": "\x1b\u202e", "many": [{"k" * 500: "v" * 500}] * 10**6}
    text = brief(endless, 60)
    assert len(text) == 60
    assert text.startswith("{'token': '***', 'text': '\\x1b\\u202e', 'many': [")
    assert text.endswith("…")
    assert text.isprintable()
    assert brief({"a": ("x",)}) == "{'a': ['x']}"
    assert brief("x" * 10**7, 10) == "'xxxxxxxx…"


def test_a_hostile_key_costs_little() -> None:
    assert redact({"a_" * 10**6 + "token": 1}) == {"a_" * 10**6 + "token": MASK}
