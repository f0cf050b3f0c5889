"""Text of events and agents, made fit for the formats that pictures are written in.

Names and payloads come from anywhere. In a diagram's source they could close a label, add a link or
switch the renderer's safety off; in a page they could run. Whatever writes such a format puts text
into it through here: first made plain (`events.display`), then cut, then escaped, so that what is
cut is never half of an escape.
"""

from __future__ import annotations

import html as _html
import re

from choreia.runtime.events.display import plain

# Kept as they are for mermaid: letters and digits of any script, spaces, and what stands *inside* a
# word (order.paid, in-flight). At a word's edge the same characters make lists, rules and arrows.
_NOT_MERMAID = re.compile(r"(?<![^\W_])[._/-]|[._/-](?![^\W_])|[^\w ./-]")
# As bare words, `end` closes a block, and `www.` becomes a link.
_MERMAID_WORD = re.compile(r"\b(?:end|www)\b", re.IGNORECASE)


def mermaid(text: str, limit: int = 80) -> str:
    """For a double-quoted label (``a["…"]``, ``|"…"|``) and for the text of a sequence message.

    Anything that mermaid might read as more than text becomes a character code (``#59;``): also
    colons and hash signs, so that no directive, comment, style or markdown is ever found in it.
    """
    shown = _NOT_MERMAID.sub(_code, plain(text, limit))
    # `#101;nd`, and never within a code: those hold no letters.
    return _MERMAID_WORD.sub(_word_code, shown)


def html(text: str, limit: int = 1000) -> str:
    """For the text of an element, and for an attribute's value in quotes (of either kind)."""
    return _html.escape(plain(text, limit), quote=True)


def dot(text: str, limit: int = 80) -> str:
    """For a double-quoted string of graphviz: a label, a name, a tooltip."""
    shown = plain(text, limit)
    # Graphviz reads \N and the like, and HTML entities, in quoted strings too.
    return shown.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")


def _code(match: re.Match[str]) -> str:
    return f"#{ord(match[0])};"


def _word_code(match: re.Match[str]) -> str:
    word = match[0]
    return f"#{ord(word[0])};{word[1:]}"
