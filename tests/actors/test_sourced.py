"""Agents whose state is a fold of what they said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import attrs
import pytest

from choreia import (
    ActorSystem,
    Agent,
    Event,
    EventSourcedAgent,
    GiveUp,
    InvalidAgent,
    InvalidStore,
    MemoryStore,
    Restart,
    Retry,
    UnknownAgent,
    applies,
    event_type,
    on,
)


@event_type("note.taken")
@attrs.frozen
class NoteTaken:
    text: str


@attrs.frozen
class Notes:
    texts: tuple[str, ...] = ()
    typed: int = 0

    @applies("note.*")
    def any_note(self, event: Event) -> Notes:
        return attrs.evolve(self, texts=(*self.texts, event.payload["text"]))

    @applies(NoteTaken)
    def taken(self, note: NoteTaken) -> Notes:
        assert isinstance(note, NoteTaken)
        return attrs.evolve(self, typed=self.typed + 1)


class Writer(EventSourcedAgent[Notes]):
    retry = Retry(attempts=2, delay=0.01)

    @on("write")
    def write(self, event: Event) -> None:
        before = len(self.state.texts)
        for text in event.payload["texts"]:
            self.emit(NoteTaken(text))
        assert len(self.state.texts) == before + len(event.payload["texts"]), "at once"
        if event.payload.get("fails"):
            raise GiveUp("no")

    @on("both")
    def both(self, event: Event) -> None:
        self.emit("note.later", {"text": "buffered"})
        self.emit_now("note.first", {"text": "at once"})
        assert self.state.texts[-2:] == ("at once", "buffered"), "as the log will have it"
        if event.payload.get("fails"):
            raise GiveUp("no")

    @on("stream")
    def stream(self, event: Event) -> Iterator[tuple[str, dict[str, str]]]:
        yield "note.one", {"text": "one"}
        assert self.state.texts[-1] == "one"
        yield "note.two", {"text": "two"}

    def on_receive(self, message: object) -> tuple[str, ...]:
        return self.state.texts


@pytest.mark.parametrize("store", [None, MemoryStore])
def test_state_changes_with_what_is_said_and_is_taken_back_with_it(store: Any) -> None:
    with ActorSystem(mode="simulated", store=store and store()) as system:
        ref = system.spawn(Writer)
        system.publish("write", {"texts": ["a", "b"]})
        system.publish("write", {"texts": ["lost"], "fails": True})
        system.publish("write", {"texts": ["c"]})
        system.wait_idle()
        assert ref.ask("?") == ("a", "b", "c")
        agent: Any = system._roster.cell("writer").turn.agent
        assert agent.state.typed == 3


@pytest.mark.parametrize("store", [None, MemoryStore])
def test_what_leaves_at_once_stays_though_the_handler_raises(store: Any) -> None:
    with ActorSystem(mode="simulated", store=store and store()) as system:
        ref = system.spawn(Writer)
        system.publish("both", {"fails": True})
        system.publish("both")
        system.publish("stream")
        system.wait_idle()
        assert ref.ask("?") == ("at once", "at once", "buffered", "one", "two")


def test_the_state_is_there_again_and_equals_a_fold_of_the_log() -> None:
    store = MemoryStore()
    seen: list[tuple[str, ...]] = []
    for n in range(3):
        with ActorSystem(mode="simulated", store=store) as system:
            ref = system.spawn(Writer)
            system.publish("write", {"texts": [f"text {n}"]})
            system.publish("both")
            system.wait_idle()
            seen.append(ref.ask("?"))
    said = [event.payload["text"] for event in store.get_events("did:choreia:local:writer")
            if event.type.startswith("note.")]  # fmt: skip
    assert seen[-1] == tuple(said)
    assert [len(one) for one in seen] == [3, 6, 9]


def test_a_new_instance_of_a_running_agent_has_the_state_of_the_log() -> None:
    store = MemoryStore()
    with ActorSystem(mode="simulated", store=store) as system:
        ref = system.spawn(Writer)
        system.publish("write", {"texts": ["a", "b"]})
        system.wait_idle()
        system.restart("writer")
        system.publish("write", {"texts": ["c"]})
        system.wait_idle()
        assert ref.ask("?") == ("a", "b", "c")
        assert system.inspect().agent("writer").incarnation == 2


def test_what_the_instance_before_has_done_is_part_of_the_state_of_the_next() -> None:
    """Though it was not on disk yet when that one was replaced."""
    for seed in range(30):
        store = MemoryStore()
        with ActorSystem(mode="simulated", seed=seed, store=store) as system:
            ref = system.spawn(Writer, restart=Restart(failures=1, max_restarts=99, window=1e9))
            system.publish_many(
                ("write", {"texts": [f"{n}"], "fails": n % 3 == 0}) for n in range(1, 20)
            )
            system.wait_idle()
            assert ref.ask("?") == tuple(f"{n}" for n in range(1, 20) if n % 3)
            assert system.inspect().agent("writer").incarnation > 1


def test_without_a_store_each_instance_begins_anew() -> None:
    with ActorSystem(mode="simulated") as system:
        ref = system.spawn(Writer)
        system.publish("write", {"texts": ["a"]})
        system.wait_idle()
        system.restart("writer")
        system.wait_idle()
        assert ref.ask("?") == ()


def test_an_emission_that_the_state_cannot_take_is_not_made() -> None:
    @attrs.frozen
    class Picky:
        count: int = 0

        @applies("counted")
        def counted(self, event: Event) -> Picky:
            if event.payload["n"] < 0:
                raise ValueError("negative")
            return Picky(self.count + 1)

    class Counter(EventSourcedAgent[Picky]):
        @on("count")
        def count(self, event: Event) -> None:
            for n in (1, -1, 2):
                try:
                    self.emit("counted", {"n": n})
                except ValueError:
                    self.emit("refused", {"n": n})

    heard: list[tuple[str, int]] = []
    with ActorSystem(mode="simulated") as system:
        system.spawn(Counter)
        system.subscribe("*", lambda event: heard.append((event.type, event.payload.get("n"))))
        system.publish("count")
    assert heard == [("count", None), ("counted", 1), ("refused", -1), ("counted", 2)]


# -- what is wrong is said where it is written -----------------------------------------------------


def test_a_state_is_made_of_its_own_agents_events() -> None:
    with pytest.raises(InvalidAgent, match=r"applies .note\.taken., which Silent does not emit"):

        class Silent(EventSourcedAgent[Notes]):
            emits = ("something.else",)


def test_what_is_no_state_is_refused() -> None:
    @attrs.frozen
    class Idle:
        pass

    @attrs.frozen
    class Needy:
        given: int

        @applies("x")
        def x(self, event: Event) -> Needy:
            return self

    with pytest.raises(InvalidAgent, match="no method marked with @applies"):

        class A(EventSourcedAgent[Idle]): ...

    with pytest.raises(InvalidAgent, match="give its fields defaults"):

        class B(EventSourcedAgent[Needy]): ...

    with pytest.raises(InvalidAgent, match="@applies needs a topic"):
        applies(7)  # type: ignore[arg-type]
    with pytest.raises(InvalidAgent, match="an @event_type class"):
        applies(int)
    with ActorSystem(mode="simulated") as system:

        class C(EventSourcedAgent):  # type: ignore[type-arg]
            pass

        with pytest.raises(InvalidAgent, match="derive from EventSourcedAgent"):
            system.spawn(C)


def test_a_method_must_return_the_next_state() -> None:
    @attrs.frozen
    class Broken:
        @applies("x")
        def x(self, event: Event) -> None: ...

    class Emits(EventSourcedAgent[Broken]):
        @on("go")
        def go(self, event: Event) -> None:
            self.emit("x")

    with ActorSystem(mode="simulated") as system:
        system.spawn(Emits, retry=None)
        system.publish("go")
        system.wait_idle()
        [letter] = system.dead_letters()
    assert "returned a NoneType: it must return the next Broken" in str(letter.error)


S = TypeVar("S", bound=Notes)


class Between(EventSourcedAgent[S], Generic[S]):
    @on("write")
    def write(self, event: Event) -> None:
        self.emit("note.x", {"text": "x"})


class Last(Between[Notes]):
    def on_receive(self, message: object) -> object:
        return self.state.texts


def test_the_state_may_be_named_by_a_class_that_derives_from_a_generic_one() -> None:
    with ActorSystem(mode="simulated") as system:
        ref = system.spawn(Last)
        system.publish("write")
        system.wait_idle()
        assert ref.ask("?") == ("x",)


def test_plain_agents_have_no_state_of_this_kind() -> None:
    assert not hasattr(Agent, "state")


# -- the system tells states -------------------------------------------------------------------


@pytest.mark.parametrize("store", [None, MemoryStore])
def test_the_system_tells_a_state_now_and_as_it_was(store: Any) -> None:
    with ActorSystem(mode="simulated", store=store and store()) as system:
        system.spawn(Writer)
        assert system.state("writer") == Notes()
        for text in ("a", "b", "c"):
            system.publish("write", {"texts": [text]}, id=text)
            system.wait_idle()
        now: Any = system.state("writer")
        assert now.texts == ("a", "b", "c")
        if store is None:
            with pytest.raises(InvalidStore, match="no store"):
                system.state("writer", at=1)
            return
        first, second, _ = system.store.read(pattern="note.*")
        for moment in (first.position, first.event.id, second.position - 1):
            state: Any = system.state("writer", at=moment)
            assert state.texts == ("a",), moment
        whole: Any = system.state("writer", at=system.store.head)
        assert whole == now


@pytest.mark.parametrize("store", [None, MemoryStore])
def test_the_system_tells_the_state_of_a_key_that_sleeps_and_wakes_nobody(store: Any) -> None:
    class Diary(Writer):
        key = "payload.of"
        sleep_after = 1.0

    with ActorSystem(mode="simulated", store=store and store()) as system:
        system.spawn(Diary)
        system.publish("write", {"of": "Ann:x", "texts": ["a"]})
        system.wait_idle()
        for _ in range(2):
            state: Any = system.state("diary", key="Ann:x")
            assert state.texts == ("a",)
            assert system.state("diary:Ann%3Ax") == state
            system.advance(10)
        assert system.state("diary", key="nobody") == Notes()
        assert [one.name for one in system.inspect().agents if ":" in one.name] == []
        with pytest.raises(InvalidAgent, match="say whose"):
            system.state("diary")
        with pytest.raises(UnknownAgent):
            system.state("other", key="x")
        with pytest.raises(InvalidAgent, match="no EventSourcedAgent"):
            system.state("registry")


@pytest.mark.parametrize("key", [None, "payload.of"])
@pytest.mark.parametrize("store", [None, MemoryStore])
def test_what_a_timer_says_in_the_agents_name_is_part_of_its_state(
    store: Any, key: str | None
) -> None:
    class Reminding(Writer):
        @on("remind")
        def remind(self, event: Event) -> None:
            self.emit("note.now", {"text": "now"})
            self.after(5, "note.later", {"text": "later"})
            self.after(9, "note.never", {"text": "never"}, key="n")
            self.after(9, "note.last", {"text": "last"})

        @on("calm")
        def calm(self, event: Event) -> None:
            self.cancel("n")

    log = store and store()
    name = "reminding" if key is None else "reminding:x"
    with ActorSystem(mode="simulated", store=log) as system:
        system.spawn(Reminding, key=key)
        system.publish("remind", {"of": "x"})
        system.advance(6)
        assert system.state(name) == Notes(("now", "later"))
        system.publish("calm", {"of": "x"})
        system.advance(6)
        system.wait_idle()
        assert system.state(name) == Notes(("now", "later", "last"))
    if log is not None:
        with ActorSystem(mode="simulated", store=log) as system:
            system.spawn(Reminding, key=key)
            system.publish("calm", {"of": "x"})
            system.wait_idle()
            assert system.state(name) == Notes(("now", "later", "last"))
            assert log.timers() == []


@pytest.mark.parametrize("store", [None, MemoryStore])
def test_what_the_state_cannot_take_is_not_said_by_a_timer_either(store: Any) -> None:
    class Wrong(Writer):
        @on("remind")
        def remind(self, event: Event) -> None:
            self.after(5, "note.later", {"no text": "?"})

    with ActorSystem(mode="simulated", store=store and store()) as system:
        system.spawn(Wrong, name="writer")
        system.publish("remind", {})
        system.advance(6)
        system.publish("write", {"texts": ["a"]})
        system.wait_idle()
        assert [letter.agent for letter in system.dead_letters()] == ["writer"]
        assert system.state("writer") == Notes(("a",), 1)
        if store is not None:
            assert system.store.timers() == []
            assert list(system.store.read(pattern="note.later")) == []


def test_an_event_that_is_handled_again_does_not_count_twice() -> None:
    """What it says is in the log already, so the state is made of it once."""
    store = MemoryStore()

    class Often(Writer):
        snapshot_every = 1

    for _ in range(2):
        with ActorSystem(mode="simulated", store=store) as system:
            ref = system.spawn(Often, name="writer")
            event = system.publish("write", {"texts": ["a"]})
            system.wait_idle()
            for _ in range(3):
                ref.tell(event)
            system.wait_idle()
            said = [one.event.payload["text"] for one in store.read(pattern="note.*")]
            state: Any = system.state("writer")
            assert state.texts == tuple(said)


@attrs.frozen
class Everything:
    types: tuple[str, ...] = ()

    @applies("#")
    def any(self, event: Event) -> Everything:
        return Everything((*self.types, event.type))


def test_what_the_runtime_says_of_an_agent_is_no_part_of_its_state() -> None:
    class Greedy(EventSourcedAgent[Everything]):
        @on("write")
        def write(self, event: Event) -> None:
            self.emit("said")
            if event.payload["fails"]:
                raise GiveUp("no")

    store = MemoryStore()
    for life in range(2):
        with ActorSystem(mode="simulated", store=store) as system:
            system.spawn(Greedy)
            system.publish("write", {"fails": True})
            system.publish("write", {"fails": False})
            system.wait_idle()
            assert system.state("greedy") == Everything(("said",) * (life + 1))
            assert system.state("greedy", at=store.head) == system.state("greedy")


def test_what_was_erased_does_not_come_back_in_a_snapshot() -> None:
    store = MemoryStore()

    class Often(Writer):
        snapshot_every = 1

    with ActorSystem(mode="simulated", store=store) as system:
        system.spawn(Often, name="writer")
        first = system.publish("write", {"texts": ["secret"]})
        system.wait_idle()
        assert store.snapshot("did:choreia:local:writer") is not None
        store.erase(correlation_id=first.id, reason="asked", now=1.0)
        system.publish("write", {"texts": ["b"]})
        system.wait_idle()
    assert store.snapshot("did:choreia:local:writer") is None
    with ActorSystem(mode="simulated", store=store) as system:
        system.spawn(Often, name="writer")
        system.wait_idle()
        assert system.state("writer") == Notes(("b",), 1)
