"""A picture of what is seen, as a file that needs nothing else to be looked at.

rich's own formats fetch a font from the network; these name fonts that are there.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import orjson
from rich.console import Console
from rich.terminal_theme import TerminalTheme

from choreia.console.model.line import Line
from choreia.console.terminal.screen import Picture

Kind = Literal["svg", "html", "json"]
KINDS: Final[tuple[Kind, ...]] = ("svg", "html", "json")
MOST: Final = 1_000
"""Files of one second."""

_FONTS: Final = 'ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace'
_THEME: Final = TerminalTheme(
    (22, 24, 29),
    (215, 218, 224),
    [
        (40, 44, 52), (240, 113, 120), (134, 200, 114), (229, 192, 123),
        (97, 160, 239), (198, 120, 221), (86, 200, 216), (200, 204, 212),
    ],
    [
        (106, 115, 132), (255, 139, 146), (160, 224, 140), (255, 216, 150),
        (130, 185, 255), (220, 150, 240), (120, 222, 236), (255, 255, 255),
    ],
)  # fmt: skip

_SVG: Final = f"""\
<svg class="choreia-console" viewBox="0 0 {{width}} {{height}}" xmlns="http://www.w3.org/2000/svg">
    <style>
    .{{unique_id}}-matrix {{{{
        font-family: {_FONTS};
        font-size: {{char_height}}px;
        line-height: {{line_height}}px;
    }}}}
    .{{unique_id}}-title {{{{
        font-size: 18px;
        font-weight: bold;
        font-family: sans-serif;
    }}}}
    {{styles}}
    </style>
    <defs>
    <clipPath id="{{unique_id}}-clip-terminal">
      <rect x="0" y="0" width="{{terminal_width}}" height="{{terminal_height}}" />
    </clipPath>
    {{lines}}
    </defs>
    {{chrome}}
    <g transform="translate({{terminal_x}}, {{terminal_y}})" clip-path="url(#{{unique_id}}-clip-terminal)">
    {{backgrounds}}
    <g class="{{unique_id}}-matrix">
    {{matrix}}
    </g>
    </g>
</svg>
"""  # noqa: E501

_HTML: Final = f"""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<title>choreia top</title>
<style>
body {{{{ color: {{foreground}}; background-color: {{background}}; }}}}
pre {{{{ font-family: {_FONTS}; line-height: 1.2; }}}}
{{stylesheet}}
</style>
</head>
<body>
<pre><code>{{code}}</code></pre>
</body>
</html>
"""


def exported(
    kind: Kind,
    lines: Sequence[Line],
    document: dict[str, object],
    size: tuple[int, int],
    title: str,
) -> str:
    """The text of a file of that kind: `lines` as they are seen, or the `document`."""
    if kind == "json":
        return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode()
    console = Console(
        record=True,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        no_color=False,
        legacy_windows=False,
        width=size[0],
        height=size[1],
    )
    console.print(Picture(lines))
    if kind == "svg":
        return console.export_svg(
            title=title, theme=_THEME, code_format=_SVG, unique_id="choreia-console"
        )
    return console.export_html(theme=_THEME, code_format=_HTML)


def kind_of(path: Path) -> Kind | None:
    """The kind that a file's name says."""
    ending = path.suffix.removeprefix(".").lower()
    return next((kind for kind in KINDS if kind == ending), None)


def save(folder: Path, text: str, kind: Kind, names: Sequence[str], now: float) -> Path:
    """Write a file that was not there: ``choreia-<names>-<time>.<kind>``. Raises `OSError`."""
    time = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    stem = "-".join(["choreia", *map(_harmless, names), time])
    for number in range(1, MOST):
        path = folder / f"{stem}{f'-{number}' if number > 1 else ''}.{kind}"
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            continue
        return path
    raise FileExistsError(f"{stem}.{kind} and {MOST - 1} more are there already")


def _harmless(name: str) -> str:
    """A name of the system that is watched, as a part of a file's name."""
    return re.sub(r"[^A-Za-z0-9_.]+", "_", name).strip("._")[:40] or "unnamed"
