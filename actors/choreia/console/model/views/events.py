"""Events: what is being said, as it is said."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

from choreia.console.model.asks import Follow, Unfollow
from choreia.console.model.cells import numbers, words
from choreia.console.model.column import Column
from choreia.console.model.listing import Listing
from choreia.console.model.moment import Moment
from choreia.console.model.prompt import Prompt
from choreia.console.model.screen import Screen
from choreia.console.model.stage import Stage
from choreia.console.model.view import Subject
from choreia.console.model.wording import many, time_of_day
from choreia.runtime.errors import ChoreiaError
from choreia.runtime.events.display import brief
from choreia.runtime.events.filter import Filter
from choreia.runtime.events.topic import TopicPattern
from choreia.runtime.inspection.frames import Problem
from choreia.runtime.inspection.reading import Fields, count_of, number_of, rows_of, text_of

KEPT: Final = 5_000
AT_FIRST: Final = 500
"""Events of before that are asked for."""
ALL: Final = "#"


class Events(Screen[Fields]):
    """View 3. `trace` shows what came of an event."""

    title = "Events"

    def __init__(self, stage: Stage, trace: Callable[[str], None]) -> None:
        face = stage.face
        self._columns: Sequence[Column[Fields]] = (
            words("time", face, _time, least=12, most=12, rank=1),
            words("type", face, _type, least=10, most=32, rank=0),
            words("from", face, _agent, least=8, most=20, rank=2),
            words("case", face, _case, least=10, most=32, rank=4, is_id=True),
            numbers("hops", lambda row: number_of(row, "hops"), many, width=5, rank=5),
            words("id", face, _id, least=10, most=36, rank=6, is_id=True),
        )
        payload = words("payload", face, payload_text, least=30, most=400, rank=3)
        self._with_payload = (*self._columns, payload)
        listing = Listing(face, self._columns, key=_id, text=_text, is_fault=_is_fault)
        super().__init__(stage, listing)
        self._trace = trace
        self._said = ""  # topic and filter, as they were typed
        self._topic, self._filter = ALL, cast("Fields | None", None)
        self._known: dict[str, Fields] = {}  # by id, the oldest first
        self._missed = 0
        self._newest = True
        self._open = False

    # -- the stream -------------------------------------------------------------------------------

    def opened(self) -> None:
        self._open = True
        self._begin()

    def left(self) -> None:
        self._open = False
        self.stage.ask(Unfollow())

    def reload(self) -> None:
        if self._open:
            self._begin()

    def _begin(self) -> None:
        # What was known is let go: nobody looked since, and a gap in it would not be seen.
        self._known.clear()
        self._missed = 0
        self.problem = ""
        self.listing.columns = self._with_payload if self.stage.payloads else self._columns
        self.listing.set(())
        args: dict[str, object] = {
            "topic": self._topic,
            "filter": self._filter,
            "limit": AT_FIRST,
            "follow": True,
            "payloads": self.stage.payloads,
        }
        self.stage.ask(Follow(args))

    def stream(self, data: Fields) -> None:
        """A piece of the stream."""
        for event in rows_of(data, "events"):
            self._known.setdefault(_id(event), event)
        while len(self._known) > KEPT:
            del self._known[next(iter(self._known))]
        self._missed += count_of(data, "missed")
        self.problem = ""
        if not self.stage.paused or not self.listing.total:
            self._arrange()

    def answer(self, what: str, data: Fields | None, problem: Problem | None) -> None:
        if problem is not None:
            self.problem = problem.message
            self.stage.say(problem.message, "bad")

    def show(self, moment: Moment) -> None:
        if not self.stage.paused:
            self._arrange()

    def _arrange(self) -> None:
        self.listing.set(list(self._known.values()))
        if self._newest:
            self.listing.select_last()

    # -- keys -------------------------------------------------------------------------------------

    def press(self, key: str) -> bool:
        if key == "f":
            self._newest = not self._newest
            if self._newest:
                self.listing.select_last()
            return True
        if key in ("j", "k", "g", "up", "down", "home", "pageup", "pagedown", "n"):
            self._newest = False  # who moves about wants to stay there
        if key == "esc" and not super().press(key):
            if not self._said:
                return False
            self.narrow("")
            return True
        return key == "esc" or super().press(key)

    def filter_prompt(self) -> Prompt:
        local = self.listing.filter
        return Prompt(
            "topic {filter}, or /regex/: ", local.said if local else self._said, self.narrow
        )

    def narrow(self, said: str) -> None:
        """A topic and maybe a filter, which the system looks at; or a regex, looked at here."""
        said = said.strip()
        if said.startswith("!"):
            super().narrow(said)
        elif len(said) > 1 and said.startswith("/") and said.endswith("/"):
            super().narrow(said[1:-1])
        else:
            self._ask_for(said)

    def topic(self, topic: str) -> None:
        """Only the events of this topic, from when the view is seen."""
        self._said, self._topic, self._filter = topic, topic, None
        self._newest = True
        self.listing.filter = None

    def _ask_for(self, said: str) -> None:
        try:
            topic, filter = parse(said)
        except (ChoreiaError, ValueError) as error:
            self.stage.say(str(error), "bad")
            return
        self.listing.filter = None
        self._said, self._topic, self._filter = said, topic, filter
        self._begin()

    # -- what is seen -----------------------------------------------------------------------------

    def enter(self, row: Fields) -> None:
        self._trace(_id(row))

    def subject(self) -> Subject:
        row = self.listing.selected
        if row is None:
            return Subject()
        id = _id(row)
        return Subject(id, _agent(row), id, id)

    def note(self) -> str:
        missed = f"{self._missed:,} came too fast to be looked at" if self._missed else ""
        newest = "follows the newest" if self._newest else ""
        return ", ".join(filter(None, (self._said, newest, missed)))

    def empty(self) -> str:
        if self._said:
            return f"no event of {self._said} yet (Esc: all events)"
        return "no events yet"


def parse(said: str) -> tuple[str, Fields | None]:
    """``order.# {"payload.total": {"$gt": 5}}``. Raises `ChoreiaError` or `ValueError`."""
    topic, brace, rest = said.partition("{")
    topic = topic.strip() or ALL
    TopicPattern(topic)
    if not brace:
        return topic, None
    try:
        fields: object = json.loads(brace + rest)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the filter is no JSON object: {error}") from None
    if not isinstance(fields, dict):
        raise ValueError('the filter is no JSON object, such as {"payload.total": 5}')
    Filter(cast("dict[str, object]", fields))
    return topic, cast("dict[str, object]", fields)


def payload_text(event: Fields) -> str:
    """The payload, if it is there."""
    payload = event.get("payload")
    return brief(cast("Mapping[str, object]", payload), 400) if isinstance(payload, Mapping) else ""


def _time(row: Fields) -> str:
    return time_of_day(number_of(row, "time"))


def _id(row: Fields) -> str:
    return text_of(row, "id")


def _case(row: Fields) -> str:
    return text_of(row, "case")


def _type(row: Fields) -> str:
    return text_of(row, "type")


def _agent(row: Fields) -> str:
    return text_of(row, "agent")


def _is_fault(row: Fields) -> bool:
    return _type(row) in ("event.dead_lettered", "agent.suspected_failure", "saga.stuck")


def _text(row: Fields) -> str:
    ids = f"{text_of(row, 'id')} {text_of(row, 'case')}"
    return f"{_type(row)} {_agent(row)} {text_of(row, 'source')} {ids} {payload_text(row)}"
