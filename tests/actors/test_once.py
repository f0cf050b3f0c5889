"""`once` over a restart: what another process kept comes back as it would have come then."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from choreia import ActorSystem, Agent, Event, MemoryStore, Retry, on

calls: list[str] = []


async def paid(words: str) -> str:
    calls.append(words)
    return words.upper()


class Paying:
    async def __call__(self, words: str) -> str:
        return await paid(words)

    async def method(self, words: str) -> str:
        return await paid(words)


class Asking(Agent):
    retry = Retry(attempts=9, delay=1000, max_delay=1000)

    def __init__(self, fn: Callable[..., Any], fails: bool) -> None:
        super().__init__()
        self.fn = fn
        self.fails = fails

    @on("work")
    async def ask(self, event: Event) -> None:
        answer = await self.once("model", self.fn, "tea")
        if self.fails:
            raise ConnectionError("after the call")
        self.emit("answered", {"answer": answer})


def after_a_restart(fn: Callable[..., Any]) -> list[object]:
    """What was answered, when the call was made in a run before."""
    calls.clear()
    store = MemoryStore()
    with ActorSystem(mode="simulated", store=store) as system:
        system.spawn(lambda: Asking(fn, True), name="asking")
        system.publish("work")
        system.advance(1)
        system.stop(drain=False)
    with ActorSystem(mode="simulated", store=store) as system:
        system.spawn(lambda: Asking(fn, False), name="asking")
        system.wait_idle()
    return [one.event.payload["answer"] for one in store.read(pattern="answered")]


@pytest.mark.parametrize(
    "fn",
    [paid, functools.partial(paid), Paying().method, Paying()],
    ids=["function", "partial", "method", "object"],
)
def test_what_a_coroutine_function_gave_is_awaited_in_the_next_run_too(
    fn: Callable[..., Any],
) -> None:
    assert after_a_restart(fn) == ["TEA"]
    assert calls == ["tea"]
