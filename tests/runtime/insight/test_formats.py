"""The formats of a trace, against files that were looked at; and what hostile text does to them.

``CHOREIA_EXPECT=write`` writes the files anew: look at them before they are committed.
"""

from __future__ import annotations

import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import attrs
import pytest

from choreia.runtime.errors import InvalidFormat
from choreia.runtime.events.payload import Json, freeze
from choreia.runtime.insight.formats import FORMATS, render
from choreia.runtime.insight.story import Story
from choreia.runtime.insight.trace import trace

EXPECTED = Path(__file__).with_name("expected")
SUFFIXES = {"tree": "txt", "mermaid": "mmd", "html": "html", "json": "json"}
CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@pytest.mark.parametrize("form", FORMATS)
def test_what_a_format_looks_like(form: str, shop: Story) -> None:
    file = EXPECTED / f"trace.{SUFFIXES[form]}"
    found = render(trace(shop), form)
    if os.environ.get("CHOREIA_EXPECT") == "write":
        file.write_text(found)
    assert found == file.read_text()


@pytest.mark.parametrize("form", FORMATS)
def test_no_format_shows_a_secret_or_what_was_erased(form: str, shop: Story) -> None:
    shown = render(trace(shop), form)
    assert "hunter2" not in shown
    assert '"text"' not in shown
    assert "'text'" not in shown


def test_news_of_a_dead_letter_are_short(shop: Story) -> None:
    facts: dict[str, Json] = {"event_type": "a.b", "agent": "x\x1b", "reason": "failed", "more": 1}
    event = attrs.evolve(shop.events[0].event, type="event.dead_lettered", payload=freeze(facts))
    story = attrs.evolve(shop, events=(attrs.evolve(shop.events[0], event=event),))
    assert "1 event.dead_lettered a.b at x (failed), from" in render(trace(story))


def test_a_trace_shows_itself(shop: Story) -> None:
    made = trace(shop)
    assert str(made) == made.show() == render(made, "tree")
    assert made.show("json", times=False) == render(made, "json", times=False)


def test_what_is_no_format_is_refused() -> None:
    nothing = trace(Story("x", (), (), ()))
    with pytest.raises(InvalidFormat, match="'pdf': a trace has the formats tree, mermaid, html"):
        render(nothing, "pdf")


@pytest.mark.parametrize("form", FORMATS)
def test_a_case_of_which_nothing_is_known_is_shown_too(form: str) -> None:
    assert render(trace(Story("x", (), (), (), whole=False)), form)


@pytest.mark.parametrize("form", FORMATS)
def test_no_format_lets_through_what_commands_a_terminal(form: str, hostile: Story) -> None:
    shown = render(trace(hostile), form)
    assert not CONTROLS.search(shown)
    if form != "json":  # which is never cut
        assert len(shown) < 20_000


def test_hostile_text_stays_on_its_line(hostile: Story) -> None:
    lines = render(trace(hostile), "tree").splitlines()
    assert len(lines) == 6
    assert all(len(line) <= 400 for line in lines)


def test_hostile_text_is_no_mermaid(hostile: Story) -> None:
    for line in render(trace(hostile), "mermaid").splitlines()[1:]:
        assert re.fullmatch(
            r"    (participant p\d+ as|p\d+-+(>>|x|\))p\d+:|Note over p\d+(,p\d+)?:) "
            r"([^\W_]|[ ./_-]|#\d+;|…)*",
            line,
        ), line
        assert not re.search(r"\bend\b|<|>>.*>>|%%", line)


class Elements(HTMLParser):
    """What a browser would find in a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def elements(page: str) -> Elements:
    found = Elements()
    found.feed(page)
    found.close()
    assert not found.open
    return found


def test_hostile_text_is_no_html(shop: Story, hostile: Story) -> None:
    ours, theirs = elements(render(trace(shop), "html")), elements(render(trace(hostile), "html"))
    assert theirs.tags <= ours.tags
    assert theirs.attributes <= ours.attributes


def test_a_page_needs_nothing_from_anywhere(shop: Story) -> None:
    page = render(trace(shop), "html")
    found = elements(page)
    assert not {"script", "link", "img", "iframe", "object"} & found.tags
    assert not {"src", "href", "onload"} & found.attributes
    assert "http" not in page.replace("http-equiv", "")
    assert "url(" not in page
    assert "default-src 'none'" in page


def test_hostile_text_is_kept_whole_in_json(hostile: Story) -> None:
    said: dict[str, Any] = json.loads(render(trace(hostile), "json"))
    first = hostile.events[0].event
    assert said["case"] == hostile.correlation_id
    assert said["events"][0]["payload"] == first.payload
    assert said["events"][0]["source"] == first.source
    assert said["events"][0]["deliveries"][0]["error"] == hostile.deliveries[0].error


def test_a_large_case_is_cut_and_says_so_but_not_in_json(broad: Story) -> None:
    made = trace(broad)
    lines = render(made, "tree").splitlines()
    assert len(lines) < 500
    hidden = [
        int(found[1].replace(",", ""))
        for found in re.finditer(r"… ([\d,]+) more events? …", "\n".join(lines))
    ]
    shown = [line for line in lines[1:] if "more event" not in line]
    assert sum(hidden) + len(shown) == 10_000
    assert "10,000 events" in lines[0]
    assert len(json.loads(render(made, "json"))["events"]) == 10_000
    assert len(render(made, "html")) < 1_000_000
    drawn = render(made, "mermaid")
    assert len(drawn.splitlines()) < 500
    gaps = re.findall(r"#8230; ([\d#;]+) more event", drawn)
    numbers = set(re.findall(r": (\d+) \w+\.", drawn))
    assert sum(int(gap.replace("#44;", "")) for gap in gaps) + len(numbers) == 10_000


def test_of_many_receivers_some_are_named_and_all_are_counted(broad: Story) -> None:
    made = trace(broad)
    assert "agent-11 and 188 more" in render(made, "tree").splitlines()[1]
    assert "and 176 more" in render(made, "html")
    assert "and 188 more who hear big.bang" in render(made, "mermaid")
