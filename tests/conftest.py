"""What holds for every test: the flag for long runs, and Hypothesis without a stopwatch."""

from __future__ import annotations

import pytest
from hypothesis import settings

# A deadline would fail a test for the machine's mood. In CI Hypothesis itself chooses its
# profile, with the same examples every time; elsewhere it looks for new ones.
settings.register_profile(
    "choreia", parent=settings.get_profile(settings.get_current_profile_name()), deadline=None
)
settings.load_profile("choreia")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="also run the tests that take minutes")
    parser.addoption(
        "--kills", default=30, type=int, help="how often processes with a store are killed"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--soak"):
        return
    kept = [item for item in items if item.get_closest_marker("soak") is None]
    if len(kept) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept
