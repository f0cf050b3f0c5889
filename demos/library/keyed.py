"""One conversation for each user, until agents can have a key.

With ``key = "payload.user"`` in `Conversation` this module goes, and `build` says
``system.spawn(lambda: Conversation(model, budget), start="beginning")``: then there is a
conversation for whoever asks, and nobody has to be known beforehand.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from urllib.parse import quote

from choreia import ActorSystem, on
from choreia.demos.library.conversation import MODEL_TIMEOUT, Conversation
from choreia.demos.library.events import (
    QuestionAsked,
    QuestionWithdrawn,
    SearchFound,
    UserArrived,
)
from choreia.demos.library.models.base import Model


def name_of(user: str) -> str:
    """The name of the agent: one segment of a topic, another one for each user."""
    return "conversation-" + quote(user, safe="", errors="surrogatepass").translate(_WORDS)


def spawn_conversations(
    system: ActorSystem, users: Iterable[str], model: Model, budget: int
) -> None:
    """An agent for each of `users`, which hears what has that user in its payload."""
    for user in users:
        conversation = partial(_for_user(user), model, budget)
        system.spawn(conversation, name=name_of(user), start="beginning")


# What `quote` leaves, but a name may not hold.
_WORDS = str.maketrans({"_": "_5F", ".": "_2E", "~": "_7E", "%": "_"})


def _for_user(user: str) -> type[Conversation]:
    mine = {"payload.user": {"$eq": user}}

    class ForUser(Conversation):
        @on(UserArrived, filter=mine)
        def greet(self, arrived: UserArrived) -> None:
            super().greet(arrived)

        @on(QuestionAsked, filter=mine)
        def ask(self, asked: QuestionAsked) -> None:
            super().ask(asked)

        @on(QuestionWithdrawn, filter=mine)
        def withdraw(self, withdrawn: QuestionWithdrawn) -> None:
            super().withdraw(withdrawn)

        @on(SearchFound, filter=mine, timeout=MODEL_TIMEOUT, cancel_on=QuestionWithdrawn)
        async def answer(self, found: SearchFound) -> None:
            await super().answer(found)

    return ForUser
