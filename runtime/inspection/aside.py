"""Slow answers: on a thread each, so that nobody else waits for them.

There are so many at once at most: whoever asks, goes away, and comes again to ask, while an answer
hangs, would otherwise fill the system that is looked at with threads.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from choreia.runtime.inspection import real
from choreia.runtime.inspection.answering import Answer, Stream, end
from choreia.runtime.inspection.connection import Connection
from choreia.runtime.inspection.frames import Request

MOST: Final = 8

Answered = Answer | BaseException
Done = tuple[Connection, Request, Answered, float]
"""Who asked, what, what there is to say, and what that took: seconds of computing."""


class Aside:
    """Used by the thread that serves, but for `threads`.

    `answer` gives what there is to say, and raises nothing; `wake` is called when it has.
    """

    def __init__(
        self, answer: Callable[[Connection, Request], Answered], wake: Callable[[], None]
    ) -> None:
        self._answer = answer
        self._wake = wake
        self._done: deque[Done] = deque()
        self._threads: list[threading.Thread] = []
        self._over = False

    def begin(self, client: Connection, asked: Request) -> bool:
        """Answer it in a while: whether there is a thread for it."""
        self._threads = [one for one in self._threads if one.is_alive()]
        if len(self._threads) >= MOST:
            return False
        thread = threading.Thread(
            target=self._run, args=(client, asked), name="choreia-inspect-slow", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:  # no more threads; or Python is ending
            return False
        self._threads.append(thread)
        return True

    def done(self) -> Iterator[Done]:
        """What has been answered since."""
        while self._done:
            yield self._done.popleft()

    def threads(self) -> list[threading.Thread]:
        """To be joined."""
        return list(self._threads)

    def end(self) -> None:
        """Nobody waits for answers any more."""
        self._over = True
        self._let_go()

    def _run(self, client: Connection, asked: Request) -> None:
        self._done.append((client, asked, self._answer(client, asked), real.cpu()))
        self._wake()
        if self._over:
            self._let_go()

    def _let_go(self) -> None:
        while True:
            try:
                answer = self._done.popleft()[2]
            except IndexError:
                return
            if isinstance(answer, Stream):
                end(answer)
