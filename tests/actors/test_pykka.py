"""What pykka promises of actors, refs, proxies and futures, held by agents.

pykka's own documented examples come first, with `system.spawn` for `start`; then what its
documentation promises, method by method. Where an agent differs, the test says so: a failed
message or `BaseException` does not stop an agent (let alone all of them), and `start` and the
`ActorRegistry` are not used.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, cast

import pykka
import pytest
from pykka.typing import ActorMemberMixin, proxy_field, proxy_method

from choreia import ActorSystem, Agent, Event, InvalidAgent, MailboxFull, Retry, on

if TYPE_CHECKING:
    from tests.actors.conftest import Hear, Mode, Until


# -- examples/plain_actor.py ----------------------------------------------------------------------

GetMessages = object()


class PlainActor(Agent):
    def __init__(self) -> None:
        super().__init__()
        self.stored_messages: list[object] = []

    def on_receive(self, message: object) -> object:
        if message is GetMessages:
            return self.stored_messages
        self.stored_messages.append(message)
        return None


def test_plain_actor(system: ActorSystem) -> None:
    actor = system.spawn(PlainActor)
    actor.tell({"no": "Norway", "se": "Sweden"})
    actor.tell({"a": 3, "b": 4, "c": 5})
    assert actor.ask(GetMessages) == [{"no": "Norway", "se": "Sweden"}, {"a": 3, "b": 4, "c": 5}]
    actor.stop()
    assert not actor.is_alive()


# -- examples/proxy.py ----------------------------------------------------------------------------


class AnActor(Agent):
    field = "this is the value of AnActor.field"

    def __init__(self) -> None:
        super().__init__()
        self.log_lines: list[str] = []

    def proc(self) -> None:
        self.log_lines.append("this was printed by AnActor.proc()")

    def func(self) -> str:
        self.log_lines.append("this was printed by AnActor.func()")
        return "this was returned by AnActor.func() after a delay"


def test_proxy(system: ActorSystem) -> None:
    ref = system.spawn(AnActor)
    actor = ref.proxy()
    assert actor.proc().get() is None
    future = actor.func()
    assert future.get(timeout=5) == "this was returned by AnActor.func() after a delay"
    assert actor.field.get(timeout=5) == "this is the value of AnActor.field"
    actor.field = "new value"
    assert ref.proxy().field.get(timeout=5) == "new value"
    assert len(actor.log_lines.get(timeout=5)) == 2


# -- examples/counter.py --------------------------------------------------------------------------


class Adder(Agent):
    def add_one(self, i: int) -> int:
        return i + 1


class Bookkeeper(Agent):
    def __init__(self, adder: Any) -> None:
        super().__init__()
        self.adder = adder
        self.counted: list[int] = []

    def count_to(self, target: int) -> None:
        i = 0
        while i < target:
            i = self.adder.add_one(i).get()
            self.counted.append(i)


def test_counter(system: ActorSystem) -> None:
    """An actor that blocks on another: both on the same few threads."""
    adder = system.spawn(Adder).proxy()
    bookkeeper = system.spawn(lambda: Bookkeeper(adder)).proxy()
    bookkeeper.count_to(10).get(timeout=10)
    assert bookkeeper.counted.get(timeout=5) == list(range(1, 11))


# -- examples/producer.py -------------------------------------------------------------------------


class Producer(Agent):
    def __init__(self, collector: Any, items: int) -> None:
        super().__init__()
        self.collector = collector
        self._in_future = self.actor_ref.proxy()
        self.left = items

    def produce(self) -> None:
        self.collector.consume(self.left)
        self.left -= 1
        if self.left:
            self._in_future.produce()


class Collector(Agent):
    def __init__(self) -> None:
        super().__init__()
        self.items: list[int] = []

    def consume(self, item: int) -> None:
        self.items.append(item)


def test_producer(system: ActorSystem) -> None:
    collector = system.spawn(Collector).proxy()
    producer = system.spawn(lambda: Producer(collector, 5)).proxy()
    producer.produce()
    system.wait_idle(5)
    assert collector.items.get(timeout=5) == [5, 4, 3, 2, 1]


# -- examples/resolver.py -------------------------------------------------------------------------


class Resolver(Agent):
    def resolve(self, ip: str) -> str:
        return f"host-{ip}"


def test_resolver(system: ActorSystem) -> None:
    resolvers = [system.spawn(Resolver, name=f"resolver-{n}").proxy() for n in range(3)]
    ips = [f"193.35.52.{i}" for i in range(1, 20)]
    hosts = [resolvers[i % len(resolvers)].resolve(ip) for i, ip in enumerate(ips)]
    found = dict(zip(ips, pykka.get_all(hosts, timeout=5), strict=True))
    assert found == {ip: f"host-{ip}" for ip in ips}


# -- examples/cooperation.py: a proxy to itself ---------------------------------------------------


class Worker(Agent):
    """Splits a long task into parts, between which it reacts to others."""

    def __init__(self) -> None:
        super().__init__()
        self._in_future = self.actor_ref.proxy()
        self.steps: list[object] = []

    def work(self, parts: int) -> None:
        self.steps.append(parts)
        if parts > 1:
            self._in_future.work(parts - 1)

    def on_receive(self, message: object) -> None:
        self.steps.append(message)


def test_cooperation(system: ActorSystem) -> None:
    ref = system.spawn(Worker)
    system.pause("worker")
    system.wait_idle(5)
    ref.proxy().work.defer(3)
    ref.tell("interrupting")
    system.resume("worker")
    system.wait_idle(5)
    assert ref.proxy().steps.get(timeout=5) == [3, "interrupting", 2, 1]


# -- examples/typed_actor.py ----------------------------------------------------------------------


class CircleActor(Agent):
    pi = 3.14

    def area(self, radius: float) -> float:
        return self.pi * radius**2


class CircleProxy(ActorMemberMixin, pykka.ActorProxy[CircleActor]):
    pi = proxy_field(CircleActor.pi)
    area = proxy_method(CircleActor.area)


def test_typed_actor(system: ActorSystem) -> None:
    ref = system.spawn(CircleActor)
    proxy = cast("CircleProxy", ref.proxy())
    real_pi: float = proxy.pi.get(timeout=5)
    area: float = proxy.area(2.0).get(timeout=5)
    assert (real_pi, area) == (3.14, 12.56)
    proxy.stop()
    system.wait_idle(5)
    assert not ref.is_alive()


# -- traversable ----------------------------------------------------------------------------------


class Playback:
    position = 7

    def play(self) -> bool:
        return True


@pykka.traversable
class MarkedPlayback(Playback): ...


class AttributePlayback(Playback):
    pykka_traversable = True


class Player(Agent):
    def __init__(self) -> None:
        super().__init__()
        self.by_function = pykka.traversable(Playback())
        self.by_decorator = MarkedPlayback()
        self.by_attribute = AttributePlayback()
        self.opaque = Playback()


def test_traversable_attributes(system: ActorSystem) -> None:
    proxy = system.spawn(Player).proxy()
    for name in ("by_function", "by_decorator", "by_attribute"):
        playback = getattr(proxy, name)
        assert playback.play().get(timeout=5) is True
        assert playback.position.get(timeout=5) == 7
        playback.position = 8
        assert getattr(proxy, name).position.get(timeout=5) == 8
    assert isinstance(proxy.opaque.get(timeout=5), Playback)


# -- proxies --------------------------------------------------------------------------------------


class Member(Agent):
    def __init__(self) -> None:
        super().__init__()
        self.value = 1
        self._private = 2
        self.failures: list[str] = []

    @property
    def doubled(self) -> int:
        return self.value * 2

    @doubled.setter
    def doubled(self, value: int) -> None:
        self.value = value // 2

    def fail(self, text: str = "no") -> None:
        raise ValueError(text)

    def keyword(self, *arguments: int, **options: int) -> tuple[tuple[int, ...], dict[str, int]]:
        return arguments, options

    async def slowly(self, value: int) -> int:
        await asyncio.sleep(0)
        return value + 1

    def says(self, word: str) -> str:
        return self.emit("said", {"word": word}).id

    def on_receive(self, message: object) -> object:
        if message == "fail":
            raise ValueError("no")
        return message

    def on_failure(self, exception_type: Any, exception_value: Any, traceback: Any) -> None:
        self.failures.append(str(exception_value))
        self.emit("failed", {"error": str(exception_value)})


def test_a_proxys_methods_attributes_and_properties(system: ActorSystem) -> None:
    proxy = system.spawn(Member).proxy()
    assert proxy.keyword(1, 2, three=3).get(timeout=5) == ((1, 2), {"three": 3})
    assert proxy.slowly(1).get(timeout=5) == 2
    assert proxy.doubled.get(timeout=5) == 2
    proxy.doubled = 10
    assert proxy.value.get(timeout=5) == 5
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = proxy.nothing
    with pytest.raises(AttributeError):
        _ = proxy._private_thing
    assert "value" in dir(proxy)
    assert "_private" not in dir(proxy)
    with pytest.raises(InvalidAgent, match="name is Agent's own"):
        proxy.name = "names are the system's"


def test_attributes_set_later_are_found(system: ActorSystem) -> None:
    ref = system.spawn(Member)
    proxy = ref.proxy()
    proxy.later = 5
    assert ref.proxy().later.get(timeout=5) == 5


def test_proxies_of_one_actor_are_equal(system: ActorSystem) -> None:
    ref = system.spawn(Member)
    assert ref.proxy() == ref.proxy()
    assert hash(ref.proxy()) == hash(ref.proxy())
    assert ref.proxy() != system.spawn(Member, name="other").proxy()
    assert "member" in repr(ref.proxy())
    assert repr(ref) == "<ActorRef for Member (did:choreia:local:member)>"


def test_an_exception_is_raised_again_at_get_and_the_actor_goes_on(system: ActorSystem) -> None:
    proxy = system.spawn(Member).proxy()
    future = proxy.fail("twice")
    with pytest.raises(ValueError, match="twice"):
        future.get(timeout=5)
    with pytest.raises(ValueError, match="twice") as caught:
        future.get(timeout=5)
    assert caught.traceback[-1].name == "fail", "with the traceback of where it happened"
    assert proxy.value.get(timeout=5) == 1
    assert proxy.failures.get(timeout=5) == [], "it was the caller's"


def test_defer_is_tell_and_its_failure_is_on_failures(system: ActorSystem, hear: Hear) -> None:
    failed = hear("failed")
    ref = system.spawn(Member)
    proxy = ref.proxy()
    assert proxy.fail.defer("deferred") is None
    assert proxy.failures.get(timeout=5) == ["deferred"]
    system.wait_idle(5)
    assert ref.is_alive(), "pykka would have stopped it"
    assert [event.payload["error"] for event in failed] == ["deferred"], "it may speak there"


def test_a_told_failure_is_on_failures_and_leaves_nothing_behind(
    system: ActorSystem, hear: Hear
) -> None:
    failed, said = hear("failed"), hear("said")
    ref = system.spawn(Member)
    ref.tell("fail")
    system.wait_idle(5)
    assert len(failed) == 1, "what on_failure says leaves at its end, not with what comes next"
    ref.proxy().says("a").get(timeout=5)
    system.wait_idle(5)
    assert (len(failed), len(said)) == (1, 1)
    assert ref.proxy().failures.get(timeout=5) == ["no"]


def test_what_a_proxied_method_emits_leaves(system: ActorSystem, hear: Hear) -> None:
    said = hear("said")
    id = system.spawn(Member).proxy().says("hello").get(timeout=5)
    system.wait_idle(5)
    assert [event.id for event in said] == [id]


def test_a_proxy_of_a_dead_actor(system: ActorSystem) -> None:
    ref = system.spawn(Member)
    proxy = ref.proxy()
    method = proxy.says
    ref.stop(timeout=5)
    with pytest.raises(pykka.ActorDeadError):
        ref.proxy()
    with pytest.raises(pykka.ActorDeadError):
        proxy.value.get(timeout=5)
    with pytest.raises(pykka.ActorDeadError):
        method("x").get(timeout=5)
    with pytest.raises(pykka.ActorDeadError):
        method.defer("x")
    with pytest.raises(pykka.ActorDeadError):
        proxy.value = 5


# -- tell, ask, stop ------------------------------------------------------------------------------


def test_tell_ask_proxies_events_and_stop_keep_one_order(system: ActorSystem) -> None:
    order: list[object] = []

    class Notes(Agent):
        def on_receive(self, message: object) -> object:
            order.append(message)
            return message

        def note(self, what: object) -> None:
            order.append(what)

        @on("x")
        def take(self, event: Event) -> None:
            order.append(event.payload["n"])

        def on_stop(self) -> None:
            order.append("on_stop")

    ref = system.spawn(Notes)
    proxy = ref.proxy()
    system.pause("notes")
    system.wait_idle(5)
    ref.tell("tell 1")
    asked = ref.ask("ask 2", block=False)
    proxy.note("proxy 3")
    system.publish("x", {"n": "event 4"})
    proxy.note.defer("defer 5")
    ref.tell(Event("x", "me", {"n": "told event 6"}))
    ref.tell("tell 7")
    stopped = ref.stop(block=False)
    late = ref.ask("ask 8: too late", block=False)
    ref.tell("tell 9: too late")
    again = ref.stop(block=False)
    system.resume("notes")
    assert stopped.get(timeout=5) is True
    assert asked.get(timeout=5) == "ask 2"
    assert again.get(timeout=5) is True, "it was being stopped at the time of the call"
    with pytest.raises(pykka.ActorDeadError):
        late.get(timeout=5)
    assert order == [
        "tell 1", "ask 2", "proxy 3", "event 4", "defer 5", "told event 6", "tell 7", "on_stop",
    ]  # fmt: skip


def test_an_ask_sees_earlier_tells(system: ActorSystem) -> None:
    ref = system.spawn(PlainActor)
    for n in range(200):
        ref.tell(n)
    assert ref.ask(GetMessages, timeout=5) == list(range(200))


def test_stop_is_true_for_the_living_and_false_for_the_dead(system: ActorSystem) -> None:
    ref = system.spawn(PlainActor)
    assert ref.is_alive()
    assert ref.stop() is True
    assert not ref.is_alive()
    assert ref.actor_stopped.is_set()
    assert ref.stop() is False
    assert ref.stop(block=False).get(timeout=5) is False
    assert ref.stop(timeout=1) is False


def test_stop_may_time_out(system: ActorSystem) -> None:
    ref = system.spawn(PlainActor)
    system.pause("plain-actor")
    system.wait_idle(5)
    with pytest.raises(pykka.Timeout):
        ref.stop(timeout=0.01)
    system.resume("plain-actor")
    system.wait_idle(5)
    assert not ref.is_alive()


def test_a_dead_ref(system: ActorSystem) -> None:
    ref = system.spawn(PlainActor, name="gone")
    ref.stop()
    with pytest.raises(pykka.ActorDeadError, match=r"agent 'gone' .* not found"):
        ref.tell("x")
    with pytest.raises(pykka.ActorDeadError, match="gone"):
        ref.ask("x")
    future = ref.ask("x", block=False)
    with pytest.raises(pykka.ActorDeadError):
        future.get()
    with pytest.raises(pykka.ActorDeadError):
        asyncio.run(ref.tell_async("x"))
    with pytest.raises(pykka.ActorDeadError):
        asyncio.run(ref.ask_async("x"))


def test_ask_returns_the_answer_a_future_or_times_out(system: ActorSystem) -> None:
    class Slow(Agent):
        async def on_receive(self, message: object) -> object:
            if message == "never":
                await asyncio.Event().wait()
            await asyncio.sleep(0)
            return message

    ref = system.spawn(Slow)
    assert ref.ask("a") == "a"
    assert ref.ask("b", block=False).get(timeout=5) == "b"
    with pytest.raises(pykka.Timeout, match=r"0\.02 seconds"):
        ref.ask("never", timeout=0.02)
    system.kill("slow")


def test_the_default_on_receive_logs_and_answers_none(
    system: ActorSystem, caplog: pytest.LogCaptureFixture
) -> None:
    assert system.spawn(Agent, name="a").ask({"x": 1}, timeout=5) is None
    assert "Unexpected message received by Agent (urn:choreia:local:a): {'x': 1}" in caplog.text


def test_any_message_arrives_as_it_is(system: ActorSystem) -> None:
    class Echo(Agent):
        def on_receive(self, message: object) -> object:
            return message

    ref = system.spawn(Echo)
    thing = object()
    for message in (None, (), (1,), (1, 2), [], {}, thing, Exception("x"), int, "x", b""):
        assert ref.ask(message, timeout=5) is message


def test_told_messages_of_any_kind_arrive_as_they_are(system: ActorSystem) -> None:
    ref = system.spawn(PlainActor)
    messages: list[object] = [None, (), (1,), ((1,),), [1], {}, Exception, "x", 0]
    for message in messages:
        ref.tell(message)
    assert ref.ask(GetMessages, timeout=5) == messages


def test_ask_between_agents_both_ways(system: ActorSystem) -> None:
    class Asks(Agent):
        def on_receive(self, message: Any) -> object:
            depth = message
            if depth == 0:
                return ["end"]
            other = system.ref(f"asks-{depth}")
            return [depth, *other.ask(depth - 1, timeout=10)]

    for n in range(5):
        system.spawn(Asks, name=f"asks-{n}")
    assert system.ref("asks-0").ask(4, timeout=10) == [4, 3, 2, 1, "end"]


def test_asking_oneself_times_out_as_in_pykka(system: ActorSystem) -> None:
    class AsksItself(Agent):
        def on_receive(self, message: object) -> object:
            if message == "inner":
                return "answer"
            with pytest.raises(pykka.Timeout):
                self.actor_ref.ask("inner", timeout=0.02)
            return "timed out"

    assert system.spawn(AsksItself).ask("outer", timeout=10) == "timed out"


def test_tell_to_a_full_mailbox_blocks_until_there_is_room(until: Until) -> None:
    with ActorSystem() as system:
        ref = system.spawn(PlainActor, mailbox=1)
        system.pause("plain-actor")
        system.wait_idle(5)
        ref.tell(1)
        thread = threading.Thread(target=ref.tell, args=(2,))
        thread.start()
        until(lambda: system.inspect().agent("plain-actor").parked, system)
        system.resume("plain-actor")
        thread.join(10)
        assert ref.ask(GetMessages, timeout=5) == [1, 2]


def test_tell_to_one_that_rejects_raises(system: ActorSystem) -> None:
    ref = system.spawn(PlainActor, mailbox=1, overflow="reject")
    system.pause("plain-actor")
    system.wait_idle(5)
    ref.tell(1)
    with pytest.raises(MailboxFull, match="'plain-actor' is full") as caught:
        ref.tell(2)
    assert (caught.value.agent, caught.value.capacity) == ("plain-actor", 1)
    with pytest.raises(MailboxFull):
        asyncio.run(ref.tell_async(2))
    asked = ref.ask(GetMessages, block=False)
    system.resume("plain-actor")
    assert asked.get(timeout=5) == [1], "an ask gets in above capacity, so its timeout holds"


def test_an_inbox_can_be_looked_at_and_put_to_but_not_emptied(system: ActorSystem) -> None:
    ref = system.spawn(PlainActor)
    assert ref.actor_inbox.empty()
    with pytest.raises(TypeError, match="emptied by its turns"):
        ref.actor_inbox.get()


def test_pykkas_registry_is_not_used(system: ActorSystem) -> None:
    system.spawn(PlainActor)
    assert pykka.ActorRegistry.get_all() == []


def test_an_event_may_be_asked_and_fails_as_a_delivery_does(system: ActorSystem) -> None:
    class Handles(Agent):
        retry = Retry(attempts=2, delay=0)

        @on("good")
        def good(self, event: Event) -> None: ...

        @on("bad")
        def bad(self, event: Event) -> None:
            raise ValueError("no")

    ref = system.spawn(Handles)
    assert ref.ask(Event("good", "me"), timeout=5) is None
    with pytest.raises(ValueError, match="no"):
        ref.ask(Event("bad", "me"), timeout=5)
    (letter,) = system.dead_letters()
    assert letter.attempts == 2


# -- futures --------------------------------------------------------------------------------------


def test_futures_map_filter_join_and_reduce(system: ActorSystem) -> None:
    class Gives(Agent):
        def on_receive(self, message: object) -> object:
            return message

    ref = system.spawn(Gives)

    def ask(value: object) -> Any:
        return ref.ask(value, block=False)

    assert ask(30).map(lambda x: x + 10).get(timeout=5) == 40
    assert ask({"foo": "bar"}).map(lambda x: x["foo"]).get(timeout=5) == "bar"
    assert ask(range(5, 15)).filter(lambda x: x > 10).get(timeout=5) == [11, 12, 13, 14]
    assert ask("abc").join(ask(123), ask(False)).get(timeout=5) == ["abc", 123, False]
    assert ask([1, 2, 3]).reduce(lambda x, y: x + y).get(timeout=5) == 6
    assert ask([1, 2, 3]).reduce(lambda x, y: x + y, 5).get(timeout=5) == 11
    assert ask([]).reduce(lambda x, y: x + y, 5).get(timeout=5) == 5
    chained = ask([3, 1, 2]).map(sorted).filter(lambda x: x > 1).reduce(lambda x, y: x * y)
    assert chained.get(timeout=5) == 6
    assert repr(ask(1)) == "<pykka.Future>"


def test_a_future_can_be_got_again_and_get_all_collects(system: ActorSystem) -> None:
    ref = system.spawn(PlainActor)
    futures = [ref.ask(n, block=False) for n in range(3)]
    assert pykka.get_all(futures, timeout=5) == [None] * 3
    assert pykka.get_all(futures) == [None] * 3


def test_a_future_times_out_and_may_be_asked_again(system: ActorSystem) -> None:
    ref = system.spawn(PlainActor)
    system.pause("plain-actor")
    system.wait_idle(5)
    future = ref.ask("x", block=False)
    with pytest.raises(pykka.Timeout):
        future.get(timeout=0.01)
    system.resume("plain-actor")
    assert future.get(timeout=5) is None


def test_awaiting_futures_blocks_no_loop_and_no_thread(
    mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> None:
        pytest.fail("an awaited future took a thread")

    async def main() -> list[Any]:
        got: list[Any] = []
        async with ActorSystem(mode=mode) as system:
            member = system.spawn(Member)
            proxy = member.proxy()
            with monkeypatch.context() as patched:
                patched.setattr(asyncio, "to_thread", refuse)
                got.append(await proxy.slowly(0).map(lambda x: x))
                got.append(await proxy.slowly(0).join(proxy.slowly(1)))
            got.append(await proxy.value)
            got.append(await proxy.slowly(1))
            got.append(await member.ask("hello", block=False))
            got.append(await proxy.value.map(lambda x: x + 10))
            got.append(await proxy.value.join(proxy.doubled))
            got.append(await numbers(member).filter(lambda x: x > 1))
            got.append(await numbers(member).reduce(lambda x, y: x + y))
            with pytest.raises(ValueError, match="no"):
                await proxy.fail()
            with pytest.raises(ValueError, match="no"):
                await proxy.fail().map(lambda x: x)
            with pytest.raises(TimeoutError):
                await system.spawn(Never).ask_async("x", timeout=0.01)
            system.kill("never")
            got.append(await member.stop(block=False))
            got.append(await member.stop(block=False))
            with pytest.raises(pykka.ActorDeadError):
                await member.ask("x", block=False)
        return got

    assert asyncio.run(main())[:2] == [1, [1, 2]]
    assert asyncio.run(main())[2:] == [1, 2, "hello", 11, [1, 2], [2, 3], 6, True, False]


def numbers(ref: pykka.ActorRef[Any]) -> Any:
    return ref.ask([1, 2, 3], block=False)


class Never(Agent):
    async def on_receive(self, message: object) -> object:
        await asyncio.Event().wait()
        return None


def test_awaiting_futures_in_coroutine_handlers(system: ActorSystem, until: Until) -> None:
    """Of agents whose answer is a coroutine too, so that several are under way on the loop."""
    got: list[Any] = []

    class Asks(Agent):
        @on("go")
        async def go(self, event: Event) -> None:
            proxy = system.ref("member").proxy()
            got.append(await proxy.slowly(1))
            got.append(await system.ref("member").ask_async("hello", timeout=5))
            got.append(await proxy.slowly(2).map(lambda x: x * 10))
            both = await asyncio.gather(proxy.slowly(3), proxy.slowly(4))
            got.append(both)
            await system.ref("member").tell_async("told")
            with pytest.raises(TimeoutError):
                await system.ref("never").ask_async("x", timeout=0.01)

    system.spawn(Member)
    system.spawn(Never)
    system.spawn(Asks)
    system.publish("go")
    until(lambda: system.inspect().agent("asks").handled)
    system.kill("never")
    system.wait_idle(5)
    assert system.dead_letters() == []
    assert got == [2, "hello", 30, [4, 5]]
