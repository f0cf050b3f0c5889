"""Server-sent events, as the OpenAI protocol uses them: lines of ``data:``, each a JSON object."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from attrs import frozen

from choreia.demos.library.models.base import ModelFailed

DONE = "[DONE]"
QUOTED = 100
"""Characters of what cannot be read."""


@frozen
class Chunk:
    """Some of an answer, as it came."""

    text: str = ""
    finished: bool = False
    tokens: int | None = None


async def read_chunks(lines: AsyncIterator[str]) -> AsyncGenerator[Chunk, None]:
    """The chunks of a stream, up to its end. Raises `ModelFailed` for what cannot be read.

    Comments (which keep connections awake), other fields and empty lines are passed over.
    """
    async for line in lines:
        if not line.startswith("data:"):
            continue
        data = line.removeprefix("data:").strip()
        if data == DONE:
            return
        if data:
            yield chunk_of(data)


def chunk_of(data: str | bytes) -> Chunk:
    """A chunk, or a whole answer, from JSON. Raises `ModelFailed`."""
    try:
        return _chunk(json.loads(data))
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError, IndexError):
        shown = data[:QUOTED]
        raise ModelFailed(f"the model sent what cannot be read: {shown!r}") from None


def _chunk(message: Any) -> Chunk:
    if message.get("error"):
        error = message["error"]
        said = error.get("message") if isinstance(error, dict) else error
        raise ModelFailed(f"the model failed: {str(said)[:QUOTED]}")
    tokens = (message.get("usage") or {}).get("total_tokens")
    if tokens is not None and type(tokens) is not int:
        raise TypeError(tokens)
    choices = message["choices"]
    if not choices:  # the last one, which tells only what it took
        return Chunk(tokens=tokens)
    choice = choices[0]
    text = (choice.get("delta") or choice.get("message") or {}).get("content")
    if text is not None and not isinstance(text, str):
        raise TypeError(text)
    return Chunk(text or "", choice.get("finish_reason") is not None, tokens)
