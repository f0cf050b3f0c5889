"""When an agent begins anew, and when it is given up: exact at the edges, and against a model."""

from __future__ import annotations

import re
from itertools import accumulate
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreia.runtime.errors import InvalidAgent
from choreia.runtime.health.restart import Intensity, Restart, Verdict


def verdicts(policy: Restart, times: list[float]) -> list[Verdict]:
    intensity = Intensity(policy)
    return [intensity.failed(at) for at in times]


# -- the policy -----------------------------------------------------------------------------------


def test_defaults() -> None:
    assert Restart() == Restart(failures=5, max_restarts=3, window=60)


@pytest.mark.parametrize("value", [-1, 1.0, True, None, "1"])
@pytest.mark.parametrize("name", ["failures", "max_restarts"])
def test_counts_are_whole(name: str, value: object) -> None:
    fields: dict[str, Any] = {name: value}
    message = f"Restart({name}={value!r}): give a whole number, 0 or more"
    with pytest.raises(InvalidAgent, match=re.escape(message)):
        Restart(**fields)


@pytest.mark.parametrize("value", [0, -1, inf, nan, True, None, "1"])
def test_a_window_has_a_length(value: Any) -> None:
    message = f"Restart(window={value!r}): give seconds, more than 0"
    with pytest.raises(InvalidAgent, match=re.escape(message)):
        Restart(window=value)


# -- the edges ------------------------------------------------------------------------------------


def test_as_many_failures_as_allowed_go_on() -> None:
    assert verdicts(Restart(failures=2), [1, 2]) == ["go on"] * 2


def test_one_more_is_a_restart() -> None:
    assert verdicts(Restart(failures=2), [1, 2, 3]) == ["go on", "go on", "restart"]


def test_with_no_failure_allowed_the_first_is_a_restart() -> None:
    assert verdicts(Restart(failures=0, max_restarts=1), [1, 1]) == ["restart", "stop"]


def test_with_no_restart_allowed_it_is_stopped_at_once() -> None:
    assert verdicts(Restart(failures=0, max_restarts=0), [1]) == ["stop"]


def test_a_failure_a_window_ago_counts() -> None:
    assert verdicts(Restart(failures=1, window=10), [0, 10]) == ["go on", "restart"]


def test_a_failure_before_that_does_not() -> None:
    times = [0, 10.5, 20.5]
    assert verdicts(Restart(failures=1, window=10), times) == ["go on", "go on", "restart"]


def test_a_new_instance_starts_without_failures() -> None:
    assert verdicts(Restart(failures=1, max_restarts=9), [1, 1, 1, 1]) == ["go on", "restart"] * 2


def test_as_many_restarts_as_allowed_then_the_end() -> None:
    policy = Restart(failures=0, max_restarts=2, window=10)
    assert verdicts(policy, [0, 5, 10]) == ["restart", "restart", "stop"]


def test_restarts_are_forgotten_after_a_window_too() -> None:
    policy = Restart(failures=0, max_restarts=2, window=10)
    assert verdicts(policy, [0, 5, 10.5, 15]) == ["restart", "restart", "restart", "stop"]


def test_a_restart_for_another_reason_counts() -> None:
    intensity = Intensity(Restart(failures=0, max_restarts=2))
    assert [intensity.restarting(1.0), intensity.restarting(2.0)] == ["restart", "restart"]
    assert intensity.failed(3.0) == "stop"


def test_a_restart_for_another_reason_leaves_failures_as_they_are() -> None:
    intensity = Intensity(Restart(failures=1))
    assert intensity.failed(1.0) == "go on"
    assert intensity.restarting(2.0) == "restart"
    assert intensity.failed(3.0) == "restart"


# -- the model ------------------------------------------------------------------------------------


class Model:
    """The same, said naively: lists of everything, counted anew each time."""

    def __init__(self, policy: Restart) -> None:
        self.policy = policy
        self.failures: list[float] = []
        self.restarts: list[float] = []

    def recent(self, times: list[float], at: float) -> int:
        return sum(at - time <= self.policy.window for time in times)

    def failed(self, at: float) -> Verdict:
        self.failures.append(at)
        if self.recent(self.failures, at) <= self.policy.failures:
            return "go on"
        self.failures = []
        return self.restarting(at)

    def restarting(self, at: float) -> Verdict:
        self.restarts.append(at)
        return "stop" if self.recent(self.restarts, at) > self.policy.max_restarts else "restart"


policies = st.builds(
    Restart,
    failures=st.integers(0, 4),
    max_restarts=st.integers(0, 4),
    window=st.integers(1, 12),
)


@given(policies, st.lists(st.tuples(st.booleans(), st.integers(0, 6)), max_size=40))
def test_it_does_what_the_model_does(policy: Restart, steps: list[tuple[bool, int]]) -> None:
    intensity, model = Intensity(policy), Model(policy)
    times = accumulate(pause for _, pause in steps)
    for (fails, _), at in zip(steps, times, strict=True):
        if fails:
            assert intensity.failed(at) == model.failed(at)
        else:
            assert intensity.restarting(at) == model.restarting(at)
