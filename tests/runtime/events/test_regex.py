"""Regular expressions that cannot hold the process."""

from __future__ import annotations

import subprocess
import sys

import pytest

from choreia.runtime.errors import InvalidFilter
from choreia.runtime.events.regex import search


def test_it_finds_anywhere() -> None:
    found = search("b.d", "", "here")
    assert found("abcde")
    assert not found("ab\nde")
    assert not found("")


def test_options() -> None:
    assert search("ÄB", "i", "here")("xäbx")
    assert search("^b$", "m", "here")("a\nb\nc")
    assert search("a.b", "s", "here")("a\nb")
    assert search("^A.b$", "ism", "here")("x\na\nB")


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|a)*$", "(a|aa)+$", "(.*)*(.*)*(.*)*x$"])
def test_a_pattern_that_backtracks_for_ever_elsewhere_ends(pattern: str) -> None:
    assert not search(pattern, "", "here")("a" * 50_000 + "!")


def test_text_that_utf8_cannot_hold_does_not_raise() -> None:
    assert not search("b", "", "here")("a\ud800")


@pytest.mark.parametrize(
    ("pattern", "options", "fault"),
    [
        ("[a", "", r"not a pattern that RE2 can read: missing \]"),
        ("(a", "", r"missing \)"),
        ("*a", "", "no argument for repetition operator"),
        (r"(a)\1", "", "invalid escape sequence"),
        ("(?=a)", "", "no look-around"),
        ("a\ud800", "", "not a pattern that RE2 can read"),
        (r"\pL{3}", "", "compiles to 3,[0-9]{3} instructions, 2,000 are allowed"),
        (r"\pL{900}", "", "pattern too large"),
        ("a", "x", r"\$options has 'x'; it can have i"),
        ("a", "ig", r"\$options has 'g'"),
    ],
)
def test_a_bad_pattern_is_refused(pattern: str, options: str, fault: str) -> None:
    with pytest.raises(InvalidFilter, match=fault) as caught:
        search(pattern, options, "payload.x.$regex")
    assert caught.value.path == "payload.x.$regex"
    assert "filter at payload.x.$regex: " in str(caught.value)


def test_a_bad_pattern_writes_nothing_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InvalidFilter):
        search("[a", "", "here")
    assert capfd.readouterr().err == ""


def test_re2_is_loaded_only_when_a_regex_is_written() -> None:
    program = (
        "import sys\n"
        "from choreia.runtime.events.filter import Filter\n"
        "Filter({'payload.x': {'$prefix': 'a'}})\n"
        "assert 're2' not in sys.modules\n"
        "Filter({'payload.x': {'$regex': 'a'}})\n"
        "assert 're2' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
