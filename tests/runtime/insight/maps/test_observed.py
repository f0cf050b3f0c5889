"""Declared ways, and those that were taken."""

from __future__ import annotations

from itertools import count

from choreia.runtime.events.event import Event
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.insight.maps.observed import observe
from choreia.runtime.insight.maps.picture import NOBODY, OUTSIDE, Arrow, Picture, picture
from tests.runtime.insight.maps.conftest import SHOP

_POSITIONS = count(1)


def _said(type: str, agent: str, cause: str | None = None, id: str | None = None) -> Recorded:
    source = f"did:choreia:local:{agent}" if agent else "website"
    metadata = {"correlationId": "case", **({"causationId": cause} if cause else {})}
    position = next(_POSITIONS)
    return Recorded(
        position, Event(type, source, {}, metadata=metadata, id=id or f"event-{position}")
    )


def _arrow(drawn: Picture, sayer: str, type: str, hearer: str) -> Arrow:
    [found] = [
        one for one in drawn.arrows if (one.sayer, one.type, one.hearer) == (sayer, type, hearer)
    ]
    return found


def _observe(*recorded: Recorded) -> Picture:
    return observe(picture(SHOP), SHOP, recorded)


def test_what_was_said_is_counted_on_each_way() -> None:
    drawn = _observe(
        _said("order.placed", "", id="one"),
        _said("order.placed", "", id="two"),
        _said("order.opened", "clerk", "one", id="three"),
        _said("parcel.packed.small", "packer", "three"),
    )

    placed = _arrow(drawn, OUTSIDE, "order.placed", "clerk")
    assert (placed.count, placed.answered) == (2, 1)
    assert _arrow(drawn, "clerk", "order.opened", "packer").count == 1
    assert _arrow(drawn, "packer", "parcel.packed.#", NOBODY).count == 1
    assert _arrow(drawn, "clerk", "order.late", "packer").count == 0
    assert all(arrow.declared for arrow in drawn.arrows)
    assert drawn.events == 4


def test_what_is_not_declared_is_an_arrow_of_its_own() -> None:
    drawn = _observe(
        _said("order.placed", "", id="one"),
        _said("order.moved", "clerk", "one", id="two"),
        _said("parcel.packed.small", "packer", "two"),
        _said("parcel.packed.small", "packer", "one"),
        _said("news", "stranger"),
    )

    extra = {(one.sayer, one.type, one.hearer) for one in drawn.arrows if not one.declared}
    assert extra == {
        ("clerk", "order.moved", "packer"),
        (OUTSIDE, "order.placed", "packer"),
        ("stranger", "news", NOBODY),
    }


def test_members_of_a_family_are_one_agent_and_two_answers_one() -> None:
    drawn = _observe(
        _said("order.placed", "", id="one"),
        _said("order.opened", "clerk:17", "one"),
        _said("order.late", "clerk:17", "one"),
    )

    assert _arrow(drawn, OUTSIDE, "order.placed", "clerk").answered == 1
    assert _arrow(drawn, "clerk", "order.late", "packer").count == 1


def test_the_runtimes_own_news_is_left_out() -> None:
    drawn = _observe(_said("agent.started", "system"), _said("timer.clerk.tick", "clerk"))

    # `agent.started` is left out when the choreography says that it is the runtime's.
    assert drawn.events == 1
    assert [one.type for one in drawn.arrows if not one.declared] == ["agent.started"]
