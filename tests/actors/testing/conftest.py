"""A harness per dispatcher, and one in virtual time; the tests need not end them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest

from choreia.testing import EventTestHarness

Mode = Literal["threads", "simulated"]


@pytest.fixture
def harness(mode: Mode) -> Iterator[EventTestHarness]:
    harness = EventTestHarness(mode=mode)
    yield harness
    harness.abandon()


@pytest.fixture
def virtual() -> Iterator[EventTestHarness]:
    harness = EventTestHarness()
    yield harness
    harness.abandon()
