"""Keyed agents: an instance for each key, on demand, in order, asleep when idle, itself again when
woken; with and without a store."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from choreia import (
    ActorSystem,
    Agent,
    ChoreiaError,
    Event,
    EventSourcedAgent,
    GiveUp,
    InvalidAgent,
    MailboxFull,
    Retry,
    UnknownAgent,
    applies,
    every,
    on,
)

if TYPE_CHECKING:
    from tests.actors.conftest import Feed, Hear, Until


@pytest.fixture(params=["memory", "log"])
def feed(request: pytest.FixtureRequest) -> Feed:
    chosen: Feed = request.param
    return chosen


@attrs.frozen
class Said:
    texts: tuple[str, ...] = ()

    @applies("memory.updated")
    def updated(self, event: Event) -> Said:
        return Said((*self.texts, event.payload["text"]))


class Conversation(EventSourcedAgent[Said]):
    key = "payload.user"
    sleep_after = 10.0
    retry = Retry(attempts=2, delay=1.0)

    @on("said")
    def hear(self, event: Event) -> None:
        assert str(event.payload["user"]) == self.my_key
        self.emit("memory.updated", {"text": event.payload["text"]})
        if event.payload["text"] == "poison":
            raise RuntimeError("no")

    def on_receive(self, message: object) -> object:
        return self.state.texts


class Counting(Agent):
    """Keeps its count in an attribute."""

    key = "payload.user"
    sleep_after = 10.0
    made = 0

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Any] = []
        type(self).made += 1

    @on("said")
    def hear(self, event: Event) -> None:
        self.seen.append(event.payload["text"])

    def on_receive(self, message: object) -> object:
        return tuple(self.seen)


def say(system: ActorSystem, user: object, *texts: object) -> None:
    for text in texts:
        system.publish("said", {"user": user, "text": text})


def awake(system: ActorSystem, name: str = "conversation") -> set[str]:
    agents = system.inspect().agents
    return {one.name for one in agents if one.name.startswith(f"{name}:")}


# -- instances ----


def test_each_key_has_an_instance_which_gets_its_events_in_order(system: ActorSystem) -> None:
    system.spawn(Conversation)
    for n in range(50):
        say(system, f"u{n % 5}", str(n))
    system.wait_idle(10)
    for user in range(5):
        texts = system.ref("conversation", key=f"u{user}").ask("?")
        assert texts == tuple(str(n) for n in range(user, 50, 5))
    assert awake(system) == {f"conversation:u{n}" for n in range(5)}


def test_an_instance_has_a_name_and_a_did_of_its_own(system: ActorSystem, hear: Hear) -> None:
    heard = hear("memory.updated")
    system.spawn(Conversation)
    say(system, "Ann Lee:%/ü", "hi")
    say(system, 7, "a number")
    say(system, "7", "is the same key as its digits")
    system.wait_idle(10)
    sources = [event.source.removeprefix("did:choreia:local:") for event in heard]
    assert sorted(sources) == [*["conversation:7"] * 2, "conversation:Ann%20Lee%3A%25%2F%C3%BC"]
    assert system.ref("conversation", key="Ann Lee:%/ü").ask("?") == ("hi",)
    assert system.ref("conversation:7").ask("?") == ("a number", "is the same key as its digits")
    with pytest.raises(ChoreiaError, match="source"):
        system.publish(Event(type="x", source=heard[0].source, payload={}))


@pytest.mark.parametrize("user", [None, 1.5, True, "", "x" * 513, [1], {"a": 1}])
def test_an_event_without_a_key_is_a_dead_letter_and_nobody_elses(
    system: ActorSystem, user: object
) -> None:
    system.spawn(Conversation)
    say(system, user, "whose?")
    system.publish("said", {"text": "no field"})
    say(system, "ann", "hi")
    system.wait_idle(10)
    letters = system.dead_letters()
    assert [(one.agent, one.reason) for one in letters] == [("conversation", "gave_up")] * 2
    assert "no key at payload.user" in str(letters[0].error)
    assert system.ref("conversation", key="ann").ask("?") == ("hi",)


@pytest.mark.parametrize(
    ("path", "payload", "key"),
    [
        ("payload.a.b", {"a": {"b": "deep"}}, "deep"),
        ("type", {}, "said"),
        ("source", {}, "outside"),
        ("metadata.tenant", {}, "acme"),
        ("metadata.correlationId", {}, "case-1"),
    ],
)
def test_where_the_key_stands(
    system: ActorSystem, path: str, payload: dict[str, Any], key: str
) -> None:
    seen: list[str] = []

    class Keyed(Agent):
        @on("said")
        def hear(self, event: Event) -> None:
            seen.append(self.my_key)

    system.spawn(Keyed, key=path)
    system.publish(
        Event(
            type="said",
            source="outside",
            payload=payload,
            metadata={"correlationId": "case-1", "tenant": "acme"},
        )
    )
    system.wait_idle(10)
    assert seen == [key]


# -- sleeping and waking ----


@pytest.mark.parametrize("kind", [Conversation, Counting])
def test_who_is_idle_sleeps_and_is_itself_again_when_it_wakes(
    sim: ActorSystem, kind: type[Agent]
) -> None:
    sim.spawn(kind, name="conversation")
    say(sim, "ann", "1", "2")
    sim.wait_idle()
    sim.advance(6)
    say(sim, "bob", "x")
    sim.wait_idle()
    sim.advance(6)
    assert awake(sim) == {"conversation:bob"}
    say(sim, "ann", "3")
    sim.wait_idle()
    assert sim.ref("conversation", key="ann").ask("?") == ("1", "2", "3")
    sim.advance(30)
    assert awake(sim) == set()
    assert sim.ref("conversation", key="bob").ask("?") == ("x",), "an ask wakes it, too"


def test_without_a_store_a_kept_instance_is_the_same_and_not_begun_again(sim: ActorSystem) -> None:
    said: list[str] = []

    class Hooked(Counting):
        def on_start(self) -> None:
            said.append(f"start {self.my_key}")

        def on_stop(self) -> None:
            said.append(f"stop {self.my_key}")

    sim.spawn(Hooked, name="conversation")
    Counting.made = Hooked.made = 0
    for _ in range(3):
        say(sim, "ann", "x")
        sim.wait_idle()
        sim.advance(30)
        assert awake(sim) == set()
    assert (Hooked.made, said) == (1, ["start ann"])


def test_an_event_sourced_one_has_last_words_and_begins_anew(sim: ActorSystem) -> None:
    said: list[str] = []

    class Parting(Conversation):
        def on_start(self) -> None:
            said.append(f"start {len(self.state.texts)}")

        def on_stop(self) -> None:
            said.append("stop")
            self.emit("memory.updated", {"text": "bye"})

    sim.spawn(Parting, name="conversation")
    say(sim, "ann", "1")
    sim.wait_idle()
    sim.advance(30)
    sim.wait_idle()
    assert awake(sim) == set()
    assert sim.ref("conversation", key="ann").ask("?") == ("1", "bye")
    assert said == ["start 0", "stop", "start 2"]


def test_what_comes_while_it_says_its_last_words_is_handled_by_the_next(sim: ActorSystem) -> None:
    class Parting(Conversation):
        async def on_stop(self) -> None:  # type: ignore[override]
            await sim.publish_async("said", {"user": self.my_key, "text": "late"})

    sim.spawn(Parting, name="conversation")
    say(sim, "ann", "1")
    sim.wait_idle()
    sim.advance(16)
    sim.wait_idle()
    assert sim.ref("conversation", key="ann").ask("?")[:2] == ("1", "late")


def test_no_more_are_awake_than_allowed_unless_they_are_busy(system: ActorSystem) -> None:
    class Few(Conversation):
        awake = 3

    system.spawn(Few, name="conversation")
    for n in range(40):
        say(system, f"u{n % 20}", str(n))
        system.wait_idle(10)
        assert len(awake(system)) <= 3
    for n in range(20):
        assert system.ref("conversation", key=f"u{n}").ask("?") == (str(n), str(n + 20))


def test_too_many_are_put_to_sleep_soon_though_nothing_more_comes(sim: ActorSystem) -> None:
    sim.spawn(Conversation, awake=3)
    for n in range(20):
        say(sim, f"u{n}", "x")  # before anybody has had a turn
    sim.wait_idle()
    sim.advance(1)
    assert len(awake(sim)) == 3


def test_nobody_speaks_in_the_name_of_one_that_sleeps(sim: ActorSystem, hear: Hear) -> None:
    heard = hear("memory.updated")
    sim.spawn(Conversation)
    say(sim, "ann", "hi")
    sim.wait_idle()
    sim.advance(30)
    assert awake(sim) == set()
    with pytest.raises(ChoreiaError, match="source"):
        sim.publish(Event(type="x", source=heard[0].source, payload={}))


def test_nothing_is_lost_nor_out_of_order_while_keys_come_and_go(feed: Feed) -> None:
    """Publishers race with those that put to sleep, as hard as they can."""

    class Brief(Conversation):
        awake = 2

    store: Any = None
    if feed == "log":
        from choreia import MemoryStore

        store = MemoryStore()
    with ActorSystem(workers=2, store=store) as system:
        ref = system.spawn(Brief, name="conversation")

        def publisher(who: int) -> None:
            for n in range(400):
                say(system, f"u{n % 7}", f"{who} {n}")

        threads = [threading.Thread(target=publisher, args=(who,)) for who in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        system.wait_idle(60)
        assert system.dead_letters() == []
        told = [system.ref("conversation", key=f"u{key}").ask("?") for key in range(7)]
        assert sum(map(len, told)) == 1_200
        for key, texts in enumerate(told):
            by_publisher: dict[str, list[int]] = defaultdict(list)
            for text in texts:
                who, n = text.split()
                by_publisher[who].append(int(n))
            assert all(ns == list(range(key, 400, 7)) for ns in by_publisher.values())
        ref.stop(timeout=30)
        assert awake(system) == set()


# -- keys do not disturb each other ----


def test_a_key_that_backs_off_holds_up_no_other(sim: ActorSystem) -> None:
    sim.spawn(Conversation, retry=Retry(attempts=2, delay=1000), mailbox=5)
    say(sim, "bad", "poison", "after")
    for n in range(50):
        say(sim, f"u{n % 10}", str(n))
    sim.advance(1)
    assert sim.inspect().agent("conversation:bad").state == "backoff"
    for n in range(10):
        assert len(sim.ref("conversation", key=f"u{n}").ask("?")) == 5
    sim.advance(2000)
    assert [one.agent for one in sim.dead_letters()] == ["conversation:bad"]
    assert sim.ref("conversation", key="bad").ask("?") == ("after",)


def test_a_full_key_parks_its_own_senders_only() -> None:
    with ActorSystem(mode="simulated") as sim:
        sim.spawn(Conversation, mailbox=2)
        say(sim, "bad", "1")
        sim.wait_idle()
        sim.pause("conversation:bad")
        say(sim, "bad", "2", "3")
        with pytest.raises(MailboxFull):
            sim.publish("said", {"user": "bad", "text": "4"}, timeout=0)
        say(sim, "good", *"abcdef")
        sim.resume("conversation:bad")
        sim.wait_idle()
        assert sim.ref("conversation", key="bad").ask("?") == ("1", "2", "3")
        assert sim.ref("conversation", key="good").ask("?") == tuple("abcdef")


def test_an_agent_that_emits_to_a_full_key_parks_and_goes_on(system: ActorSystem) -> None:
    class Source(Agent):
        @on("go")
        def go(self, event: Event) -> Iterator[tuple[str, dict[str, object]]]:
            for n in range(60):
                yield "said", {"user": f"u{n % 3}", "text": str(n)}

    system.spawn(Conversation, mailbox=1, awake=1)
    system.spawn(Source)
    system.publish("go")
    system.wait_idle(20)
    for user in range(3):
        assert system.ref("conversation", key=f"u{user}").ask("?") == tuple(
            str(n) for n in range(user, 60, 3)
        )


def test_one_event_for_two_keyed_agents_and_a_plain_one(system: ActorSystem, hear: Hear) -> None:
    heard = hear("said")
    system.spawn(Conversation, mailbox=1, awake=1)
    system.spawn(Counting, name="counting", mailbox=1, awake=1)
    for n in range(40):
        say(system, f"u{n % 4}", str(n))
    system.wait_idle(20)
    assert len(heard) == 40
    for user in range(4):
        wanted = tuple(str(n) for n in range(user, 40, 4))
        assert system.ref("conversation", key=f"u{user}").ask("?") == wanted
        assert system.ref("counting", key=f"u{user}").ask("?") == wanted


def test_a_factory_that_fails_for_one_key_makes_dead_letters_and_is_asked_again(
    system: ActorSystem,
) -> None:
    failing = [False]

    def make() -> Conversation:
        if failing[0]:
            raise RuntimeError("no licence")
        return Conversation()

    system.spawn(make, name="conversation")
    failing[0] = True
    say(system, "ann", "lost")
    system.wait_idle(10)
    assert [one.agent for one in system.dead_letters()] == ["conversation:ann"]
    failing[0] = False
    say(system, "ann", "kept")
    system.wait_idle(10)
    assert system.ref("conversation", key="ann").ask("?") == ("kept",)


def test_a_dead_letter_goes_back_to_an_instance_that_sleeps(sim: ActorSystem) -> None:
    broken = [True]

    class Fragile(Counting):
        @on("said")
        def hear(self, event: Event) -> None:
            if broken[0]:
                raise GiveUp("not now")
            super().hear(event)

    sim.spawn(Fragile, name="conversation")
    say(sim, "ann", "x")
    sim.wait_idle()
    sim.advance(30)
    assert awake(sim) == set()
    broken[0] = False
    [letter] = sim.dead_letters()
    sim.redeliver(letter)
    sim.wait_idle()
    assert sim.ref("conversation", key="ann").ask("?") == ("x",)
    assert sim.dead_letters() == []


def test_timers_fire_whether_the_instance_is_awake_or_not(sim: ActorSystem, hear: Hear) -> None:
    class Reminding(Conversation):
        @on("remind")
        def remind(self, event: Event) -> None:
            self.after(100, "memory.updated", {"text": "remember"}, key="r")
            self.after(200, "reminded", {"user": self.my_key})
            self.after(150, "never", {}, key="n")

        @on("calm")
        def calm(self, event: Event) -> None:
            self.cancel("n")

    heard, never = hear("reminded"), hear("never")
    sim.spawn(Reminding, name="conversation")
    sim.publish("remind", {"user": "ann"})
    sim.publish("remind", {"user": "bob"})
    sim.publish("calm", {"user": "ann"})
    sim.publish("calm", {"user": "bob"})
    sim.wait_idle()
    sim.advance(300)
    sim.wait_idle()
    assert Counter(event.payload["user"] for event in heard) == {"ann": 1, "bob": 1}
    assert never == []


# -- as a whole ----


def test_pause_holds_all_keys_also_those_that_are_woken_later(sim: ActorSystem) -> None:
    sim.spawn(Conversation)
    say(sim, "ann", "1")
    sim.wait_idle()
    sim.pause("conversation")
    say(sim, "ann", "2")
    say(sim, "bob", "1")
    sim.advance(1)
    assert {
        one.handled for one in sim.inspect().agents if one.name.startswith("conversation:")
    } == {
        0,
        1,
    }
    sim.resume("conversation")
    sim.wait_idle()
    assert sim.ref("conversation", key="ann").ask("?") == ("1", "2")
    assert sim.ref("conversation", key="bob").ask("?") == ("1",)


def test_stop_lets_every_key_finish_first(system: ActorSystem, hear: Hear) -> None:
    heard = hear("memory.updated")
    ref = system.spawn(Conversation)
    for n in range(100):
        say(system, f"u{n % 10}", str(n))
    ref.stop(timeout=20)
    assert not ref.is_alive()
    system.wait_idle(10)
    assert len(heard) == 100
    assert awake(system) == set()
    with pytest.raises(UnknownAgent):
        system.ref("conversation")
    system.spawn(Conversation)
    say(system, "u0", "again")
    system.wait_idle(10)
    assert system.ref("conversation", key="u0").ask("?")[-1] == "again"


def test_kill_ends_all_keys(system: ActorSystem, until: Until) -> None:
    system.spawn(Conversation)
    say(system, "ann", "1")
    say(system, "bob", "1")
    system.wait_idle(10)
    system.kill("conversation")
    until(lambda: not awake(system))
    with pytest.raises(UnknownAgent):
        system.ref("conversation", key="ann")


def test_one_key_can_be_killed_and_begins_anew(system: ActorSystem, until: Until) -> None:
    system.spawn(Conversation)
    say(system, "ann", "1")
    system.wait_idle(10)
    system.kill("conversation:ann")
    until(lambda: not awake(system))
    say(system, "ann", "2")
    system.wait_idle(10)
    assert system.ref("conversation", key="ann").ask("?")[-1] == "2"


def test_it_is_found_by_what_it_can_do(system: ActorSystem) -> None:
    class Able(Conversation):
        capabilities = ("talk",)

    system.spawn(Able, name="conversation")
    say(system, "ann", "1")
    system.wait_idle(10)
    assert [info.name for info in system.find("talk")] == ["conversation"]


def test_an_instance_that_hangs_is_suspected(sim: ActorSystem, hear: Hear) -> None:
    heard = hear("agent.suspected_failure")

    class Hanging(Agent):
        key = "payload.user"

        @on("said")
        async def hang(self, event: Event) -> None:
            if event.payload["text"] == "hang":
                await asyncio.Event().wait()

    sim.spawn(Hanging, name="conversation")
    say(sim, "ann", "hang")
    say(sim, "bob", "go on")
    sim.advance(2_000)
    assert [event.payload["agent"] for event in heard] == ["conversation:ann"]


def test_telling_the_whole_of_it_says_what_to_do(system: ActorSystem) -> None:
    ref = system.spawn(Conversation)
    with pytest.raises(InvalidAgent, match=r"keyed agent.*key="):
        ref.ask("?")


class Ticking(Agent):
    @every(5)
    def tick(self, event: Event) -> None: ...


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"key": ""}, "such as"),
        ({"key": "payload"}, "leads nowhere"),
        ({"key": "body.x"}, "leads nowhere"),
        ({"key": "payload..x"}, "such as"),
        ({"key": 5}, "path of a field"),
        ({"sleep_after": 0}, "sleep_after"),
        ({"sleep_after": float("nan")}, "sleep_after"),
        ({"awake": 0}, "awake"),
        ({"threaded": True}, "threads of its own"),
        ({"group": "g"}, "cannot be in a group"),
        ({"count": 3}, "Name the group"),
    ],
)
def test_what_makes_no_sense_is_refused(
    system: ActorSystem, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidAgent, match=said):
        system.spawn(Conversation, **options)
    with pytest.raises(InvalidAgent, match="@every"):
        system.spawn(Ticking, key="payload.x")


def test_with_a_store_nothing_is_dropped(system: ActorSystem, feed: Feed) -> None:
    options: dict[str, Any] = {"overflow": "drop_oldest", "mailbox": 1}
    if feed == "log":
        with pytest.raises(InvalidAgent, match="loses no events"):
            system.spawn(Counting, name="conversation", **options)
        with pytest.raises(InvalidAgent, match="loses no events"):
            system.spawn(Agent, group="g", count=2, **options)
    else:
        system.spawn(Counting, name="conversation", **options)
        system.spawn(Agent, group="g", count=2, **options)


def test_a_plain_agent_has_no_key(system: ActorSystem) -> None:
    class Plain(Agent):
        def on_receive(self, message: object) -> object:
            return self.my_key

    with pytest.raises(InvalidAgent, match="no keyed agent"):
        system.spawn(Plain).ask("?")


# -- when an instance ends, or is about to ----


class Fragile(Counting):
    """Cannot begin the first time."""

    failures = 1

    def on_start(self) -> None:
        if type(self).failures:
            type(self).failures -= 1
            raise RuntimeError("not yet")


def test_what_waits_for_one_that_cannot_begin_is_handled_or_a_dead_letter(
    system: ActorSystem,
) -> None:
    class Late(Fragile):
        failures = 1
        mailbox = 1

    system.spawn(Late, name="conversation")
    say(system, "ann", *map(str, range(10)))
    system.wait_idle(20)
    seen = [int(text) for text in system.ref("conversation", key="ann").ask("?")]
    dead = [letter.event.payload["text"] for letter in system.dead_letters() if letter.event]
    assert sorted([*seen, *map(int, dead)]) == list(range(10))
    assert seen == sorted(seen)


def test_whoever_waits_for_room_at_a_key_that_is_killed_gets_in_at_the_next(
    system: ActorSystem, mode: str
) -> None:
    if mode == "simulated":
        return  # nobody waits there in a thread of his own
    system.spawn(Counting, name="conversation", mailbox=1)
    say(system, "ann", "0")
    system.wait_idle(10)
    system.pause("conversation:ann")
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(say, system, "ann", "1", "2", "3")
        system.kill("conversation:ann")
        waiting.result(20)
    system.wait_idle(20)
    seen = list(system.ref("conversation", key="ann").ask("?"))
    dead = [letter.event.payload["text"] for letter in system.dead_letters() if letter.event]
    assert sorted({"0", *seen, *dead}) == ["0", "1", "2", "3"]


def test_attributes_in_slots_are_kept_too(sim: ActorSystem) -> None:
    class Slotted(Agent):
        __slots__ = ("count",)
        key = "payload.user"
        sleep_after = 1.0

        def __init__(self) -> None:
            super().__init__()
            self.count = 0

        @on("said")
        def hear(self, event: Event) -> None:
            self.count += 1

        def on_receive(self, message: object) -> object:
            return self.count

    sim.spawn(Slotted, name="conversation")
    for _ in range(3):
        say(sim, "ann", "x")
        sim.wait_idle()
        sim.advance(10)
        assert awake(sim) == set()
    assert sim.ref("conversation", key="ann").ask("?") == 3


def test_a_timer_whose_event_the_state_cannot_take_spoils_no_key_that_sleeps(
    sim: ActorSystem,
) -> None:
    class Wrong(Conversation):
        @on("remind")
        def remind(self, event: Event) -> None:
            self.after(100, "memory.updated", {"no text": "?"})

    sim.spawn(Wrong, name="conversation")
    sim.publish("remind", {"user": "ann"})
    sim.wait_idle()
    sim.advance(200)
    sim.wait_idle()
    say(sim, "ann", "hi")
    sim.wait_idle()
    assert sim.ref("conversation", key="ann").ask("?") == ("hi",)
    assert [letter.event.type for letter in sim.dead_letters() if letter.event] == [
        "memory.updated"
    ]
