"""Parking: nothing is lost or reordered, nobody waits for ever, circles are broken and named."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pykka
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from choreia import ActorSystem, Agent, Event, OutboxFull, on
from choreia.runtime.stores.memory import MemoryStore

if TYPE_CHECKING:
    from tests.runtime.delivery.conftest import InThreads, Make, Mode, Until

memory_only = pytest.mark.parametrize("feed", ["memory"])
threads_only = pytest.mark.parametrize("mode", ["threads"])


class Keeper(Agent):
    """Keeps, in a list of the test's, which numbers came from whom."""

    def __init__(self, kept: list[tuple[str, Any]]) -> None:
        super().__init__()
        self.kept = kept

    @on("work")
    def work(self, event: Event) -> None:
        self.kept.append((event.source, event.payload["n"]))

    def on_receive(self, message: Any) -> Any:
        self.kept.append(("told", message))
        return message


def by_source(kept: list[tuple[str, Any]]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for source, n in kept:
        found[source].append(n)
    return found


# -- nothing is lost or reordered -----------------------------------------------------------------


@threads_only
@pytest.mark.parametrize("capacity", [1, 2, 16])
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_eight_publishing_threads_lose_and_reorder_nothing(
    make: Make, in_threads: InThreads, capacity: int, workers: int
) -> None:
    system = make(workers=workers)
    kept: list[list[tuple[str, Any]]] = [[], []]
    for number in range(2):  # two receivers: the publishers must find room in both at once
        system.spawn(partial(Keeper, kept[number]), name=f"keeper-{number}", mailbox=capacity)

    def publish(number: int) -> None:
        for n in range(150):
            system.publish("work", {"n": n}, source=f"thread-{number}")

    in_threads(8, publish)
    system.wait_idle(20)
    for got in kept:
        assert by_source(got) == {f"thread-{n}": list(range(150)) for n in range(8)}


@threads_only
@memory_only
def test_one_receiver_publishers_tellers_and_askers_keep_their_own_order(
    make: Make, in_threads: InThreads
) -> None:
    system = make(workers=2)
    kept: list[tuple[str, Any]] = []
    ref = system.spawn(partial(Keeper, kept), name="keeper", mailbox=2)

    def send(number: int) -> None:
        for n in range(200):
            if number % 2:
                ref.tell((number, n))
            else:
                system.publish("work", {"n": n}, source=f"thread-{number}")

    in_threads(8, send)
    system.wait_idle(20)
    found = by_source(kept)
    told: dict[int, list[int]] = defaultdict(list)
    for number, n in found.pop("told"):
        told[number].append(n)
    assert told == {number: list(range(200)) for number in (1, 3, 5, 7)}
    assert found == {f"thread-{number}": list(range(200)) for number in (0, 2, 4, 6)}


@pytest.mark.parametrize("style", ["emit", "emit_now", "yield", "async", "stream"])
def test_an_agent_that_finds_no_room_waits_and_keeps_its_order(
    system: ActorSystem, style: str
) -> None:
    kept: list[tuple[str, Any]] = []
    system.spawn(partial(Keeper, kept), name="keeper", mailbox=1)
    system.spawn(SPEAKERS[style], name="speaker")
    for start in (0, 50):
        system.publish("go", {"start": start})
    system.wait_idle(20)
    assert [n for _, n in kept] == list(range(100))
    view = system.inspect().agent("keeper")
    assert (view.high_water, view.overflowed, view.dropped) == (1, 0, 0)


class SpeaksBuffered(Agent):
    @on("go")
    def go(self, event: Event) -> None:
        for n in range(50):
            self.emit("work", {"n": event.payload["start"] + n})


class SpeaksAtOnce(Agent):
    @on("go")
    def go(self, event: Event) -> None:
        for n in range(50):
            self.emit_now("work", {"n": event.payload["start"] + n})


class SpeaksByYielding(Agent):
    @on("go")
    def go(self, event: Event) -> Iterator[Any]:
        for n in range(50):
            yield "work", {"n": event.payload["start"] + n}


class SpeaksAwaiting(Agent):
    @on("go")
    async def go(self, event: Event) -> None:
        for n in range(50):
            await self.emit_now_async("work", {"n": event.payload["start"] + n})


class SpeaksStreaming(Agent):
    @on("go")
    async def go(self, event: Event) -> AsyncIterator[Any]:
        for n in range(50):
            await asyncio.sleep(0)
            yield "work", {"n": event.payload["start"] + n}


SPEAKERS: dict[str, Callable[[], Agent]] = {
    "emit": SpeaksBuffered,
    "emit_now": SpeaksAtOnce,
    "yield": SpeaksByYielding,
    "async": SpeaksAwaiting,
    "stream": SpeaksStreaming,
}


@memory_only
def test_a_parked_agent_says_so_and_takes_no_other_event(system: ActorSystem, until: Until) -> None:
    kept: list[tuple[str, Any]] = []
    system.spawn(partial(Keeper, kept), name="keeper", mailbox=1)
    system.pause("keeper")
    system.spawn(SpeaksBuffered, name="speaker")
    system.publish("go", {"start": 0})
    system.publish("go", {"start": 50})
    until(system, lambda: system.inspect().agent("speaker").state == "parked")
    speaker, keeper = (system.inspect().agent(name) for name in ("speaker", "keeper"))
    assert (speaker.mailbox_size, speaker.handled) == (1, 1)
    assert (keeper.mailbox_size, keeper.parked) == (1, 1)
    system.resume("keeper")
    system.wait_idle(20)
    assert [n for _, n in kept] == list(range(100))


@memory_only
@pytest.mark.parametrize("mode", ["threads"])
def test_parked_agents_hold_no_thread(make: Make, until: Until) -> None:
    """A hundred of them wait, and with a single worker another agent goes on."""
    system = make(workers=1)
    kept: list[tuple[str, Any]] = []
    system.spawn(partial(Keeper, kept), name="keeper", mailbox=1)
    system.pause("keeper")
    for number in range(100):
        system.spawn(SpeaksBuffered, name=f"speaker-{number}")
    system.publish("go", {"start": 0})
    until(system, lambda: system.inspect().agent("keeper").parked == 100)
    heard: list[Event] = []
    system.subscribe("other", heard.append)
    system.publish("other")
    until(system, lambda: heard)
    assert len(system._dispatcher.pool.workers) == 1  # type: ignore[union-attr]
    system.resume("keeper")
    system.wait_idle(20)
    assert Counter(n for _, n in kept) == dict.fromkeys(range(50), 100)


@memory_only
def test_more_than_max_outbox_from_one_handler_is_outbox_full(system: ActorSystem) -> None:
    errors: list[BaseException] = []

    class Talks(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            for n in range(6):
                try:
                    self.emit("work", {"n": n})
                except OutboxFull as error:
                    errors.append(error)
                    raise

    kept: list[tuple[str, Any]] = []
    system.spawn(partial(Keeper, kept), name="keeper")
    system.spawn(Talks, max_outbox=5)
    system.publish("go")
    system.wait_idle(5)
    assert kept == []
    [error] = errors  # and it is not tried again
    assert isinstance(error, OutboxFull)
    assert error.limit == 5
    assert [letter.agent for letter in system.dead_letters()] == ["talks"]


# -- circles --------------------------------------------------------------------------------------


class Node(Agent):
    """Passes an event on to its targets, with a shorter life, by name: ``a`` → ``a-b``."""

    mailbox = 1

    def __init__(self, targets: tuple[str, ...], kept: list[str]) -> None:
        super().__init__()
        self.targets = targets
        self.kept = kept

    def onward(self, event: Event) -> list[tuple[str, dict[str, Any]]]:
        self.kept.append(event.payload["path"])
        life = event.payload["life"]
        if not life:
            return []
        return [
            (f"to.{target}", {"life": life - 1, "path": f"{event.payload['path']}.{n}-{target}"})
            for n, target in enumerate(self.targets)
        ]


class Emits(Node):
    @on("to.{name}")
    def pass_on(self, event: Event) -> None:
        for type, payload in self.onward(event):
            self.emit(type, payload)


class EmitsNow(Node):
    @on("to.{name}")
    def pass_on(self, event: Event) -> None:
        for type, payload in self.onward(event):
            self.emit_now(type, payload)


class Yields(Node):
    @on("to.{name}")
    def pass_on(self, event: Event) -> Iterator[Any]:
        yield from self.onward(event)


class Awaits(Node):
    @on("to.{name}")
    async def pass_on(self, event: Event) -> None:
        for type, payload in self.onward(event):
            await self.emit_now_async(type, payload)


class AwaitsAll(Node):
    """Waits for several mailboxes at once."""

    @on("to.{name}")
    async def pass_on(self, event: Event) -> None:
        await asyncio.gather(*(self.emit_now_async(*said) for said in self.onward(event)))


STYLES: tuple[type[Node], ...] = (Emits, EmitsNow, Yields, Awaits, AwaitsAll)
NAMES = "abcdef"
Graph = dict[str, tuple[type[Node], tuple[str, ...]]]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Graph, int]:
    """Agents, to whom each passes events on (itself, one several times), and how often."""
    names = NAMES[: draw(st.integers(1, len(NAMES)))]
    most = draw(st.integers(1, 3))
    targets = st.lists(st.sampled_from(names), max_size=most).map(tuple)
    graph = {name: (draw(st.sampled_from(STYLES)), draw(targets)) for name in names}
    life = draw(st.integers(1, {1: 30, 2: 5, 3: 4}[most]))
    return graph, life


def expected(graph: Graph, life: int, path: str, name: str) -> Iterator[str]:
    yield path
    if life:
        for n, target in enumerate(graph[name][1]):
            yield from expected(graph, life - 1, f"{path}.{n}-{target}", target)


def run_graph(system: ActorSystem, graph: Graph, life: int) -> list[Event]:
    """Every agent is given two events; asserts that each is handled once, and all of them.
    The events of backpressure."""
    pressure: list[Event] = []
    system.subscribe("agent.backpressure", pressure.append, mailbox=100_000)
    kept: list[str] = []
    for name, (style, targets) in graph.items():
        system.spawn(partial(style, targets, kept), name=name)
    for name in graph:
        for start in ("x", "y"):
            system.publish(f"to.{name}", {"life": life, "path": f"{start}-{name}"})
    system.wait_idle(20)
    wanted = [
        path
        for name in graph
        for start in ("x", "y")
        for path in expected(graph, life, f"{start}-{name}", name)
    ]
    assert Counter(kept) == Counter(wanted)
    return pressure


def check_circles(system: ActorSystem, graph: Graph, pressure: list[Event]) -> None:
    """What overflowed broke a circle, which is named, and runs along the graph."""
    circles = [event.payload["cycle"] for event in pressure if "cycle" in event.payload]
    overflowed = {v.name for v in system.inspect().agents if v.name in graph and v.overflowed}
    assert {circle[1] for circle in circles} == overflowed
    for circle in circles:
        assert circle[0] == circle[-1]
        assert len(set(circle)) == len(circle) - 1
        for waits, waited_for in pairwise(circle):
            assert waited_for in graph[waits][1]


@settings(max_examples=30)
@given(graph_and_life=graphs(), seed=st.integers(0, 2**32))
def test_any_graph_drains_under_simulation(graph_and_life: tuple[Graph, int], seed: int) -> None:
    graph, life = graph_and_life
    with ActorSystem(mode="simulated", seed=seed) as system:
        pressure = run_graph(system, graph, life)
        check_circles(system, graph, pressure)
        assert not system.dead_letters()


@pytest.mark.parametrize("workers", [1, 2, 4])
@settings(max_examples=15)
@given(graph_and_life=graphs())
def test_any_graph_drains_on_threads(workers: int, graph_and_life: tuple[Graph, int]) -> None:
    graph, life = graph_and_life
    with ActorSystem(workers=workers) as system:
        pressure = run_graph(system, graph, life)
        check_circles(system, graph, pressure)
        assert not system.dead_letters()


@settings(max_examples=10)
@given(graph_and_life=graphs(), seed=st.integers(0, 2**32))
def test_with_a_log_no_graph_makes_anybody_wait(
    graph_and_life: tuple[Graph, int], seed: int
) -> None:
    graph, life = graph_and_life
    with ActorSystem(mode="simulated", seed=seed, store=MemoryStore()) as system:
        run_graph(system, graph, life)
        views = [view for view in system.inspect().agents if view.name in graph]
        assert all(view.high_water == 1 and not view.overflowed for view in views)


@pytest.mark.parametrize("style", STYLES)
def test_an_agent_that_feeds_itself_goes_on(mode: Mode, style: type[Node]) -> None:
    graph: Graph = {"a": (style, ("a", "a"))}
    with ActorSystem(mode=mode) as system:
        pressure = run_graph(system, graph, 5)
        check_circles(system, graph, pressure)
        [circle] = [event.payload["cycle"] for event in pressure if "cycle" in event.payload]
        assert circle == ["a", "a"]


@memory_only
def test_each_circle_is_named_once_with_the_policy_and_the_counts(system: ActorSystem) -> None:
    graph: Graph = {"a": (Emits, ("b", "b")), "b": (Emits, ("a", "a"))}
    pressure = run_graph(system, graph, 6)
    circles = [event for event in pressure if "cycle" in event.payload]
    named = [tuple(event.payload["cycle"]) for event in circles]
    assert named
    assert len(named) == len(set(named))
    assert set(named) <= {("a", "b", "a"), ("b", "a", "b")}
    for event in circles:
        full = event.payload["cycle"][1]
        assert event.payload["agent"] == full
        assert event.source == system.ref(full).id
        assert (event.payload["capacity"], event.payload["policy"]) == (1, "park")
        assert event.payload["dropped"] == 0
    assert sum(system.inspect().agent(name).overflowed for name in graph) >= len(named)


@memory_only
def test_a_circle_through_one_of_several_mailboxes_that_an_agent_awaits_is_found(
    system: ActorSystem, until: Until
) -> None:
    """`a` awaits room at `x` and at `y`; `y` is paused, and `x` parks on `a`."""
    heard: list[Event] = []

    class A(Agent):
        mailbox = 1

        @on("go")
        async def go(self, event: Event) -> None:
            said = [("x", n) for n in range(3)] + [("y", n) for n in range(2)]
            await asyncio.gather(*(self.emit_now_async(type, {"n": n}) for type, n in said))

        @on("back")
        def back(self, event: Event) -> None:
            heard.append(event)

    class X(Agent):
        mailbox = 1

        @on("x")
        def work(self, event: Event) -> None:
            for n in range(3):
                self.emit("back", {"n": n})

    class Y(Agent):
        mailbox = 1

        @on("y")
        def work(self, event: Event) -> None: ...

    for agent in (A, X, Y):
        system.spawn(agent)
    for name in ("x", "y"):
        system.pause(name)
    system.wait_idle(5)
    system.publish("go")
    until(system, lambda: system.inspect().agent("x").parked == 2)
    until(system, lambda: system.inspect().agent("y").parked == 1)
    system.resume("x")
    # What `x` said of the first got in, since `a` waited for `x`. Then `a` waits for `y` alone.
    until(system, lambda: system.inspect().agent("x").handled == 2)
    assert heard == []
    system.resume("y")
    system.wait_idle(20)
    assert len(heard) == 9


@memory_only
def test_an_ask_counts_as_waiting_in_the_search_for_circles(system: ActorSystem) -> None:
    """`a` asks `b`, and `b`, before it answers, emits into the full mailbox of `a`."""

    class Asks(Agent):
        mailbox = 1

        def __init__(self, ref: pykka.ActorRef[Any]) -> None:
            super().__init__()
            self.ref = ref
            self.got: list[Any] = []

        @on("go")
        def go(self, event: Event) -> None:
            answers.append(self.ref.ask("question"))

        @on("back")
        def back(self, event: Event) -> None:
            heard.append(event)

    class Answers(Agent):
        def on_receive(self, message: Any) -> Any:
            for n in range(3):
                self.emit_now("back", {"n": n})
            return "answer"

    answers: list[Any] = []
    heard: list[Event] = []
    ref = system.spawn(Answers)
    system.spawn(lambda: Asks(ref))
    system.publish("go")
    system.wait_idle(20)
    assert answers == ["answer"]
    assert [event.payload["n"] for event in heard] == [0, 1, 2]


# -- the dead strand nobody -----------------------------------------------------------------------


@memory_only
def test_killing_an_agent_that_others_are_parked_on_lets_them_go_on(
    system: ActorSystem, until: Until
) -> None:
    kept: list[tuple[str, Any]] = []
    system.spawn(partial(Keeper, kept), name="keeper", mailbox=1)
    system.pause("keeper")
    for style, speaker in SPEAKERS.items():
        system.spawn(speaker, name=f"speaks-{style.replace('_', '-')}")
    system.publish("go", {"start": 0})
    until(system, lambda: system.inspect().agent("keeper").parked == len(SPEAKERS))
    system.kill("keeper")
    system.wait_idle(20)
    assert kept == []
    for style in SPEAKERS:
        view = system.inspect().agent(f"speaks-{style.replace('_', '-')}")
        assert (view.state, view.handled, view.failed) == ("idle", 1, 0)
    # What was on its way to the dead one is a dead letter each: in its mailbox, in line, in an
    # outbox. What was said later was for nobody.
    lost = Counter(letter.event.source for letter in system.dead_letters() if letter.event)
    assert lost.pop(system.ref("speaks-emit").id) == 50
    assert len(lost) == 4
    assert set(lost.values()) <= {1, 2}
    assert {letter.agent for letter in system.dead_letters()} == {"keeper"}
    assert {letter.reason for letter in system.dead_letters()} <= {"killed", "stopped"}


@memory_only
@pytest.mark.parametrize("style", SPEAKERS)
def test_what_a_killed_agent_had_emitted_keeps_its_place_in_line(
    system: ActorSystem, until: Until, style: str
) -> None:
    kept: list[tuple[str, Any]] = []
    system.spawn(partial(Keeper, kept), name="keeper", mailbox=1)
    system.pause("keeper")
    ref = system.spawn(SPEAKERS[style], name="speaker")
    system.publish("go", {"start": 0})
    until(system, lambda: system.inspect().agent("keeper").parked == 1)
    system.kill("speaker")
    if style == "emit_now":  # its handler hangs in the middle: it ends when that does
        system.resume("keeper")
    until(system, lambda: not ref.is_alive())
    system.resume("keeper")
    system.wait_idle(20)
    # Its handler had returned, or hangs in the middle and ends: all of it. Else what was yielded.
    whole = style in ("emit", "emit_now")
    left = {"async": 1}.get(style, 2)  # a coroutine that awaits room for one goes with it
    assert [n for _, n in kept] == list(range(50 if whole else left))
    letters = [letter.event.type for letter in system.dead_letters() if letter.event]
    assert letters == ([] if whole else ["go"])
    # The line is in order: the next one gets in.
    system.publish("work", {"n": "next"})
    system.wait_idle(5)
    assert kept[-1][1] == "next"


@threads_only
@memory_only
def test_killing_an_agent_frees_blocked_publishers_and_tellers(
    make: Make, in_threads: InThreads, until: Until
) -> None:
    system = make()
    kept: list[tuple[str, Any]] = []
    ref = system.spawn(partial(Keeper, kept), name="keeper", mailbox=1)
    system.pause("keeper")
    system.publish("work", {"n": 0})
    dead: list[int] = []

    def send(number: int) -> None:
        if number == 8:
            until(system, lambda: system.inspect().agent("keeper").parked == 8)
            system.kill("keeper")
        elif number % 2:
            system.publish("work", {"n": number})  # reaches nobody, and does not fail
        else:
            with pytest.raises(pykka.ActorDeadError):
                ref.tell(number)
            dead.append(number)

    in_threads(9, send)
    assert sorted(dead) == [0, 2, 4, 6]
    assert kept == []
    system.wait_idle(5)


@memory_only
def test_killing_one_of_two_receivers_lets_the_publish_reach_the_other(
    system: ActorSystem,
) -> None:
    kept: list[list[tuple[str, Any]]] = [[], []]
    for number in range(2):
        system.spawn(partial(Keeper, kept[number]), name=f"keeper-{number}", mailbox=1)
    system.pause("keeper-0")
    system.publish("work", {"n": 0})

    class Kills(Agent):
        @on("kill")
        def kill(self, event: Event) -> None:
            system.kill("keeper-0")

    system.spawn(Kills)
    system.publish("kill")
    system.publish("work", {"n": 1}, timeout=20)
    system.wait_idle(20)
    assert [n for _, n in kept[1]] == [0, 1]
