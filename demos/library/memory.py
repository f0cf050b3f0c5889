"""What a conversation remembers of its user: a fold of what it has said."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve, field, frozen

from choreia import applies
from choreia.demos.library.events import MemoryUpdated, QuestionAnswered, QuestionRefused

ASKED, CONTEXT, RESERVED = "asked", "context", "reserved"
"""Keys of what it says to itself."""


@frozen
class Asked:
    """A question, and what became of it."""

    text: str
    about: tuple[str, ...] = ()
    """The words of an earlier question that it leans on."""
    answer: str = ""
    refused: str = ""
    """The reason, if it was."""
    open: bool = True


@frozen
class Memory:
    """Everything asked, by the question's id; what it is about now; and what it has cost."""

    questions: Mapping[str, Asked] = field(factory=dict)
    context: tuple[str, ...] = ()
    """The words of the last question that stood alone: what "it" means in the next one."""
    tokens: Mapping[str, int] = field(factory=dict)
    """By question: what it cost, or, as long as nobody knows that, what was put aside for it."""

    @property
    def spent(self) -> int:
        """Tokens. A call that was cancelled, or failed, counts with what was put aside."""
        return sum(self.tokens.values())

    @property
    def asked(self) -> tuple[str, ...]:
        """The questions, in the order they came."""
        return tuple(asked.text for asked in self.questions.values())

    @applies(MemoryUpdated)
    def updated(self, updated: MemoryUpdated) -> Memory:
        value = updated.value
        if updated.key == CONTEXT:
            return evolve(self, context=tuple(value["words"]))
        if updated.key == ASKED:
            asked = Asked(value["text"], tuple(value["about"]))
            return evolve(self, questions={**self.questions, value["question"]: asked})
        return self._costing(value["question"], value["tokens"])

    @applies(QuestionAnswered)
    def answered(self, answered: QuestionAnswered) -> Memory:
        ended = self._ended(answered.question, answer=answered.text)
        return ended._costing(answered.question, answered.tokens)

    @applies(QuestionRefused)
    def refused(self, refused: QuestionRefused) -> Memory:
        return self._ended(refused.question, refused=refused.reason)

    def _ended(self, question: str, answer: str = "", refused: str = "") -> Memory:
        asked = evolve(self.questions[question], answer=answer, refused=refused, open=False)
        return evolve(self, questions={**self.questions, question: asked})

    def _costing(self, question: str, tokens: int) -> Memory:
        return evolve(self, tokens={**self.tokens, question: tokens})
