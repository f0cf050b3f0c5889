"""Text in mermaid, HTML and graphviz: it stays text."""

from __future__ import annotations

import html as standard
import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreia.runtime.events.display import plain
from choreia.runtime.insight.escaping import dot, html, mermaid

_CODE = re.compile(r"#(\d+);")

HOSTILE = (
    '"]; click a href "javascript:alert(1)"',
    "%%{init: {'securityLevel': 'loose'}}%%",
    "a-->b",
    "end",
    "x; end",
    "---\ntitle: x\n---",
    "`**md**`",
    "1. list",
    "- list",
    "# heading",
    "__init__",
    "www.example.org",
    "http://example.org",
    "style:#red;",
    "<script>alert(1)</script>",
    "</script>",
    "[/bold]",
    "\x1b[31mred",
    "\u202egnp.exe",
    '\\N \\" \\',
    "&lt;b&gt;",
)


def _decoded(text: str) -> str:
    return _CODE.sub(lambda match: chr(int(match[1])), text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("order.paid", "order.paid"),
        ("Front desk-2/night_shift", "Front desk-2/night_shift"),
        ("größe 事件", "größe 事件"),
        ("order.*", "order#46;#42;"),
        ('a "b"; c', "a #34;b#34;#59; c"),
        ("#35;", "#35;35#59;"),
        ("the end", "the #101;nd"),
        ("END", "#69;ND"),
        ("endless", "endless"),
        ("www.a.org", "#119;ww.a.org"),
        ("a--b", "a#45;#45;b"),
        ("__x__", "#95;#95;x#95;#95;"),
        ("a\nb", "a b"),
    ],
)
def test_mermaid(text: str, shown: str) -> None:
    assert mermaid(text) == shown


@given(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=40)))
def test_mermaid_is_words_and_codes_and_reads_back(text: str) -> None:
    shown = mermaid(text)

    assert re.fullmatch(r"(?:\w|[ ./-]|#\d+;)*", shown)
    assert not re.search(r"\b(?:end|www)\b", shown, re.IGNORECASE)
    assert _decoded(shown) == plain(text)


@given(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=40)))
def test_html_is_text_in_an_element_and_in_an_attribute(text: str) -> None:
    class Reader(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []
            self.text = ""

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.tags.append((tag, attrs))

        def handle_data(self, data: str) -> None:
            self.text += data

    reader = Reader()
    reader.feed(f'<p title="{html(text)}">{html(text)}</p>')
    reader.close()

    assert [tag for tag, _ in reader.tags] == ["p"]
    assert [name for _, attributes in reader.tags for name, _ in attributes] == ["title"]
    assert reader.text == plain(text)
    assert standard.unescape(html(text)) == plain(text)
    assert "'" not in html(text)


@given(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=40)))
def test_dot_is_one_quoted_string(text: str) -> None:
    shown = dot(text)

    assert re.fullmatch(r'(?:[^"\\]|\\["\\])*', shown)
    assert standard.unescape(re.sub(r"\\(.)", r"\1", shown)) == standard.unescape(
        plain(text).replace("&", "&amp;")
    )


@pytest.mark.parametrize("escape", [mermaid, html, dot])
@pytest.mark.parametrize("text", ["x" * 1_000_000, '"' * 1_000_000, "\x00" * 1_000_000])
def test_a_megabyte_is_cut_before_it_is_escaped(escape: Callable[[str], str], text: str) -> None:
    assert len(escape(text)) < 10_000


@pytest.mark.parametrize(
    ("escape", "shown"), [(mermaid, "#34;#34;#8230;"), (html, "&quot;&quot;…"), (dot, '\\"\\"…')]
)
def test_what_is_cut_is_never_half_an_escape(escape: Callable[..., str], shown: str) -> None:
    assert escape('"""""', limit=3) == shown
