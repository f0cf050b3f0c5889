"""The plugin, as users meet it: in a pytest of its own, with an installed Choreia."""

from __future__ import annotations

import json
import textwrap

import pytest

pytest_plugins = ["pytester"]

SHOP = """
from choreia import Agent, on


class Payments(Agent):
    @on("order.placed")
    def take(self, event):
        self.emit("payment.taken", event.payload)


class Shipping(Agent):
    @on("payment.taken")
    def pack(self, event):
        self.after(30, "shipment.created", event.payload)


class Bank(Agent):
    retry = None

    @on("order.placed")
    def charge(self, event):
        raise ConnectionError("the bank is closed")


class Voice(Agent):
    @on("order.placed")
    def speak(self, event):
        self.emit(f"said.{self.name}")
"""


QUICK = tuple(f"-pno:{name}" for name in ("cacheprovider", "hypothesispytest", "timeout", "xdist"))
"""Other plugins take time to load."""


class Run:
    """One run of pytest over `tests`, which may use `SHOP`."""

    def __init__(self, pytester: pytest.Pytester, tests: str, *options: str) -> None:
        pytester.makepyfile(shop=SHOP, test_it="from shop import *\n\n" + textwrap.dedent(tests))
        self.result = pytester.runpytest_subprocess(
            "-W", "error", "--strict-markers", "-rA", *QUICK, *options
        )
        self.out = self.result.stdout.str()
        self.outcomes = self.result.parseoutcomes()

    def of(self, test: str) -> str:
        """What is told of one test that failed."""
        begin = self.out.index(f"_ {test} _")
        end = self.out.find("\n____", begin + 1)
        return self.out[begin : end if end > 0 else self.out.find("\n====", begin)]


def test_the_example(pytester: pytest.Pytester) -> None:
    run = Run(
        pytester,
        """
        def test_ship(event_harness):
            h = event_harness.with_agents(Payments, Shipping)
            h.simulate_event("order.placed", {"order": 7})
            h.expect_no("shipment.*")
            e = h.expect("shipment.created", {"order": 7}, within=60)
            assert h.clock.now() == 30 and h.published_events("payment.*")
        """,
    )
    assert run.outcomes == {"passed": 1}


def test_what_fails_and_what_is_told_of_it(pytester: pytest.Pytester) -> None:
    run = Run(
        pytester,
        """
        import pytest

        def placed(h):
            h.simulate_event("order.placed", {"order": 7})
            return h

        def test_expectation(event_harness):
            placed(event_harness.with_agents(Payments)).expect("payment.taken", {"order": 8})

        def test_assertion(event_harness):
            assert len(placed(event_harness.with_agents(Payments)).published_events()) == 2

        def test_assertion_without_a_harness():
            assert 1 == 2

        def test_assertion_before_anything(event_harness):
            assert 1 == 2

        def test_end(event_harness):
            placed(event_harness.with_agents(Bank))

        def test_fails_and_leaves_something(event_harness):
            placed(event_harness.with_agents(Bank)).wait_idle()
            assert 1 == 2

        def test_skips_and_leaves_something(event_harness):
            placed(event_harness.with_agents(Bank)).wait_idle()
            pytest.skip("enough")

        @pytest.fixture
        def shop(event_harness):
            placed(event_harness.with_agents(Bank)).wait_idle()
            assert 1 == 2

        def test_setup_fails_and_leaves_something(shop):
            pass
        """,
        "--choreia-seed",
        "5",
    )
    assert run.outcomes == {"failed": 6, "skipped": 1, "errors": 1}

    told = run.of("test_expectation")
    assert "payload.order: expected 8, got 7" in told
    assert "at 0 s of virtual time; seed 5 (to repeat it: pytest --choreia-seed 5)" in told
    assert "choreia ---" not in told  # it has told all that already
    assert "_expecting.one" not in told  # nor how it came to its conclusion
    assert "harness.py" not in told

    told = run.of("test_assertion")
    assert "--- choreia ---" in told
    assert "at 0 s of virtual time; seed 5 (to repeat it: pytest --choreia-seed 5)" in told
    assert "  order.placed {'order': 7}, simulated, at 0 s\n    payment.taken {'order': 7}" in told

    assert "choreia ---" not in run.of("test_assertion_without_a_harness")
    assert "no system was started" in run.of("test_assertion_before_anything")

    told = run.of("test_end")
    assert "order.placed at bank (failed): ConnectionError: the bank is closed" in told
    assert "harness.py" not in told
    assert "event.dead_lettered: order.placed at bank" in run.of("test_fails_and_leaves_something")
    assert "--- choreia ---" in run.of("ERROR at setup of test_setup_fails_and_leaves_something")


