"""Exports: what is seen, in a file that needs nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from choreia.console.model.line import Line, Span
from choreia.console.terminal.export import Kind, exported, kind_of, save

LINES: list[Line] = [
    (Span("title", "title"), Span(" <b>&amp; [bold]", "bad")),
    (Span("寿司 é", "selected"), Span("      ")),
]


def text_of(kind: Kind) -> str:
    return exported(kind, LINES, {"schema": "x", "rows": [1, "é"]}, (30, 2), "a <title> & more")


def test_an_svg_is_whole_and_fetches_nothing() -> None:
    text = text_of("svg")
    root = ElementTree.fromstring(text)
    said = " ".join("".join(root.itertext()).replace("\xa0", " ").split())
    assert "a <title> & more" in said
    assert "<b>&amp; [bold]" in said
    assert "寿司" in said
    assert re.findall(r"https?:[^\"]*", text) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"@import|@font-face|url\((?!#)", text)


def test_html_is_whole_and_fetches_nothing() -> None:
    text = text_of("html")
    assert "&lt;b&gt;&amp;amp; [bold]" in text
    assert text.count("<pre>") == text.count("</pre>") == 1
    assert not re.search(r"http|@import|@font-face|url\(|<script|<link", text)


def test_colours_are_there_whatever_the_terminal_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    assert "#f07178" in text_of("svg")


def test_json() -> None:
    assert json.loads(text_of("json")) == {"schema": "x", "rows": [1, "é"]}


def test_the_same_picture_makes_the_same_file() -> None:
    assert text_of("svg") == text_of("svg")


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.svg", "svg"), ("a.b.HTML", "html"), ("a.json", "json"), ("a.png", None), ("svg", None)],
)
def test_the_kind_is_told_by_the_name(name: str, kind: Kind | None) -> None:
    assert kind_of(Path(name)) == kind


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    paths = [save(tmp_path, str(n), "svg", ["node", "Agents"], 0.0) for n in range(3)]
    assert [path.name for path in paths] == [
        "choreia-node-Agents-19700101T000000Z.svg",
        "choreia-node-Agents-19700101T000000Z-2.svg",
        "choreia-node-Agents-19700101T000000Z-3.svg",
    ]
    assert [path.read_text() for path in paths] == ["0", "1", "2"]


@pytest.mark.parametrize("name", ["../../etc", "/", "a\nb", "\x1b[31m", "", "é" * 300])
def test_names_cannot_lead_elsewhere(tmp_path: Path, name: str) -> None:
    path = save(tmp_path, "", "json", [name, "view"], 0.0)
    assert path.parent == tmp_path
    assert re.fullmatch(r"choreia-[A-Za-z0-9_.]+-view-19700101T000000Z\.json", path.name)
