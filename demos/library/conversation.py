"""A conversation with one user: it searches, answers, and remembers what was talked about."""

from __future__ import annotations

from contextlib import aclosing

from choreia import EventSourcedAgent, Retry, on
from choreia.demos.library.events import (
    AnswerProgressed,
    Citation,
    MemoryUpdated,
    QuestionAnswered,
    QuestionAsked,
    QuestionRefused,
    QuestionWithdrawn,
    SearchFound,
    SearchRequested,
    UserArrived,
    UserGreeted,
)
from choreia.demos.library.memory import ASKED, CONTEXT, RESERVED, Memory
from choreia.demos.library.models.base import LONGEST_ANSWER, Message, Model, Reply, estimate
from choreia.demos.library.prompt import cited, prompt
from choreia.demos.library.words import refers_back, terms

BUDGET = 100_000
"""Tokens a user."""
MODEL_TIMEOUT = 120.0
"""Seconds for one answer."""
PROGRESS = 160
"""Characters of an answer that are told together."""
RECALLED = 20
"""Questions that somebody who comes back is reminded of."""
SILENT = "the model had nothing to say"
NOTHING = "nothing in the library speaks of that"
WITHDRAWN = "it was withdrawn"


class Conversation(EventSourcedAgent[Memory]):
    """One user's: there is one for whoever comes. What it must know tomorrow is in its state, and
    nowhere else, so it may sleep meanwhile."""

    key = "payload.user"

    emits = (
        AnswerProgressed,
        MemoryUpdated,
        QuestionAnswered,
        QuestionRefused,
        SearchRequested,
        UserGreeted,
    )
    external = (UserArrived, QuestionAsked, QuestionWithdrawn, AnswerProgressed)
    terminal = (UserGreeted, QuestionAnswered, QuestionRefused)
    retry = Retry(attempts=5, delay=0.5)

    def __init__(self, model: Model, budget: int = BUDGET) -> None:
        super().__init__()
        self.model = model
        self.budget = budget

    @on(UserArrived)
    def greet(self, arrived: UserArrived) -> None:
        self.emit(UserGreeted(arrived.user, self.state.asked[-RECALLED:]))

    @on(QuestionAsked)
    def ask(self, asked: QuestionAsked) -> None:
        """Remember it, and search. One that leans on the question before takes its words along."""
        assert self.event is not None
        user, question, words = asked.user, self.event.id, terms(asked.text)
        about = self.state.context if refers_back(asked.text) else ()
        value = {"question": question, "text": asked.text, "about": about}
        self.emit(MemoryUpdated(ASKED, value, user))
        if not about and words:
            self.emit(MemoryUpdated(CONTEXT, {"words": words}, user))
        self.emit(SearchRequested(user, question, " ".join((*words, *about))))

    @on(QuestionWithdrawn)
    def withdraw(self, withdrawn: QuestionWithdrawn) -> None:
        """What runs for it was cancelled already; what is still to come is not to begin."""
        if self._is_open(withdrawn.question):
            self.emit(QuestionRefused(withdrawn.user, withdrawn.question, WITHDRAWN))

    @on(SearchFound, timeout=MODEL_TIMEOUT, cancel_on=QuestionWithdrawn)
    async def answer(self, found: SearchFound) -> None:
        user, question, offered = found.user, found.question, found.citations
        if not self._is_open(question):
            return
        messages = prompt(self.state.questions[question], offered)
        reason = self._against(question, offered, estimate(messages) + LONGEST_ANSWER)
        if reason:
            self.emit(QuestionRefused(user, question, reason))
            return
        await self._put_aside(user, question, estimate(messages) + LONGEST_ANSWER)
        # Kept when it is complete: a retry, or a restart, does not pay for it again.
        kept = await self.once("answer", self._complete, user, question, messages)
        reply = Reply.of(kept)
        if not reply.text.strip():
            self.emit(QuestionRefused(user, question, SILENT))
            return
        citations = cited(reply.text, offered)
        self.emit(QuestionAnswered(user, question, reply.text, citations, reply.tokens))

    def _is_open(self, question: str) -> bool:
        asked = self.state.questions.get(question)
        return asked is not None and asked.open

    def _against(self, question: str, offered: tuple[Citation, ...], tokens: int) -> str:
        """Why it is not to be answered, or nothing."""
        if not offered:
            return NOTHING
        spent = self.state.spent - self.state.tokens.get(question, 0)  # of an earlier attempt
        if spent + tokens <= self.budget:
            return ""
        return f"of {self.budget:,} tokens {spent:,} are spent, and this may take {tokens:,}"

    async def _put_aside(self, user: str, question: str, tokens: int) -> None:
        """At once, so that it counts even if the call is cancelled or fails: it may have cost."""
        value = {"question": question, "tokens": tokens}
        await self.emit_now_async(MemoryUpdated(RESERVED, value, user))

    async def _complete(
        self, user: str, question: str, messages: list[Message]
    ) -> dict[str, object]:
        text, told, tokens = "", 0, None
        async with aclosing(self.model.complete(messages, stream=True)) as pieces:
            async for piece in pieces:
                text += piece.text
                tokens = piece.tokens or tokens
                if len(text) - told >= PROGRESS:
                    await self._tell(user, question, told, text[told:])
                    told = len(text)
        return {"text": text, "tokens": tokens or estimate(messages) + len(text) // 4}

    async def _tell(self, user: str, question: str, at: int, piece: str) -> None:
        await self.emit_now_async(AnswerProgressed(user, question, at, piece))
