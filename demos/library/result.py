"""The outcome of a run as data: what ``--json`` writes, and what is shown."""

from __future__ import annotations

from typing import Any

from attrs import asdict, field, frozen

from choreia import DeadLetter
from choreia.demos.library.audit import ANSWERED, REFUSED, Check, audit, passages
from choreia.demos.library.past import said
from choreia.demos.library.sources import Corpus
from choreia.runtime.stores.base import EventStore

FORMAT = 1


@frozen
class Answer:
    """A question that came to its end in this run."""

    user: str
    question: str
    text: str
    """The answer, or why there is none."""
    refused: bool = False
    citations: tuple[dict[str, Any], ...] = ()
    tokens: int = 0


@frozen
class Outcome:
    """What a run has come to."""

    corpus: Corpus
    delivered: int
    """Documents that were new, changed, or gone."""
    passages: int
    """That the library has ever cut."""
    greetings: dict[str, tuple[str, ...]] = field(factory=dict)
    """By user, the questions that were remembered."""
    answers: tuple[Answer, ...] = ()
    """By user and in the order they were asked."""
    checks: tuple[Check, ...] = ()

    @property
    def adds_up(self) -> bool:
        return all(check.holds for check in self.checks)


def outcome(
    store: EventStore, corpus: Corpus, delivered: int, after: int, letters: list[DeadLetter]
) -> Outcome:
    """What has happened behind position `after`. The system must be at rest."""
    greeted = said(store, "user.greeted", after=after)
    return Outcome(
        corpus,
        delivered,
        passages(store).total(),
        dict(sorted((str(one.payload["user"]), tuple(one.payload["asked"])) for one in greeted)),
        _answers(store, after),
        audit(store, letters),
    )


def to_json(outcome: Outcome) -> dict[str, object]:
    """In JSON's types. Without ids and times: the same corpus and questions give the same."""
    return {
        "format": FORMAT,
        "adds_up": outcome.adds_up,
        "checks": [asdict(check) for check in outcome.checks],
        "corpus": outcome.corpus.name,
        "documents": len(outcome.corpus.documents),
        "delivered": outcome.delivered,
        "passages": outcome.passages,
        "skipped": [asdict(one) for one in outcome.corpus.skipped],
        "remembered": {user: list(asked) for user, asked in outcome.greetings.items()},
        "answers": [asdict(answer) for answer in outcome.answers],
    }


def _answers(store: EventStore, after: int) -> tuple[Answer, ...]:
    asked = {event.id: str(event.payload["text"]) for event in said(store, "question.asked")}
    ended = {
        event.payload["question"]: event for event in said(store, ANSWERED, REFUSED, after=after)
    }
    made = [_answer(ended[id].copy_payload(), text) for id, text in asked.items() if id in ended]
    return tuple(sorted(made, key=lambda answer: answer.user))


def _answer(payload: dict[str, Any], question: str) -> Answer:
    if "reason" in payload:
        return Answer(payload["user"], question, payload["reason"], refused=True)
    citations = tuple(payload["citations"])
    return Answer(payload["user"], question, payload["text"], False, citations, payload["tokens"])