def test_the_marker(pytester: pytest.Pytester) -> None:
    run = Run(
        pytester,
        """
        import threading
        import pytest
        from choreia import InvalidAgent

        @pytest.mark.choreia(allow=("dead_letters", "in_flight"))
        def test_allow(event_harness):
            event_harness.with_agents(Bank).simulate_event("order.placed")

        @pytest.mark.choreia(mode="threads")
        def test_mode(event_harness):
            assert event_harness.with_agents(Payments).clock.now() > 1e9

        @pytest.mark.choreia(seed=9)
        def test_seed(event_harness, choreia_seed):
            assert choreia_seed == 9
            assert "seed 9 (to repeat it: its marker gives it)" in (
                event_harness.with_agents().report()
            )

        @pytest.mark.choreia(mode="threads", allow="dead_letters")
        class TestNearest:
            @pytest.mark.choreia(mode="simulated")
            def test_it(self, event_harness):
                event_harness.with_agents(Bank).simulate_event("order.placed")
                assert event_harness.clock.now() == 0

        @pytest.mark.choreia("threads")
        def test_wrong(event_harness): ...

        @pytest.mark.choreia(sed=7)
        def test_misspelt(event_harness): ...

        @pytest.mark.choreia(allow="death")
        def test_unknown(event_harness): ...
        """,
        "--choreia-seed=7",
    )
    assert run.outcomes == {"passed": 4, "errors": 3}
    assert run.out.count("@pytest.mark.choreia takes mode=, seed= and allow=, by name") >= 2
    assert "allow 'death': there is no such fault" in run.out


def test_schedules(pytester: pytest.Pytester) -> None:
    tests = """
        import pytest

        def test_plain(): ...

        def test_order(event_harness):
            for name in "abcd":
                event_harness.spawn(Voice, name=name)
            event_harness.simulate_event("order.placed")
            first = event_harness.published_events()[0].type
            assert first == "said.a", first

        @pytest.mark.choreia(seed=9)
        def test_pinned(event_harness): ...

        @pytest.fixture
        def shop(event_harness):
            return event_harness.with_agents(Payments)

        @pytest.mark.parametrize("order", [1])
        def test_by_fixture(shop, order): ...
    """
    run = Run(pytester, tests, "--choreia-schedules", "12", "--choreia-seed=3")
    seeds = range(3, 15)
    passed = {seed for seed in seeds if f"PASSED test_it.py::test_order[seed{seed}]" in run.out}
    failed = {seed for seed in seeds if f"FAILED test_it.py::test_order[seed{seed}]" in run.out}
    assert passed | failed == set(seeds)
    assert passed
    assert failed
    for seed in failed:
        assert f"seed {seed} (to repeat it: pytest --choreia-seed {seed})" in (
            run.of(f"test_order[seed{seed}]")
        )
    assert run.outcomes == {"passed": 14 + len(passed), "failed": len(failed)}
    assert "PASSED test_it.py::test_pinned\n" in run.out
    assert "PASSED test_it.py::test_plain\n" in run.out

    # As it says, the seed repeats it; and one schedule changes no names.
    again = Run(pytester, tests, f"--choreia-seed={min(failed)}")
    assert "FAILED test_it.py::test_order - " in again.out
    assert again.outcomes == {"passed": 3, "failed": 1}


def test_the_mode_of_all(pytester: pytest.Pytester) -> None:
    run = Run(
        pytester,
        """
        import pytest

        def test_it(event_harness):
            event_harness.with_agents(Payments).simulate_event("order.placed", {"order": 7})
            event_harness.expect("payment.taken", {"order": 7})
            assert event_harness.clock.now() > 1e9

        @pytest.mark.choreia(mode="simulated")
        def test_marked(event_harness):
            assert event_harness.clock.now() == 0

        def test_told(event_harness):
            assert event_harness.with_agents(Payments, mode="simulated").clock.now() == 0
        """,
        "--choreia-mode=threads",
    )
    assert run.outcomes == {"passed": 3}


@pytest.mark.parametrize(
    "option", ["--choreia-mode=fibers", "--choreia-schedules=0", "--choreia-seed=x"]
)
def test_options_are_checked(pytester: pytest.Pytester, option: str) -> None:
    result = pytester.runpytest(option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{option.partition('=')[0]}*"])


def test_a_run_that_does_not_use_it_does_not_pay_for_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_plain(): ...")
    pytester.makeconftest(
        """
        import json, sys

        def pytest_unconfigure():
            open("modules.json", "w").write(json.dumps(sorted(sys.modules)))
        """
    )
    run = pytester.runpytest_subprocess(*QUICK, "--choreia-schedules=2")
    assert run.parseoutcomes() == {"passed": 1}
    loaded = set(json.loads((pytester.path / "modules.json").read_text()))
    mine = {name for name in loaded if name.startswith("choreia")}
    assert {name for name in mine if not name.startswith("choreia.runtime.errors.")} == {
        "choreia",
        "choreia.actors",
        "choreia.actors.testing",
        "choreia.actors.testing.plugin",
        "choreia.runtime",
        "choreia.runtime.errors",
    }
    heavy = {"attrs", "attr", "cattrs", "click", "orjson", "pykka", "re2", "rich"}
    assert not heavy & loaded
