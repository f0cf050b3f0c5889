"""Subscriptions, and the table that resolves event types to them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from choreia.runtime.delivery.subscription import Subscription, SubscriptionTable
from choreia.runtime.events.filter import Filter
from choreia.runtime.events.topic import TopicPattern

SEGMENTS = st.sampled_from(["a", "b", "c"])
TYPES = st.lists(SEGMENTS, min_size=1, max_size=4).map(".".join)
PATTERNS = st.lists(st.one_of(SEGMENTS, st.sampled_from(["*", "#"])), min_size=1, max_size=4).map(
    ".".join
)

Plan: TypeAlias = tuple[str, tuple[object, ...]]
Table: TypeAlias = SubscriptionTable[object, Plan]


def plan(type: str, subscriptions: tuple[Subscription[object], ...]) -> Plan:
    return type, tuple(subscription.target for subscription in subscriptions)


def table(cache_size: int = 4096) -> Table:
    return SubscriptionTable(plan, cache_size)


def subscription(pattern: str, target: object = None) -> Subscription[object]:
    return Subscription(TopicPattern(pattern), None, target)


def naive(pattern: Sequence[str], segments: Sequence[str]) -> bool:
    if not pattern:
        return not segments
    if pattern[0] == "#":
        return any(naive(pattern[1:], segments[n:]) for n in range(len(segments) + 1))
    return bool(segments) and (
        pattern[0] in ("*", segments[0]) and naive(pattern[1:], segments[1:])
    )


# -- a subscription -------------------------------------------------------------------------


def test_a_subscription_is_frozen_and_compared_by_identity() -> None:
    only = Filter({"payload.x": 1})
    one = Subscription(TopicPattern("a"), only, "target", order=7)
    other = Subscription(TopicPattern("a"), only, "target", order=7)
    assert one != other
    assert len({one, other}) == 2
    assert (one.filter, one.target, one.order) == (only, "target", 7)
    with pytest.raises(AttributeError):
        one.order = 8  # pyright: ignore[reportAttributeAccessIssue]


def test_the_default_order_is_that_of_creation() -> None:
    orders = [subscription("a").order for _ in range(5)]
    assert orders == sorted(set(orders))


# -- resolving ------------------------------------------------------------------------------


def test_all_patterns_that_select_a_type_are_resolved_in_order() -> None:
    routes = table()
    patterns = ["#", "task.done", "task.*", "x.y", "#.done", "task", "task.#", "task.done"]
    for pattern in patterns:
        routes.add(subscription(pattern, pattern))
    expected = ("#", "task.done", "task.*", "#.done", "task.#", "task.done")
    assert routes.resolve("task.done") == ("task.done", expected)


def test_the_given_order_decides_whenever_they_were_added() -> None:
    routes = table()
    for order in (3, 1, 2):
        pattern = TopicPattern(["a", "#", "*"][order - 1])
        routes.add(Subscription(pattern, None, order, order=order))
    assert routes.resolve("a")[1] == (1, 2, 3)


def test_a_type_that_nobody_wants_resolves_to_nobody() -> None:
    routes = table()
    routes.add(subscription("a.b"))
    assert routes.resolve("a") == ("a", ())


def test_a_resolution_is_compiled_once() -> None:
    compiled: list[str] = []

    def compile(type: str, subscriptions: tuple[Subscription[object], ...]) -> Plan:
        compiled.append(type)
        return plan(type, subscriptions)

    routes = SubscriptionTable(compile)
    routes.add(subscription("a.*"))
    assert routes.resolve("a.b") is routes.resolve("a.b")
    assert routes.hot.get("a.b") is routes.resolve("a.b")
    assert compiled == ["a.b"]


def test_adding_and_removing_twice_is_told() -> None:
    routes = table()
    one = subscription("a.*", 1)
    assert routes.add(one)
    assert not routes.add(one)
    assert len(routes) == 1
    assert routes.resolve("a.b")[1] == (1,)
    assert routes.remove(one)
    assert not routes.remove(one)
    assert len(routes) == 0
    assert routes.resolve("a.b")[1] == ()


def test_matching_is_not_cached() -> None:
    routes = table()
    one = subscription("a")
    routes.add(one)
    assert routes.matching("a") == (one,)
    assert not routes.hot


# -- forgetting what has changed ----------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "kept"),
    [
        ("a.b", {"a.c", "b", "b.b"}),
        ("a.*", {"b", "b.b"}),
        ("#.b", {"a.c"}),
        ("#", set[str]()),
        ("d", {"a.b", "a.c", "b", "b.b"}),
    ],
)
def test_a_change_forgets_exactly_the_types_it_touches(pattern: str, kept: set[str]) -> None:
    routes = table()
    one = subscription(pattern)
    for change in (routes.add, routes.remove):
        for type in ("a.b", "a.c", "b", "b.b"):
            routes.resolve(type)
        change(one)
        assert set(routes.hot) == kept


def test_a_wildcard_tries_no_more_than_some_cached_types() -> None:
    routes = table()
    for number in range(4_000):
        routes.resolve(f"type.{number}")
    routes.add(subscription("other.*"))
    assert not routes.hot  # all forgotten, instead of 4,000 tried


def test_hot_is_one_dict_for_ever_and_bounded() -> None:
    routes = table(cache_size=10)
    hot = routes.hot
    for number in range(100):
        routes.resolve(f"type.{number}")
        assert len(hot) <= 10
        assert f"type.{number}" in hot
    routes.add(subscription("#"))
    assert routes.hot is hot


def test_exact_patterns_leave_the_other_cached_types_alone() -> None:
    compiled: list[str] = []

    def compile(type: str, _: tuple[Subscription[object], ...]) -> str:
        compiled.append(type)
        return type

    routes = SubscriptionTable(compile)
    for number in range(5_000):
        routes.add(subscription(f"assigned.{number}"))
        routes.resolve("other.type")
    assert compiled == ["other.type"]


class TableMachine(RuleBasedStateMachine):
    """A table and a plain list, changed alike: what is cached must never be told from new."""

    def __init__(self) -> None:
        super().__init__()
        self.table = table(cache_size=5)
        self.subscriptions: list[Subscription[object]] = []
        self.count = 0

    @rule(pattern=PATTERNS)
    def add(self, pattern: str) -> None:
        self.count += 1
        added = subscription(pattern, self.count)
        self.table.add(added)
        self.subscriptions.append(added)

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        if self.subscriptions:
            one = data.draw(st.sampled_from(self.subscriptions))
            self.subscriptions.remove(one)
            assert self.table.remove(one)

    @rule(type=TYPES)
    def resolve(self, type: str) -> None:
        assert self.table.resolve(type) == (type, self.expected(type))

    @invariant()
    def what_is_cached_is_true(self) -> None:
        for type, found in self.table.hot.items():
            assert found == (type, self.expected(type))
        assert len(self.table.hot) <= 5
        assert len(self.table) == len(self.subscriptions)

    def expected(self, type: str) -> tuple[object, ...]:
        segments = type.split(".")
        return tuple(
            one.target
            for one in self.subscriptions
            if naive(one.pattern.pattern.split("."), segments)
        )


TestTableMachine = TableMachine.TestCase


# -- several threads ------------------------------------------------------------------------


@pytest.mark.parametrize("late", ["a.b", "#"])
def test_what_was_compiled_during_a_change_is_not_cached(late: str) -> None:
    def compile(type: str, subscriptions: tuple[Subscription[object], ...]) -> Plan:
        if changes:
            routes.add(changes.pop())
        return plan(type, subscriptions)

    changes = [subscription(late, "late")]
    routes = SubscriptionTable(compile)
    assert routes.resolve("a.b") == ("a.b", ())  # true when it was looked up
    assert routes.resolve("a.b") == ("a.b", ("late",))


def test_compile_is_called_without_the_lock() -> None:
    """So that an owner may take locks of its own in it, and another thread may go on."""

    def compile(type: str, subscriptions: tuple[Subscription[object], ...]) -> Plan:
        other = threading.Thread(target=lambda: routes.add(subscription("x")), daemon=True)
        other.start()
        other.join(timeout=30)
        assert not other.is_alive()
        return plan(type, subscriptions)

    routes = SubscriptionTable(compile)
    assert routes.resolve("a") == ("a", ())


def test_threads_that_change_and_resolve_leave_no_stale_entry() -> None:
    routes = table(cache_size=50)
    types = [f"{first}.{second}" for first in "abc" for second in "abc"]
    failures: list[BaseException] = []

    def change(pattern: str) -> None:
        for _ in range(300):
            one = subscription(pattern)
            routes.add(one)
            routes.remove(one)
        routes.add(subscription(pattern, pattern))

    def ask() -> None:
        for _ in range(300):
            for type in types:
                assert routes.resolve(type)[0] == type

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # reported by the test's own thread
            failures.append(error)

    patterns = ["a.*", "#.b", "c.c", "#"]
    works = [*(partial(change, pattern) for pattern in patterns), ask, ask, ask]
    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    for type in types:
        expected = {p for p in patterns if naive(p.split("."), type.split("."))}
        assert set(routes.resolve(type)[1]) == expected


# -- size -------------------------------------------------------------------------------------


def test_a_hundred_thousand_subscriptions_of_one_pattern_come_and_go() -> None:
    """Quadratic removal would take minutes."""
    routes = table()
    many = [subscription("same.*") for _ in range(100_000)]
    for one in many:
        routes.add(one)
    assert len(routes.matching("same.x")) == 100_000
    for one in many:
        assert routes.remove(one)
    assert len(routes) == 0
    assert routes.matching("same.x") == ()


def test_a_subscription_of_its_own_pattern_takes_little_memory() -> None:
    import tracemalloc

    routes = table()
    count = 20_000
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(count):
            routes.add(subscription(f"task.assigned.agent-{number}"))
        used = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert used / count < 700
