"""The simulation of failure detectors: what is simulated, how it is judged, and its command."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median

import pytest
from attrs import evolve
from click.testing import CliRunner

from choreia.bench import command as bench
from choreia.bench.detection import plot
from choreia.bench.detection.arrivals import arrivals, pauses
from choreia.bench.detection.catalogue import settings
from choreia.bench.detection.command import command
from choreia.bench.detection.measure import measure
from choreia.bench.detection.others import LearnsAll, LearnsNone, pekko
from choreia.bench.detection.probes import measure_probes, slept
from choreia.bench.detection.results import to_json
from choreia.bench.detection.scenario import SCENARIOS, Jitter, Loss, Pauses, Scenario
from choreia.bench.detection.trials import Trial, count, trials
from choreia.cli.app import app
from choreia.runtime.health.detector import PhiDetector, TimeoutDetector, margin
from choreia.runtime.health.heartbeat import Heartbeat

HOURS = 20
KEPT = Path(__file__).parent / "results"
BY_KEY = {scenario.key: scenario for scenario in SCENARIOS}
PUNCTUAL = Jitter(1e-9, 0)
EVERY_SECOND = Heartbeat(1, 3)


def in_a_row(found: list[float]) -> list[int]:
    """How many heartbeats are missing between those that follow each other, where any are."""
    return [
        round(later - earlier) - 1 for earlier, later in pairwise(found) if later > earlier + 1.5
    ]


def falsely(timeout: float, heard: list[float]) -> float:
    detector = TimeoutDetector(Heartbeat(1, timeout), heard[0])
    return measure(detector, heard, 0).false_hourly


# -- what is simulated ----------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "burst"), [("C", 3), ("C1", 1.01)])
def test_one_in_a_hundred_is_lost(key: str, burst: float) -> None:
    heard = arrivals(evolve(BY_KEY[key], jitter=PUNCTUAL), 100, 1)
    assert len(heard) / 360_000 == pytest.approx(0.99, abs=0.001)
    assert fmean(in_a_row(heard)) == pytest.approx(burst, rel=0.05)


@pytest.mark.parametrize("loss", [Loss(0.01, 3), Loss(0.2, 10), Loss(0.01, 1 / 0.99)])
@pytest.mark.parametrize("seconds", [0.5, 1, 30])
def test_the_share_of_losses_does_not_depend_on_the_interval(loss: Loss, seconds: float) -> None:
    after = loss.share * loss.chance(True, seconds) + (1 - loss.share) * loss.chance(False, seconds)
    assert after == pytest.approx(loss.share)


def test_losses_are_bursts_or_independent() -> None:
    bursts, independent = Loss(0.01, 3), Loss(0.01, 1 / 0.99)
    assert bursts.chance(True, 1) == pytest.approx(2 / 3)
    assert bursts.chance(True, 30) == pytest.approx(0.01, abs=1e-5)
    assert independent.chance(True, 1) == pytest.approx(0.01)
    assert independent.chance(False, 1) == pytest.approx(0.01)


def test_pauses_are_few_and_some_are_long() -> None:
    found = list(pauses(BY_KEY["B"], 1000, 1))
    lengths = [end - begin for begin, end in found]
    assert len(found) == pytest.approx(6000, rel=0.05)
    assert all(end < begin for (_, end), (begin, _) in pairwise(found))
    assert min(lengths) == pytest.approx(0.3, abs=0.001)
    assert max(lengths) == pytest.approx(10)
    assert median(lengths) == pytest.approx(0.3 * 2 ** (1 / 1.5), rel=0.05)
    assert not list(pauses(BY_KEY["C"], 1000, 1))


def test_who_stands_still_sends_everything_afterwards() -> None:
    still = Scenario("", "", PUNCTUAL, pauses=Pauses(60, 1.5, 2, 10))
    heard = arrivals(still, 1, 1)
    assert len(heard) == 3600
    begin, end = next(pauses(still, 1, 1))
    assert not [at for at in heard if begin < at < end]
    held_up = int(end) - int(begin)
    assert [at for at in heard if end <= at < end + 1e-6] == pytest.approx([end] * held_up)


def test_half_of_the_jitter_is_below_its_median() -> None:
    late = [at - number for number, at in enumerate(arrivals(BY_KEY["A"], HOURS, 1))]
    assert median(late) == pytest.approx(0.005, rel=0.02)
    assert max(late) < 0.1


def test_the_interval_is_that_of_the_heartbeats() -> None:
    heard = arrivals(BY_KEY["A"], HOURS, 1, interval=30)
    assert len(heard) == HOURS * 120
    assert heard[-1] == pytest.approx(HOURS * 3600 - 30, abs=1)


def test_everything_follows_from_the_seed() -> None:
    for scenario in SCENARIOS:
        assert arrivals(scenario, 1, 5) == arrivals(scenario, 1, 5)
        assert arrivals(scenario, 1, 5) != arrivals(scenario, 1, 6)
    assert list(trials(0.1, 5)) == list(trials(0.1, 5))


# -- how it is judged -----------------------------------------------------------------------------


def test_a_crash_is_detected_at_the_deadline_that_stood() -> None:
    # In a second that was quiet after three: 3 to 2 s; in four silent ones: 3 to 0, 0 for the last.
    heard = [0.0]
    for _ in range(500):
        heard += [heard[-1] + at for at in (1, 2, 6, 7)]
    outcome = measure(TimeoutDetector(EVERY_SECOND, 0.0), heard, 0)
    assert outcome.false_hourly == pytest.approx(3600 / 7)
    assert outcome.mean == pytest.approx((3 * 2.5 + 4.5) / 7, rel=0.02)
    assert outcome.p99 == pytest.approx(2.98, abs=0.02)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.key)
def test_more_patience_is_wrong_less_often(scenario: Scenario) -> None:
    heard = arrivals(scenario, HOURS, 1)
    found = [falsely(timeout, heard) for timeout in (1, 1.5, 2, 3, 5, 10, 20)]
    assert found == sorted(found, reverse=True)
    assert found[0] > found[-1]


def test_jitter_alone_does_not_deceive_anybody() -> None:
    heard = arrivals(BY_KEY["A"], HOURS, 1)
    assert falsely(1.25, heard) == 0
    assert measure(PhiDetector(Heartbeat(1, 1), heard[0]), heard, 0).false_hourly == 0


def test_fixed_three_seconds_are_wrong_seven_times_an_hour() -> None:
    assert falsely(3, arrivals(BY_KEY["D"], 100, 1)) == pytest.approx(7, abs=0.7)


def test_probes_tell_loss_from_a_crash() -> None:
    lossy = Scenario("", "", PUNCTUAL, Loss(0.01, 3))
    assert falsely(3, arrivals(lossy, HOURS, 1)) > 1
    assert measure_probes(lossy, HOURS, 1).false_hourly == 0


def test_probes_do_not_tell_a_pause_from_a_crash() -> None:
    still = Scenario("", "", PUNCTUAL, pauses=Pauses(60, 1.5, 1, 10))
    timeout = falsely(3, arrivals(still, HOURS, 1))
    assert timeout > 1
    assert measure_probes(still, HOURS, 1).false_hourly == pytest.approx(timeout)


@pytest.mark.parametrize(
    ("pause", "through"),
    [((1, 3), True), ((2, 3), True), ((2.1, 9), False), ((1, 2.9), False), ((4, 5), False)],
)
def test_peers_probe_from_two_seconds_of_silence_to_three(
    pause: tuple[float, float], through: bool
) -> None:
    before = (-2.0, -1.0)
    assert list(slept([-3, 0, 3.1, 6.1, 9.2], iter([before, pause]))) == [through, False]


def test_probes_that_are_all_lost_tell_nothing() -> None:
    deaf = Scenario("", "", PUNCTUAL, Loss(0.7, 4))
    timeout = falsely(3, arrivals(deaf, HOURS, 1))
    lost = 1 - 0.3**2
    assert measure_probes(deaf, HOURS, 1).false_hourly == pytest.approx(timeout * lost**3, rel=0.1)


# -- the detectors that the runtime does not have -------------------------------------------------


def after_silence(detector: PhiDetector) -> float:
    """Seconds of patience that a minute's silence added."""
    for second in range(1, 100):
        detector.heard(second)
    before = detector.deadline() - detector.last
    detector.heard(160)
    return detector.deadline() - detector.last - before


