"""Testing agents: the harness, what it gives, and what it raises."""

from __future__ import annotations

from choreia.actors.testing.harness import EventTestHarness as EventTestHarness
from choreia.actors.testing.probe import Probe as Probe
from choreia.runtime.errors import ExpectationFailed as ExpectationFailed
