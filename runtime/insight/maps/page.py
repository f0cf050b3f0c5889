"""A map as one HTML file: no script, nothing from the network, light and dark."""

from __future__ import annotations

from collections.abc import Iterator

from choreia.runtime.insight.choreography import Player
from choreia.runtime.insight.escaping import html
from choreia.runtime.insight.maps.figure import figure
from choreia.runtime.insight.maps.picture import NOBODY, OUTSIDE, Arrow, Picture

STYLE = """
:root { color-scheme: light dark; --ink: #1c2330; --soft: #5d6777; --paper: #fbfbf9; --line:
  #9aa7bd;
  --card: #ffffff; --edge: #d9dee7; --agent: #e4ecfa; --type: #f4efe0; --out: #e3f1e6; --warn:
  #b3541e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --soft: #9aa4b4; --paper: #14171c;
  --line: #5b6880; --card: #1b2027; --edge: #2f3743; --agent: #24324a; --type: #3a3425; --out:
  #21382a;
  --warn: #f0a36b; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1100px; padding: 2rem 1.5rem 4rem; background: var(--paper);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 0; overflow-wrap: anywhere; }
p.about, .place { color: var(--soft); margin: 0 0 1.25rem; }
.place { font-size: .85rem; margin: 0 0 .6rem; overflow-wrap: anywhere; }
.figure { overflow-x: auto; border: 1px solid var(--edge); border-radius: 10px; padding: 1rem;
  background: var(--card); }
svg { display: block; max-width: 100%; height: auto; min-width: 760px; }
svg text { font: 12.5px system-ui, sans-serif; fill: var(--ink); }
svg .head { fill: var(--soft); font-size: 12px; letter-spacing: .06em; text-transform: uppercase;
  }
svg rect { stroke: var(--edge); }
.agent rect { fill: var(--agent); }
.type rect { fill: var(--type); }
.outside rect { fill: var(--out); }
.flow { fill: none; stroke: var(--line); stroke-width: 1.4; }
.flow:hover { stroke: var(--ink); stroke-width: 3; }
.undeclared { stroke: var(--warn); stroke-dasharray: 6 4; }
.never { stroke-dasharray: 2 5; opacity: .7; }
section { border: 1px solid var(--edge); border-radius: 10px; background: var(--card);
  padding: 1rem 1.1rem; margin-top: 1rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; table-layout: fixed; }
th { text-align: left; color: var(--soft); font-weight: 500; }
td, th { padding: .2rem .6rem .2rem 0;
  vertical-align: top; overflow-wrap: anywhere; }
.n { text-align: right; width: 6rem; }
.warn { color: var(--warn); }
a { color: inherit; }
"""


def to_html(drawn: Picture) -> str:
    return "\n".join(_lines(drawn)) + "\n"


def _lines(drawn: Picture) -> Iterator[str]:
    title = html(drawn.name) or "choreography"
    yield "<!doctype html>"
    yield f'<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f'<link rel="icon" href="data:,"><style>{STYLE}</style></head><body>'
    yield f"<h1>{title}</h1>"
    yield f'<p class="about">{_about(drawn)}</p>'
    yield f'<div class="figure">{figure(drawn)}</div>'
    anchors = {name: f"a{number}" for number, name in enumerate(drawn.agents)}
    players = {player.name: player for player in drawn.players}
    for name, anchor in anchors.items():
        yield from _section(drawn, name, anchors, anchor, players.get(name))
    yield "</body></html>"


def _about(drawn: Picture) -> str:
    types = len({arrow.type for arrow in drawn.arrows})
    text = f"{len(drawn.players):,} agents, {types:,} event types"
    if drawn.events is None:
        return text + ", as declared."
    extra = len([arrow for arrow in drawn.arrows if not arrow.declared])
    never = len([arrow for arrow in drawn.arrows if arrow.declared and not arrow.count])
    return (
        f"{text}. In {drawn.events:,} recorded events {never:,} declared ways were never taken "
        f"(dotted), and {extra:,} taken that are not declared (dashed)."
    )


def _section(
    drawn: Picture, name: str, anchors: dict[str, str], anchor: str, player: Player | None
) -> Iterator[str]:
    yield f'<section id="{anchor}"><h2>{_name(name)}</h2>'
    if player is not None:
        what = html(player.cls) + (", only looks on" if player.passive else "")
        yield f'<p class="place">{what} · {html(str(player.place))}</p>'
    heard = [arrow for arrow in drawn.arrows if arrow.hearer == name]
    said = [arrow for arrow in drawn.arrows if arrow.sayer == name]
    counted = drawn.events is not None
    if heard:
        rows = [
            (_type(one), _link(one.sayer, anchors), html(", ".join(one.handlers))) for one in heard
        ]
        yield from _table(("hears", "from", "in"), rows, heard, counted=counted)
    if said:
        rows = [(_type(one), _link(one.hearer, anchors), _notes(one)) for one in said]
        yield from _table(("says", "to", ""), rows, said, counted=counted)
    yield "</section>"


def _notes(arrow: Arrow) -> str:
    notes = {
        "timer": arrow.timer,
        "ends a case": arrow.terminal,
        "not declared": not arrow.declared,
    }
    return ", ".join(note for note, holds in notes.items() if holds)


def _table(
    heads: tuple[str, str, str],
    rows: list[tuple[str, str, str]],
    arrows: list[Arrow],
    *,
    counted: bool,
) -> Iterator[str]:
    seen = '<th class="n">seen</th>' if counted else ""
    yield "<table><tr>" + "".join(f"<th>{one}</th>" for one in heads) + f"{seen}</tr>"
    for row, arrow in zip(rows, arrows, strict=True):
        count = f'<td class="n">{arrow.count or 0:,}</td>' if counted else ""
        yield "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + f"{count}</tr>"
    yield "</table>"


def _type(arrow: Arrow) -> str:
    return html(arrow.type) if arrow.declared else f'<span class="warn">{html(arrow.type)}</span>'


def _link(name: str, anchors: dict[str, str]) -> str:
    if name == NOBODY:
        return "nobody"
    return f'<a href="#{anchors[name]}">{_name(name)}</a>'


def _name(name: str) -> str:
    return "outside" if name == OUTSIDE else html(name)