def test_lessons_of_a_silence_differ() -> None:
    everything = after_silence(LearnsAll(EVERY_SECOND, 0.0))
    what_was_borne = after_silence(PhiDetector(EVERY_SECOND, 0.0))
    assert after_silence(LearnsNone(EVERY_SECOND, 0.0)) == pytest.approx(0)
    assert 0 < what_was_borne < everything / 10


def test_pekkos_patience() -> None:
    detector = pekko(EVERY_SECOND, 0.0)
    for second in range(1, 1100):
        detector.heard(second)
    assert detector.deadline() - detector.last == pytest.approx(1 + 3 + 0.1 * margin(8))
    for second in range(1, 1000):
        detector.heard(1099 + 2 * second)
    assert detector.mean == (999 * 2 + 1) / 1000


# -- the command ----------------------------------------------------------------------------------


def test_it_prints_a_table_and_writes_files(tmp_path: Path) -> None:
    numbers, picture = tmp_path / "numbers.json", tmp_path / "curves.svg"
    arguments = ["--short", "--seed", "5", "--json", str(numbers), "--plot", str(picture)]
    result = CliRunner().invoke(command, arguments)

    assert result.exit_code == 0, result.output
    assert "False suspicions an hour" in result.output
    assert "Pekko's defaults" in result.output
    assert "numbers mean nothing" in result.output
    made = list(trials(0.1, 5))
    assert numbers.read_text() == to_json(made, 0.1, 5)
    again = tmp_path / "again.svg"
    plot.plot(again, made, 0.1)
    assert picture.read_bytes() == again.read_bytes()
    assert b"<svg" in picture.read_bytes()
    assert "none" in picture.read_text()


