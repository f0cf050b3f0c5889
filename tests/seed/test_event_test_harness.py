"""The harness of "Testing Event-Driven Agents", line by line.

It comes from the description of the architecture that Choreia implements. Kept are its names, its
events and what it asserts; what stood for a bus there is the harness's own here. Once more at the
end, as one would write it today.
"""

from __future__ import annotations

from typing import Any, Literal

import pytest

from choreia import Agent, Event, on
from choreia.testing import EventTestHarness

Mode = Literal["threads", "simulated"]


class EventDrivenAgent(Agent):
    """Agent that operates entirely through events."""

    def __init__(self, agent_id: str) -> None:
        super().__init__()
        self.agent_id = agent_id

    @on("task.assigned.{agent_id}")
    async def _handle_task_assigned(self, event: Event) -> None:
        """Process assigned task."""
        # Emit acknowledgment
        await self.emit_now_async("task.acknowledged", {"task_id": event.payload["task_id"]})
        try:
            result = await self._execute_task(event.payload)
            self.emit("task.completed", {"task_id": event.payload["task_id"], "result": result})
        except Exception as error:
            self.emit("task.failed", {"task_id": event.payload["task_id"], "error": str(error)})

    @on("agent.{agent_id}.query")
    def _handle_query(self, event: Event) -> None:
        """Of this, and of the next, only the subscription was shown."""

    @on("system.shutdown")
    def _handle_shutdown(self, event: Event) -> None:
        """See above."""

    async def _execute_task(self, task: dict[str, Any]) -> str:
        return f"done: {task['description']}"


class SeedsEventTestHarness:
    """Test harness for event-driven agents."""

    def __init__(self, mode: Mode) -> None:
        self.harness = EventTestHarness(mode=mode)

    def test_task_completion(self) -> None:
        self.harness.spawn(lambda: EventDrivenAgent("test-agent"), name="test-agent")

        # Simulate task assignment
        self.harness.simulate_event(
            Event(
                type="task.assigned.test-agent",
                source="orchestrator",
                payload={"task_id": "t-1", "description": "Test task"},
            )
        )
        self.harness.wait_idle()

        # Verify expected events were published
        published_events = self.harness.published_events()
        assert any(e.type == "task.acknowledged" for e in published_events)
        assert any(e.type == "task.completed" for e in published_events)


@pytest.mark.parametrize("mode", ["threads", "simulated"])
def test_the_harness_as_it_was_written(mode: Mode) -> None:
    test = SeedsEventTestHarness(mode)
    with test.harness:
        test.test_task_completion()


@pytest.mark.parametrize("mode", ["threads", "simulated"])
def test_task_completion(event_harness: EventTestHarness, mode: Mode) -> None:
    event_harness.with_agents(lambda: EventDrivenAgent("test-agent"), mode=mode)
    event_harness.simulate_event(
        "task.assigned.test-agent",
        {"task_id": "t-1", "description": "Test task"},
        source="orchestrator",
    )
    acknowledged, completed = event_harness.expect_sequence(
        ("task.acknowledged", {"task_id": "t-1"}),
        ("task.completed", {"task_id": "t-1", "result": "done: Test task"}),
    )
    assert acknowledged.metadata.correlation_id == completed.metadata.correlation_id
    event_harness.expect_no("task.failed")
