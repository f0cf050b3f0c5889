"""A client for models that speak the OpenAI protocol: ``POST URL/chat/completions``.

What comes over the wire is somebody else's, so nothing in it is taken on trust: an answer counts
only if it came to its end, which the protocol says with a ``finish_reason``. The key goes into the
header of the request, and nowhere else: into no event, no log, no error, no `repr`.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from attrs import asdict, field, frozen

from choreia import DemoError, GiveUp, RetryAfter
from choreia.demos.library.models.base import LONGEST_ANSWER, Message, ModelFailed, Piece
from choreia.demos.library.models.patience import seconds_to_wait
from choreia.demos.library.models.stream import Chunk, chunk_of, read_chunks

if TYPE_CHECKING:
    import httpx

KEY = "OPENAI_API_KEY"
SILENCE = 60.0
"""Seconds without a byte, after which a call has failed."""
CONNECT = 10.0
"""Seconds."""
LONGEST_WAIT = 300.0
"""Seconds. A server that wants to be left alone for longer is not waited for."""
QUOTED = 200
"""Characters of an error's body."""
BUSY = (408, 409, 425, 429)
"""With all from 500 on: what may come right by itself."""


def check_httpx() -> None:
    """Raises `DemoError` when the extra is not installed."""
    try:
        import_module("httpx")  # it takes a while to load: only for who uses a model
    except ImportError:
        raise DemoError(
            "a model behind a URL needs the package httpx: pip install 'choreia[llm]'"
        ) from None


@frozen
class OpenAIModel:
    """See the module, and `Model`. Every call has a connection of its own, on the loop it is made
    on."""

    url: str
    """Of the API, with its version: ``http://localhost:8000/v1``."""
    name: str
    key: str = field(default="", repr=False)
    silence: float = SILENCE

    @classmethod
    def from_environment(cls, url: str, name: str) -> OpenAIModel:
        """With the key from ``OPENAI_API_KEY``, if there is one. Raises `DemoError`."""
        check_httpx()
        if not url.startswith(("http://", "https://")):
            raise DemoError(f"{url!r} is no URL of a model: give one like http://localhost:8000/v1")
        return cls(url.rstrip("/"), name, os.environ.get(KEY, ""))

    async def complete(
        self, messages: Sequence[Message], *, stream: bool = True
    ) -> AsyncGenerator[Piece, None]:
        """Raises `ModelFailed`, `RetryAfter`, and `GiveUp` for what will not come right."""
        import httpx

        try:
            async with self._call(messages, stream=stream) as response:
                await _check(response)
                chunks = read_chunks(response.aiter_lines()) if stream else _whole(response)
                async for piece in _pieces(chunks):
                    yield piece
        except httpx.TransportError as error:
            what = f"{type(error).__name__}: {error}".rstrip(": ")
            raise ModelFailed(f"the call of model {self.name!r} broke off ({what})") from None
        except httpx.InvalidURL as error:
            raise GiveUp(f"the URL of the model: {error}") from None

    @asynccontextmanager
    async def _call(
        self, messages: Sequence[Message], *, stream: bool
    ) -> AsyncGenerator[httpx.Response, None]:
        import httpx

        body: dict[str, object] = {
            "model": self.name,
            "messages": [asdict(message) for message in messages],
            "max_tokens": LONGEST_ANSWER,
            "stream": stream,
        }
        if stream:
            body["stream_options"] = {"include_usage": True}
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        timeout = httpx.Timeout(self.silence, connect=CONNECT)
        async with (
            httpx.AsyncClient(timeout=timeout) as client,
            client.stream(
                "POST", f"{self.url}/chat/completions", json=body, headers=headers
            ) as response,
        ):
            yield response


async def _check(response: httpx.Response) -> None:
    """Raises what a status other than 200 means."""
    status = response.status_code
    if status == 200:
        return
    said = (await response.aread()).decode("utf-8", "replace")[:QUOTED]
    reason = f"the model answered {status}: {said}"
    if status not in BUSY and status < 500:
        raise GiveUp(reason)
    seconds = seconds_to_wait(response.headers.get("Retry-After"), response.headers.get("Date"))
    if seconds is None:
        raise ModelFailed(reason)
    if seconds > LONGEST_WAIT:
        raise GiveUp(f"{reason} (and wants to be left alone for {seconds:,.0f} s)")
    raise RetryAfter(seconds, reason)


async def _whole(response: httpx.Response) -> AsyncGenerator[Chunk, None]:
    yield chunk_of(await response.aread())


async def _pieces(chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[Piece, None]:
    """What is to be told of the chunks. Raises `ModelFailed` when the end never came."""
    finished = False
    async for chunk in chunks:
        finished = finished or chunk.finished
        if chunk.text or chunk.tokens:
            yield Piece(chunk.text, chunk.tokens)
    if not finished:
        raise ModelFailed("the model's answer broke off before its end")