def test_the_numbers_of_every_trial_are_kept() -> None:
    made = list(trials(0.1, 0))
    kept = json.loads(to_json(made, 0.1, 0))
    assert (kept["hours"], kept["seed"]) == (0.1, 0)
    assert len(kept["trials"]) == len(made) == count() == 5 * (len(list(settings())) + 1)
    assert len(
        {(row["scenario"], row["series"], row["detector"]) for row in kept["trials"]}
    ) == len(made)


def test_a_png_is_a_png(tmp_path: Path) -> None:
    picture = tmp_path / "curves.PNG"
    plot.plot(picture, list(trials(0.1, 0)), 0.1)
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["curves.jpg", "curves", "png"])
def test_other_pictures_are_refused_before_anything_runs(name: str) -> None:
    result = CliRunner().invoke(command, ["--hours", "100000", "--plot", name])
    assert result.exit_code == 2
    assert f"{name}: name a file that ends in .png or .svg" in result.output


def test_without_matplotlib_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plot, "find_spec", lambda name: None)
    result = CliRunner().invoke(command, ["--hours", "100000", "--plot", "curves.png"])
    assert result.exit_code == 2
    assert "pip install 'choreia[bench]'" in result.output


@pytest.mark.parametrize(
    "arguments", [["--plot", "no/such/curves.svg"], ["--json", "no/such/n.json"]]
)
def test_a_folder_that_is_not_there_is_told_first(arguments: list[str]) -> None:
    result = CliRunner().invoke(command, ["--hours", "100000", *arguments])
    assert result.exit_code == 2
    assert "no/such is not a folder" in result.output


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has it")
def test_a_full_disk_is_told() -> None:
    result = CliRunner().invoke(command, ["--short", "--json", "/dev/full"])
    assert result.exit_code == 1
    assert "could not be written" in result.output


def test_it_is_part_of_the_benchmarks() -> None:
    result = CliRunner().invoke(app, ["bench", "detectors", "--hours", "0.2"])
    assert result.exit_code == 0, result.output
    assert "simulated: 0.2 hours of each" in result.output
    assert "detectors" in CliRunner().invoke(app, ["bench", "--help"]).output


def test_options_of_the_benchmarks_are_not_its_own() -> None:
    result = CliRunner().invoke(bench.command, ["--short", "detectors"])
    assert result.exit_code == 2
    assert "put options behind 'detectors'" in result.output


# -- what is kept ---------------------------------------------------------------------------------


def test_the_results_that_are_kept_are_of_this_catalogue() -> None:
    kept = json.loads((KEPT / "detectors.json").read_text())["trials"]

    def key(trial: Trial) -> tuple[str, str, str]:
        return trial.scenario, trial.series.value, trial.label

    made = [key(trial) for trial in trials(0.1, 0)]
    assert [(row["scenario"], row["series"], row["detector"]) for row in kept] == made
