"""Time that is passed to the last bit, and waiting that ends."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from choreia import Agent, Event, on
from choreia.testing import EventTestHarness


class Clockwork(Agent):
    """Ticks at moments, and rings `within` seconds."""

    @on("wound")
    def tick(self, event: Event) -> None:
        for moment in event.payload["moments"]:
            self.after(moment, "ticked")
        self.after(event.payload["within"], "rang")


moments = st.floats(0, 1_000)


@settings(max_examples=50)
@given(moments, st.lists(moments, max_size=5), moments)
def test_what_is_due_at_the_very_end_is_in_time(
    start: float, ticks: list[float], within: float
) -> None:
    """However often whoever waits is woken before, and whatever the sums of floats are."""
    with EventTestHarness() as harness:
        harness.with_agents(Clockwork).advance(start)
        harness.simulate_event("wound", {"moments": ticks, "within": within})
        harness.expect("rang", within=within)
        assert harness.clock.now() == start + within


class Echo(Agent):
    @on("said")
    def answer(self, event: Event) -> None:
        self.emit("echoed", event.payload)


def test_a_system_that_has_stopped_is_not_waited_for(harness: EventTestHarness) -> None:
    harness.with_agents(Echo).simulate_event("said")
    harness.system.stop()
    harness.expect("echoed")
    harness.expect_no("nothing", within=20)
    harness.advance(20)
    assert [event.type for event in harness.published_events()] == ["echoed"]
    harness.close()
