"""Maps as mermaid, graphviz and HTML: what they look like, and that text in them stays text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import attrs
import pytest

from choreia.runtime.insight.maps.dot import to_dot
from choreia.runtime.insight.maps.mermaid import to_mermaid
from choreia.runtime.insight.maps.page import to_html
from choreia.runtime.insight.maps.picture import NOBODY, Arrow, Picture, picture
from tests.runtime.insight.maps.conftest import HOSTILE, SHOP, hostile

MERMAID = """\
flowchart LR
    n0(["outside"])
    n1["clerk"]
    n2["packer"]
    n0 -->|"order.placed"| n1
    n1 -->|"order.late<br/>order.opened"| n2
    e2(( ))
    n2 -->|"parcel.packed#46;#35;"| e2
"""
DOT = """\
digraph "shop" {
    rankdir=LR;
    node [shape=box, style=rounded, fontname="sans-serif"];
    edge [fontname="sans-serif", fontsize=10];
    n0 [label="outside", shape=oval];
    n1 [label="clerk"];
    n2 [label="packer"];
    n0 -> n1 [label="order.placed"];
    n1 -> n2 [label="order.late\\norder.opened"];
    e2 [label="", shape=point];
    n2 -> e2 [label="parcel.packed.#"];
}
"""


def test_mermaid() -> None:
    assert to_mermaid(picture(SHOP)) == MERMAID


def test_dot() -> None:
    assert to_dot(picture(SHOP)) == DOT


def test_what_was_observed_is_counted_and_what_is_not_declared_is_drawn_otherwise() -> None:
    drawn = _observed()

    assert '-->|"order.placed 3x"| n1' in to_mermaid(drawn)
    assert 'n1 -.->|"order.lost 1x"| e' in to_mermaid(drawn)
    assert '[label="order.lost 1x", style=dashed]' in to_dot(drawn)
    page = to_html(drawn)
    assert "In 4 recorded events" in page
    assert 'class="flow undeclared"' in page
    assert 'class="flow never"' in page
    assert '<td class="n">3</td>' in page


def test_the_page_says_who_says_what_to_whom_and_where_that_is_written() -> None:
    page = _Page.of(to_html(picture(SHOP)))

    text = " ".join(page.texts)
    for part in ("Clerk · shop.py:10", "order.placed", "parcel.packed.#", "ends a case", "timer"):
        assert part in text
    anchors = {value for _, name, value in page.attributes if name == "id"}
    links = {value for tag, name, value in page.attributes if (tag, name) == ("a", "href")}
    assert {link.removeprefix("#") for link in links} <= anchors


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing() -> None:
    source = to_html(picture(SHOP))
    page = _Page.of(source)

    assert not {"script", "img", "iframe", "object"} & set(page.tags)
    for _, name, value in page.attributes:
        assert not name.startswith("on")
        if name in ("href", "src"):
            assert value.startswith(("#", "data:,"))
    assert "url(" not in source
    assert "@import" not in source


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_breaks_no_format(text: str) -> None:
    drawn = picture(hostile(text))

    mermaid = to_mermaid(drawn).splitlines()
    assert mermaid[0] == "flowchart LR"
    for line in mermaid[1:]:
        assert re.fullmatch(
            r'    n\d+(\["(\w|[ ./-]|#\d+;)*"\]'
            r'| -->\|"(\w|[ ./-]|#\d+;)*"\| n\d+)',
            line,
        )
    dot = to_dot(drawn)
    for line in dot.splitlines()[4:-1]:
        assert re.fullmatch(r'    n\d+( -> n\d+)? \[label="([^"\\]|\\["\\])*"\];', line)
    source = to_html(drawn)
    page, harmless = _Page.of(source), _Page.of(to_html(picture(hostile("x"))))
    assert page.tags == harmless.tags
    assert [one[:2] for one in page.attributes] == [one[:2] for one in harmless.attributes]
    for shown in ("\n".join(mermaid), dot, source):
        assert len(shown) < 100_000
        assert "\x1b" not in shown
        assert "\u202e" not in shown


def _observed() -> Picture:
    drawn = picture(SHOP)
    seen = {"order.placed": 3}
    arrows = [attrs.evolve(one, count=seen.get(one.type, 0)) for one in drawn.arrows]
    arrows.append(Arrow("clerk", "order.lost", NOBODY, declared=False, count=1))
    return attrs.evolve(drawn, arrows=tuple(arrows), events=4)


class _Page(HTMLParser):
    """The tags and attributes of a page, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[str] = []

    @classmethod
    def of(cls, source: str) -> _Page:
        page = cls()
        page.feed(source)
        page.close()
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())
