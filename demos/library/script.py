"""Two readers of Python's documentation, who ask as people do: the second question leans on the
first."""

from __future__ import annotations

from attrs import frozen


@frozen
class Visit:
    """Somebody who comes in and asks."""

    user: str
    questions: tuple[str, ...] = ()


TOPICS = (
    Visit(
        "ada",
        (
            "What is a lambda expression?",
            "And can it contain statements?",
            "What does the finally clause of a try statement do?",
        ),
    ),
    Visit(
        "ben",
        (
            "What is a context manager?",
            "And which methods does it have?",
            "What does the modulo operator yield?",
        ),
    ),
)
GUEST = "guest"
"""Who asks and does not say who."""


def visits(user: str | None, questions: tuple[str, ...], *, folder: bool) -> tuple[Visit, ...]:
    """Who comes in, and asks what. (Of somebody's folder nobody knows what to ask.)"""
    if user is not None or questions:
        return (Visit(user or GUEST, questions),)
    return () if folder else TOPICS
