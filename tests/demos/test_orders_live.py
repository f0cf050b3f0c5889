"""The live view: what it counts, and that it is drawn only where somebody can see it."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from choreia import ActorSystem
from choreia.demos.orders import build, live
from choreia.demos.orders.choreography import place
from choreia.demos.orders.live import Screen, Watch
from choreia.demos.orders.order import Order

ORDERS = [
    Order("A-1", "tea", 1, 450),
    Order("A-2", "tea", 1, 450, card="4000000000000002"),
    Order("A-3", "tea", 1, 450, ship_to="Atlantis"),
    Order("A-4", "tea", 1, 450, cancel_on="order.shipped"),
]


def drawn(console: Console) -> tuple[Watch, str]:
    """The watch at the end, and all that was written meanwhile."""
    with ActorSystem(mode="simulated") as system:
        books = build(system, ORDERS)
        watch = Watch(system, len(ORDERS))
        with Screen(console, watch) as screen:
            for number, order in enumerate(books.day.orders, 1):
                place(system, order)
                screen.placed(number)
            system.wait_idle()
            screen.draw()
    assert isinstance(console.file, StringIO)
    return watch, console.file.getvalue()


def test_it_counts_what_is_done_and_what_is_undone() -> None:
    watch, text = drawn(Console(file=StringIO(), force_terminal=True, width=100, height=40))
    assert watch.ended == len(ORDERS)
    assert watch.seen == {
        "order.created": 4,
        "inventory.reserved": 4,
        "payment.charged": 3,
        "order.shipped": 2,
        "order.completed": 2,
        "payment.refunded": 1,
        "inventory.released": 2,
        "order.cancelled": 2,
        "cancellation.refused": 1,
    }
    for shown in "0 of 4", "4 of 4", "inventory.reserved", "0 of 256", "customer":
        assert shown in text
    assert "watch" not in text  # itself, and the registry, are not what one looks for
    assert "registry" not in text


@pytest.mark.parametrize(
    "console",
    [Console(file=StringIO()), Console(file=StringIO(), force_terminal=True, quiet=True)],
    ids=["no terminal", "quiet"],
)
def test_nothing_is_drawn_where_nobody_looks(console: Console) -> None:
    watch, text = drawn(console)
    assert watch.ended == len(ORDERS)
    assert text == ""
    assert not Screen(console, watch).shown  # drawing in vain would take its time, too


def test_who_watches_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "BACKLOG", 5)
    with ActorSystem(mode="simulated") as system:
        build(system, ORDERS)
        Watch(system, len(ORDERS))
        system.pause("watch")
        for order in ORDERS:
            place(system, order)
        system.advance(1)
        view = system.inspect()
        assert view.agent("watch").dropped > 0
        assert all(agent.mailbox_size == 0 for agent in view.agents if agent.kind == "agent")
        system.resume("watch")
