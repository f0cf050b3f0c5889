"""The plugin of pytest: the fixture ``event_harness``, its options, its marker, its report.

pytest loads it in every run, also in those that test something else. So it imports nothing but
pytest; the harness is loaded when a test first asks for it.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from choreia.actors.testing.harness import EventTestHarness

_MARKER = (
    "choreia(mode=None, seed=None, allow=()): how event_harness runs this test "
    "(mode='threads' or 'simulated'; a seed of its own) and what it may leave behind"
)
_ARGUMENTS = frozenset({"allow", "mode", "seed"})
_harness = pytest.StashKey["EventTestHarness"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("choreia", "event-driven agents (Choreia)")
    group.addoption(
        "--choreia-mode",
        choices=["simulated", "threads"],
        default="simulated",
        help="what tests with event_harness run on, unless they say so themselves",
    )
    group.addoption(
        "--choreia-seed",
        type=int,
        default=0,
        metavar="N",
        help="the seed of their order under simulation (default: 0)",
    )
    group.addoption(
        "--choreia-schedules",
        type=_at_least_one,
        default=1,
        metavar="N",
        help="run each of them under so many seeds, from --choreia-seed on",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", _MARKER)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test with ``event_harness`` becomes one per seed, unless its marker names the seed."""
    schedules = _number(metafunc.config, "--choreia-schedules")
    if "choreia_seed" not in metafunc.fixturenames or schedules == 1:
        return
    if _marked(metafunc.definition).get("seed") is None:
        first = _number(metafunc.config, "--choreia-seed")
        seeds = range(first, first + schedules)
        ids = [f"seed{seed}" for seed in seeds]
        metafunc.parametrize("choreia_seed", seeds, indirect=True, ids=ids)


@pytest.fixture
def choreia_seed(request: pytest.FixtureRequest) -> int:
    """The seed of this run of the test: its marker's, or the command line's."""
    given: Any = _marked(request.node).get("seed")
    if given is None:
        given = getattr(request, "param", _number(request.config, "--choreia-seed"))
    return int(given)


@pytest.fixture
def event_harness(
    request: pytest.FixtureRequest, choreia_seed: int
) -> Generator[EventTestHarness, None, None]:
    """An `EventTestHarness` without agents: ``event_harness.with_agents(Orders, Payments)``.

    When the test is over, dead letters, errors of handlers, events in flight and agents that hang
    fail it, unless they were expected or are allowed.
    """
    from choreia.actors.testing.harness import EventTestHarness

    marked = _marked(request.node)
    mode: Any = marked.get("mode") or request.config.getoption("--choreia-mode")
    own = marked.get("seed") is not None
    harness = EventTestHarness(
        mode=mode,
        seed=choreia_seed,
        allow=marked.get("allow", ()),
        repeat="its marker gives it" if own else f"pytest --choreia-seed {choreia_seed}",
    )
    request.node.stash[_harness] = harness
    yield harness
    harness.abandon()  # nothing is left to check: what a failed test leaves behind is not its fault


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """The test has ended well: check what it leaves behind, as if that were its last line.

    Not when the fixture ends, or the test would have passed, and something else would have failed.
    """
    __tracebackhide__ = True
    yield
    harness = item.stash.get(_harness, None)
    if harness is not None:
        harness.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that fails by an assertion of its own is told what happened, too."""
    report = yield
    harness = item.stash.get(_harness, None)
    told = harness is None or call.when == "teardown" or not report.failed or _has_told(call)
    if harness is not None and not told:
        report.sections.append(("choreia", _story(harness)))
    return report


def _has_told(call: pytest.CallInfo[None]) -> bool:
    """Whether the failure is one of the harness's own, which tells it in its message."""
    from choreia.runtime.errors import ExpectationFailed

    return call.excinfo is not None and isinstance(call.excinfo.value, ExpectationFailed)


def _story(harness: EventTestHarness) -> str:
    try:
        return harness.report()
    except Exception as error:  # it must not stand in for the failure
        return f"what happened cannot be told: {error!r}"


def _marked(node: pytest.Item) -> Mapping[str, Any]:
    """The arguments of the test's marker; the nearest one wins. Raises `pytest.UsageError`."""
    given: dict[str, Any] = {}
    for marker in node.iter_markers("choreia"):
        if marker.args or not marker.kwargs.keys() <= _ARGUMENTS:
            raise pytest.UsageError(
                f"{node.nodeid}: @pytest.mark.choreia takes mode=, seed= and allow=, by name"
            )
        given = {**marker.kwargs, **given}
    return given


def _number(config: pytest.Config, option: str) -> int:
    number: Any = config.getoption(option)
    return int(number)


def _at_least_one(text: str) -> int:
    count = int(text)
    if count < 1:
        raise ValueError("1 or more")
    return count
