"""What holds for every test: in how many processes, the flag for long runs, and Hypothesis
without a stopwatch."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
from hypothesis import settings

# A deadline would fail a test for the machine's mood. In CI Hypothesis itself chooses its
# profile, with the same examples every time; elsewhere it looks for new ones.
settings.register_profile(
    "choreia", parent=settings.get_profile(settings.get_current_profile_name()), deadline=None
)
settings.load_profile("choreia")

MOST_WORKERS = 4
"""Each collects all tests: more of them do not end sooner."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="also run the tests that take minutes")
    parser.addoption(
        "--kills", default=30, type=int, help="how often processes with a store are killed"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Whole folders are run on several cores, unless the command line says how (``-n 0``).

    Here, not in `addopts`: there it would hold for a few tests, too, which end before workers
    have begun, and a debugger would be refused, and ``-p no:xdist``.
    """
    option = config.option
    worker = hasattr(config, "workerinput")
    if worker or not config.pluginmanager.hasplugin("xdist"):
        return
    chosen = option.numprocesses is not None or option.dist != "no" or option.tx or option.distload
    looked_at = option.usepdb or option.trace or option.capture == "no"
    few = option.keyword or not all(Path(arg).is_dir() for arg in config.args)
    if not (chosen or looked_at or few or option.soak):  # a soak measures its process
        option.numprocesses = min(MOST_WORKERS, os.cpu_count() or 1)
        option.dist = "worksteal"  # begins with halves: most files stay whole, and in order


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--soak"):
        return
    kept = [item for item in items if item.get_closest_marker("soak") is None]
    if len(kept) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept


def pytest_collection_finish() -> None:
    """Thousands of tests stay for good: no collection needs to look at them again, half a second
    each time."""
    gc.collect()
    gc.freeze()
