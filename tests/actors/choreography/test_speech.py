"""What an agent emits, read off its source."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from choreia.runtime.insight.choreography import Choreography, Player, Reaction

if TYPE_CHECKING:
    from tests.actors.choreography.conftest import Written

HEAD = """
    @event_type("T.placed", version="1.2.0")
    @attrs.frozen
    class Placed:
        id: int = 0

    @event_type("T.paid")
    @attrs.frozen
    class Paid:
        pass

    NOTED = "T.noted"
    TYPES = {"a": "T.a", "b": "T.b"}

    def made(n) -> Placed | None:
        return Placed()

    def say_it(teller, what):
        teller.emit(what)
        teller.emit("T.said")

    class Base(Agent):
        def _told(self) -> None:
            self.emit("T.told")

        def twice(self, event) -> None:
            self.emit("T.base")

    class Clerk(Base):
        kind = "T.kind"
        word: str

        def __init__(self):
            super().__init__()
            self.word = "west"
            self.other = Placed

        @property
        def _spoken(self):
            self.emit("T.property")

        def _made(self) -> Paid:
            return Paid()

        @on("T.begin")
        {handler}

    def build(system):
        system.spawn(Clerk, name="clerk")
"""

SAYS: dict[str, set[str] | None] = {
    'def h(self, e): self.emit("T.x")': {"T.x"},
    'def h(self, e): self.emit(type="T.x", payload={})': {"T.x"},
    "def h(self, e): self.emit(Placed(1))": {"T.placed"},
    "def h(me, e): me.emit_now(NOTED)": {"T.noted"},
    "async def h(self, e): await self.emit_now_async(Paid())": {"T.paid"},
    'def h(self, e): self.after(5, "T.later")': {"T.later"},
    "def h(self, e): self.at(5, Placed())": {"T.placed"},
    'def h(self, e): self.emit("T.x" if e else "T.y")': {"T.x", "T.y"},
    "def h(self, e): self.emit((e and Paid()) or Placed())": None,
    "def h(self, e): self.emit(self.kind)": {"T.kind"},
    'def h(self, e): self.emit(f"T.{self.word}")': {"T.west"},
    'def h(self, e): self.emit(f"T.of.{self.name}")': {"T.of.clerk"},
    'def h(self, e): self.emit(f"T.{e.type}.end")': {"T.#.end"},
    'def h(self, e): self.emit("T." + self.word)': {"T.west"},
    "def h(self, e): self.emit(TYPES[e.type])": {"T.a", "T.b"},
    "def h(self, e): self._told()": {"T.told"},
    "def h(self, e): super().twice(e)": {"T.base"},
    "def h(self, e): self.emit(self._made())": {"T.paid"},
    "def h(self, e): self.emit(made(1))": {"T.placed"},
    "def h(self, e): self._spoken": {"T.property"},
    "def h(self, e): say_it(self, NOTED)": {"T.noted", "T.said"},
    'def h(self, e): [self.emit(one) for one in (NOTED, "T.x")]': {"T.noted", "T.x"},
    'def h(self, e): (lambda: self.emit("T.x"))()': {"T.x"},
    'def h(self, e): yield "T.x", {}': {"T.x"},
    "def h(self, e): yield Placed()": {"T.placed"},
    "async def h(self, e): yield Paid()": {"T.paid"},
    'def h(self, e): self.emit(e.payload["type"])': None,
    "def h(self, e): self.emit(self.other())": None,
    'def h(self, e): emit = self.emit; emit("T.x")': None,
    "def h(self, e): yield from e": None,
    'def h(self, e): self.once("x", self._told)': {"T.told"},
    "def h(self, e): isinstance(self, Agent)": set(),
    'def h(self, e): e.emit("T.x")': set(),
}
"""None: it cannot be told, all of it."""
PARTLY: dict[str, set[str]] = {
    "def h(self, e): self.emit((e and Paid()) or Placed())": {"T.paid", "T.placed"},
}


@pytest.mark.parametrize("handler", SAYS)
def test_what_a_handler_says(written: Written, handler: str) -> None:
    clerk = _player(written(HEAD.replace("{handler}", handler)))
    reaction = _reaction(clerk, "h")
    expected = SAYS[handler]

    said = {_bare(one.type) for one in reaction.says}
    shown = PARTLY.get(handler, set()) if expected is None else expected
    assert said == {one[2:] for one in shown}
    assert reaction.open is (expected is None)


def test_payload_version_and_place_are_known(written: Written) -> None:
    source = HEAD.replace(
        "{handler}", 'def h(self, e): self.emit(Placed(1)); self.after(1, "T.x", {"n": 1})'
    )
    placed, later = _reaction(_player(written(source)), "h").says

    assert placed.payload is not None
    assert (placed.payload.version, placed.payload.name) == ("1.2.0", "Placed")
    assert placed.payload.schema["properties"] == {"id": {"type": "integer", "default": 0}}
    assert (placed.timer, later.timer) == (False, True)
    assert later.payload is not None
    assert later.payload.schema["required"] == ["n"]
    assert placed.place.file.startswith("written_")
    assert placed.place.line == _line(source, "self.emit(Placed(1))")


def test_a_method_that_nothing_calls_is_no_handler_of_anything(written: Written) -> None:
    clerk = _player(written(HEAD.replace("{handler}", "def h(self, e): pass")))

    assert {_bare(one.type) for one in clerk.unheard} == {"told"}
    # A public one may be called from outside.
    begun = _reaction(clerk, "twice")
    assert begun.begins
    assert {_bare(one.type) for one in begun.says} == {"base"}


def test_what_begins_by_itself(written: Written) -> None:
    source = """
    class Clerk(Agent):
        def on_start(self):
            self.emit("T.begun")

        @every(5)
        def tick(self, event):
            self.emit("T.ticked")

    def build(system):
        system.spawn(Clerk, name="clerk")
    """
    clerk = _player(written(source))

    assert _reaction(clerk, "on_start").begins
    tick = _reaction(clerk, "tick")
    assert tick.begins
    assert [ask.pattern for ask in tick.asks] == ["timer.clerk.tick"]


def test_functions_listen_and_say_nothing(written: Written) -> None:
    source = """
    def note(event): ...

    def build(system):
        system.subscribe("T.#", note, name="noter", passive=True)
        system.subscribe("T.x", note, name="other")
    """
    noter, other = written(source).players

    assert (noter.kind, noter.passive, other.passive) == ("subscription", True, False)
    assert other.reactions[0].asks[0].pattern.endswith(".x")
    assert other.place.line == 5


def _player(choreography: Choreography) -> Player:
    [player] = choreography.players
    return player


def _reaction(player: Player, name: str) -> Reaction:
    [found] = [one for one in player.reactions if one.name == name]
    return found


def _bare(type: str) -> str:
    return type.partition(".")[2]


def _line(source: str, part: str) -> int:
    """In the written file, which has three lines before it."""
    return 3 + source[: source.index(part)].count("\n") + 1
