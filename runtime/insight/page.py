"""A trace as one HTML file: the tree, and the sequence as a picture. It has no script and asks no
network for anything, and its own policy would not let it."""

from __future__ import annotations

from collections.abc import Iterator

from choreia.runtime.insight.cutting import Gap, cut
from choreia.runtime.insight.drawing import svg
from choreia.runtime.insight.escaping import html
from choreia.runtime.insight.naming import speaker
from choreia.runtime.insight.sequence import sequence
from choreia.runtime.insight.story import Delivery, State
from choreia.runtime.insight.trace import Hop, Trace
from choreia.runtime.insight.wording import (
    WENT_WRONG,
    duration,
    headline,
    not_shown,
    standing,
    waiting,
    what,
)

PAYLOAD = 300
DEEPEST = 24
CHIPS = 24
"""Receivers of an event that are named."""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
:root{color-scheme:light dark;--bg:#fff;--fg:#1d2129;--dim:#5c6470;--line:#d5d9e0;--box:#f4f6f9;
--ok:#1a6e3c;--bad:#b3261e;--open:#8a5a00;--accent:#2457a6}
@media(prefers-color-scheme:dark){:root{--bg:#15181d;--fg:#e4e7ec;--dim:#9aa3b0;--line:#39404b;
--box:#1f242c;--ok:#6fcf97;--bad:#ff8a80;--open:#f2c14e;--accent:#8ab4f8}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1400px;padding:24px;background:var(--bg);color:var(--fg);
font:15px/1.5 system-ui,sans-serif}
h1{font-size:20px;margin:0;overflow-wrap:anywhere}h2{font-size:16px;margin:32px 0 8px}
p{margin:4px 0;color:var(--dim)}
ol{list-style:none;margin:0;padding:0}
li{padding:5px 0 5px calc(var(--d)*22px);border-bottom:1px solid var(--line);overflow-wrap:anywhere}
.n{display:inline-block;min-width:2em;color:var(--dim);font-variant-numeric:tabular-nums}
.t{font-weight:600}code{font:13px ui-monospace,monospace;color:var(--dim)}
.m{color:var(--dim)}.l{color:var(--accent);font-variant-numeric:tabular-nums}
.c{display:inline-block;margin:2px 4px 0 0;padding:0 8px;border:1px solid var(--line);
border-radius:9px;background:var(--box);font-size:13px}
.ok{color:var(--ok)}.bad{color:var(--bad);border-color:var(--bad)}
.open{color:var(--open);border-color:var(--open)}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:8px}
svg{display:block}svg text{font:12px system-ui,sans-serif;fill:var(--fg);
paint-order:stroke;stroke:var(--bg);stroke-width:3px}
svg .name{font-weight:600;stroke:none}svg .head{fill:var(--box);stroke:var(--line)}
svg .life{stroke:var(--line);stroke-dasharray:4 4}
svg .way{fill:none;stroke:var(--accent);stroke-width:1.5}
svg .tip{fill:var(--accent);stroke:none}
svg .passive{stroke-dasharray:5 4}svg .open{stroke:var(--open)}svg .failed{stroke:var(--bad)}
svg .open.tip{fill:var(--open);stroke:none}
svg circle.note{fill:var(--dim)}svg circle.failed{fill:var(--bad);stroke:none}
svg text.note{fill:var(--dim)}svg text.failed{fill:var(--bad);stroke:var(--bg)}
""".strip()


def page(trace: Trace, *, times: bool = True) -> str:
    """The document."""
    score = sequence(trace, times=times)
    lines = [
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>Case {html(trace.case, 80)}</title>",
        f"<style>\n{_STYLE}\n</style>\n</head>\n<body>",
        f"<h1>Case {html(trace.case, 200)}</h1>",
        f"<p>{html(headline(trace, times=times))}</p>",
        *(f"<p>{html(waiting(one, trace, times=times))}</p>" for one in trace.timers),
        "<h2>What caused what</h2>\n<ol>",
        *_tree(trace, times=times),
        "</ol>",
        "<h2>In the order of the log</h2>",
        f'<div class="scroll">\n{svg(score)}\n</div>',
        "</body>\n</html>",
    ]
    return "\n".join(lines) + "\n"


def _tree(trace: Trace, *, times: bool) -> Iterator[str]:
    for entry in cut(trace):
        style = f'style="--d:{min(entry.depth, DEEPEST)}"'
        if isinstance(entry, Gap):
            yield f'<li {style}><span class="m">{html(not_shown(entry.events))}</span></li>'
        else:
            yield f"<li {style}>{''.join(_of_hop(entry, times=times))}</li>"


def _of_hop(hop: Hop, *, times: bool) -> Iterator[str]:
    event = hop.recorded.event
    yield f'<span class="n">{hop.number}</span> <span class="t">{html(event.type)}</span> '
    yield f"<code>{html(what(hop.recorded, PAYLOAD), PAYLOAD)}</code> "
    yield f'<span class="m">from {html(speaker(event.source), 80)}</span>'
    if times and hop.latency is not None:
        yield f' <span class="l">+{html(duration(hop.latency))}</span>'
    if hop.depth > DEEPEST:
        yield f' <span class="m">({hop.depth} levels deep)</span>'
    if hop.further:
        causes = ", ".join(map(str, hop.further))
        yield f'<br><span class="m">also caused by {html(causes, 200)}</span>'
    if hop.elsewhere:
        causes = ", ".join(hop.elsewhere)
        yield f'<br><span class="m">caused by what is not in this case: {html(causes, 200)}</span>'
    if hop.deliveries:
        yield "<br>"
        yield from map(_chip, hop.deliveries[:CHIPS])
        if len(hop.deliveries) > CHIPS:
            yield f'<span class="m">and {len(hop.deliveries) - CHIPS:,} more</span>'


def _chip(one: Delivery) -> str:
    if one.state is State.HANDLED:
        return f'<span class="c ok">{html(one.agent, 80)}</span>'
    kind = "bad" if one.state in WENT_WRONG else "open"
    passive = " (only looks on)" if one.passive else ""
    said = f"{one.agent}{passive}: {standing(one)}"
    return f'<span class="c {kind}">{html(said, 300)}</span>'
