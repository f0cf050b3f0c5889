"""The verbs, and who answers each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from choreia.actors.inspecting.arguments import Arguments
from choreia.actors.inspecting.control import CHANGING, Control
from choreia.actors.inspecting.detail import detail
from choreia.actors.inspecting.events import events
from choreia.actors.inspecting.sampler import OFTEN, PARTS, Sampler
from choreia.actors.inspecting.stories import Stories
from choreia.runtime.events.display import plain
from choreia.runtime.inspection.answering import Answer
from choreia.runtime.inspection.frames import Fields, Refusal
from choreia.runtime.inspection.peers import Peer

if TYPE_CHECKING:
    from choreia.actors.roster import Roster

LOOKING: Final = ("hello", "snapshot", "agent", "events", "cases", "trace", "deadletters")
SLOW: Final = frozenset({"cases", "trace", *CHANGING})
MOST_AGENTS: Final = 100_000
MOST_LETTERS: Final = 1_000


class Desk:
    """Answers whoever looks at one system (`choreia.runtime.inspection.answering.Answers`)."""

    def __init__(
        self,
        roster: Roster,
        sampler: Sampler,
        stories: Stories,
        control: Control,
        hello: Fields,
        redacted: tuple[str, ...],
    ) -> None:
        self._roster = roster
        self._sampler = sampler
        self._stories = stories
        self._control = control
        self._redacted = redacted
        self._hello: Fields = {
            **hello,
            "control": control.why_not is None,
            "verbs": [*LOOKING, *CHANGING],
        }

    def is_slow(self, verb: str) -> bool:
        return verb in SLOW

    def answer(self, verb: str, args: Mapping[str, object], peer: Peer) -> Answer:
        given = Arguments(verb, args)
        match verb:
            case "hello":
                given.end()
                return self._hello
            case "snapshot":
                return self._snapshot(given)
            case "agent":
                return self._agent(given)
            case "events":
                return events(self._sampler.trail, given, self._redacted)
            case "cases":
                return self._stories.cases(given)
            case "trace":
                return self._stories.trace(given)
            case "deadletters":
                return self._letters(given)
            case _ if verb in CHANGING:
                return self._control.change(verb, given, peer)
            case _:
                known = ", ".join((*LOOKING, *CHANGING))
                raise Refusal("unknown_verb", f"no verb {plain(verb, 40)!r}: there are {known}")

    def _snapshot(self, args: Arguments) -> Answer:
        every = args.seconds("every", OFTEN)
        parts = args.words("parts", ("agents",), PARTS)
        limit = args.number("limit", 1_000, MOST_AGENTS)
        args.end()
        if every is None:
            return self._sampler.frame(parts, limit)
        return self._sampler.stream(every, parts, limit)

    def _agent(self, args: Arguments) -> Fields:
        name, payloads = args.text("name"), args.flag("payloads")
        args.end()
        cell = self._roster.there(name)
        if cell is None:
            raise Refusal("unknown", f"no agent named {plain(name, 80)!r} is awake here")
        letters = self._sampler.letters(20, cell.agent, payloads=payloads)
        return {
            **self._sampler.row(cell),
            **detail(cell, self._sampler.trail, self._redacted, payloads=payloads),
            "dead_letters": letters,
        }

    def _letters(self, args: Arguments) -> Fields:
        agent, payloads = args.maybe_text("agent"), args.flag("payloads")
        limit = args.number("limit", 100, MOST_LETTERS)
        args.end()
        letters = self._sampler.letters(limit, agent, payloads=payloads)
        return {"letters": letters, "total": self._sampler.letter_count(agent)}
