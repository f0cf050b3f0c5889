"""What is kept beside the log, and who would take care of it: V04, V06, V08."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from choreia.actors.checking.code import Code
from choreia.actors.checking.finding import Finding
from choreia.runtime.stores.base import EventStore
from choreia.runtime.stores.unit import SetTimer

_GUESSED = "; if it is spawned under another name than its class's, check MODULE:build"


def check_timers(store: EventStore, code: Code) -> list[Finding]:
    """Timers whose agent is gone, or whose event nobody subscribes to."""
    return _counted(
        finding for timer in store.timers() if (finding := _timer(timer, code)) is not None
    )


def _timer(timer: SetTimer, code: Code) -> Finding | None:
    event = timer.event
    about = (event.type, event.metadata.version, timer.agent)
    if not code.named(timer.agent):
        return Finding(
            "V04",
            f"a timer of agent {timer.agent!r}, which is not in the code: it will not fire",
            "keep an agent of that name, or cancel its timers before" + _unless_built(code),
            *about,
        )
    # Schedules need nobody: an agent that has no such method any more cancels them itself.
    if timer.schedule or code.subscribes(event.type):
        return None
    return Finding(
        "V04",
        f"a timer of agent {timer.agent!r} will fire, and no agent subscribes to its event",
        f"keep a handler @on({event.type!r}), or cancel the timer before",
        *about,
    )


def check_cursors(store: EventStore, code: Code) -> list[Finding]:
    """Agents that have read in the log and are not spawned any more; only if the names are known.

    Whether there is anything left for them cannot be told, since their topics are not known.
    """
    if not code.built:
        return []
    return [
        Finding(
            "V06",
            f"agent {cursor.agent!r} has come to position {cursor.position}, and is not spawned: "
            "nobody handles what comes behind that",
            "spawn it under that name, if it was only renamed; else there is nothing to do",
            agent=cursor.agent,
            position=cursor.position,
            warning=True,
        )
        for cursor in store.cursors()
        if not code.named(cursor.agent)
    ]


def check_letters(store: EventStore, code: Code) -> list[Finding]:
    """Dead letters, kept or on their way back, that their agents do not handle any more."""
    return _counted(
        Finding(
            "V08",
            f"dead letters of agent {letter.agent!r}, which does not handle them any more",
            "redeliver them before, or drop them: choreia deadletters" + _unless_built(code),
            letter.event.type,
            letter.event.metadata.version,
            letter.agent,
            warning=True,
        )
        for letter in store.letters()
        if not any(agent.subscribes(letter.event.type) for agent in code.named(letter.agent))
    )


def _unless_built(code: Code) -> str:
    return "" if code.built else _GUESSED


def _counted(found: Iterable[Finding]) -> list[Finding]:
    """Each once, with how many there are."""
    counts: dict[Finding, int] = {}
    for finding in found:
        counts[finding] = counts.get(finding, 0) + 1
    return [attrs.evolve(finding, count=count) for finding, count in counts.items()]
