"""The five agents in one system, and orders for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b

from attrs import asdict, astuple

from choreia import ActorSystem, Agent, Event, InvalidStore
from choreia.demos.orders.books import Agents, Books
from choreia.demos.orders.customer import Customer
from choreia.demos.orders.events import DayOpened, OrderPlaced
from choreia.demos.orders.inventory import Inventory
from choreia.demos.orders.order import Day, Order
from choreia.demos.orders.payment import Payment
from choreia.demos.orders.shipping import Shipping
from choreia.demos.orders.shop import Shop

DEFAULT_STOCK = 10
"""Pieces of an item whose stock nobody has told."""
MAILBOX = 256
MOST_TOLD = 5_000
"""Items whose stock fits into an event."""


def build(
    system: ActorSystem,
    orders: Iterable[Order] = (),
    stock: Mapping[str, int] | None = None,
    *,
    mailbox: int = MAILBOX,
) -> Books:
    """Spawn the five agents, ready for `orders`, and give their books.

    Items that `stock` does not name start with `DEFAULT_STOCK` pieces. Nothing is ordered yet:
    `place` the orders, let the system come to rest, and `audit` the books. Without orders and
    stock, in a store that is about a day, the stock is that day's.
    """
    if stock is None and not orders:
        stock = _stock_in(system)
    orders = tuple(orders)
    day = Day(orders, {item.item: DEFAULT_STOCK for item in orders} | dict(stock or {}))
    agents = Agents()

    def employ(name: str, make: Callable[[], Agent]) -> None:
        def begin() -> Agent:
            agent = make()
            setattr(agents, name, agent)
            return agent

        # In a store that has orders already: all of them.
        system.spawn(begin, name=name, mailbox=mailbox, start="beginning")

    employ("shop", Shop)
    employ("inventory", lambda: Inventory(day.stock))
    employ("payment", Payment)
    employ("shipping", Shipping)
    employ("customer", Customer)
    return Books(day, agents)


def open_day(system: ActorSystem, day: Day) -> None:
    """Have the system's store be about that day. Raises `DuplicateId` when it is about another."""
    said = repr((sorted(day.stock.items()), [astuple(order) for order in day.orders]))
    digest = blake2b(said.encode(), digest_size=16).hexdigest()
    stock = dict(day.stock) if len(day.stock) <= MOST_TOLD else {}
    opened = DayOpened(len(day.orders), digest, stock)
    system.publish("day.opened", asdict(opened), id="day")


def _stock_in(system: ActorSystem) -> Mapping[str, int]:
    """The stock of the day that the system's store is about; nothing, if there is none."""
    try:
        opened = system.store.find("day")
    except InvalidStore:
        return {}
    return {} if opened is None else dict(opened.event.payload.get("stock", {}))


def case_of(order_id: str) -> str:
    """The case that an order is, and the id of the event that begins it: placed twice, it is one
    order."""
    return f"order-{order_id}"


def place(system: ActorSystem, order: Order, timeout: float | None = None) -> None:
    """Order something: a case of its own. Waits while the shop's mailbox is full."""
    system.publish(OrderPlaced(order), id=case_of(order.id), timeout=timeout)


def place_once(system: ActorSystem, orders: Iterable[Order]) -> None:
    """Order all of it, in a system with a store: what has been ordered before, is not ordered
    again, whatever ended that process."""
    system.publish_many(
        Event(
            type="order.placed",
            source="customers",
            payload=OrderPlaced(order),
            timestamp=system.clock.now(),
            id=case_of(order.id),
            metadata={"correlationId": case_of(order.id)},
        )
        for order in orders
    )
