"""The contract of a language model, as small as a conversation needs it.

**Promises.**

- `complete` gives the answer in pieces, in order; all of them together are the answer.
- An answer that broke off raises; it never just ends, as if it were complete.
- What may come right by itself raises `ModelFailed`, or `RetryAfter` when the model said when to
  come again; what will not, `GiveUp`.
- Closing the generator, or cancelling who waits for it, ends the call.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any, Literal, Protocol

from attrs import frozen

from choreia import ChoreiaError

LONGEST_ANSWER = 600
"""Tokens: a model is asked to write no more, and that much is put aside for it."""
CHARACTERS = 4
"""Of a token, roughly, where the model does not count."""


class ModelFailed(ChoreiaError):
    """A call of a model broke off, or gave what cannot be read. The next may go well."""


@frozen
class Message:
    """What a model is told."""

    role: Literal["system", "user", "assistant"]
    content: str


@frozen
class Piece:
    """Some of an answer. The last may say what the whole call took."""

    text: str
    tokens: int | None = None
    """Given and written, if the model counts them."""


@frozen
class Reply:
    """A whole answer."""

    text: str
    tokens: int

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Reply:
        """As `once` kept it, in JSON's types."""
        return cls(str(kept["text"]), int(kept["tokens"]))


class Model(Protocol):
    """See the module."""

    @property
    def name(self) -> str: ...

    def complete(
        self, messages: Sequence[Message], *, stream: bool = True
    ) -> AsyncGenerator[Piece, None]:
        """The answer to `messages`: as it is written, or, without `stream`, in one piece."""
        ...


def estimate(messages: Sequence[Message]) -> int:
    """Tokens, about: nobody needs a model's own tokenizer for a budget."""
    return sum(len(message.content) // CHARACTERS + CHARACTERS for message in messages)
