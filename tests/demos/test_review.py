"""The review as a whole: agents that nobody directs come to one result, whatever happens."""

from __future__ import annotations

import gc
import json
from collections import Counter
from pathlib import Path
from typing import Literal

import pytest

from choreia import ActorSystem, Event, GiveUp
from choreia.demos.review.auction import Auction
from choreia.demos.review.choreography import Review, build
from choreia.demos.review.debate import Debate
from choreia.demos.review.report import Report
from choreia.demos.review.scout import Scout

Mode = Literal["threads", "simulated"]

FILES = {
    "clean.py": '"""Nothing is wrong here."""\n',
    "shop/basket.py": (
        '"""A basket."""\n'
        "def add(item, items=[]):\n"
        "    items.append(item)\n"
        "    return items\n"
        "    print('done')\n"
    ),
    "shop/order.py": (
        "def load(text):\n"
        "    try:\n"
        "        return eval(text)\n"
        "    except:  # noqa\n"
        "        return None\n"
    ),
    "tests/test_order.py": (
        "def test_order():\n    assert (load('1'), 'loads')\n    assert load('x') == None\n"
    ),
    "broken.py": "def broken(:\n",
}

# path, line, rule, upheld
FINDINGS = [
    ("shop/basket.py", 2, "mutable-default", True),
    ("shop/basket.py", 5, "unreachable-code", True),
    ("shop/order.py", 3, "eval-exec", True),
    ("shop/order.py", 4, "bare-except", False),  # its author meant it
    ("tests/test_order.py", 2, "assert-on-tuple", True),  # wrong in a test too
    ("tests/test_order.py", 3, "none-comparison", False),  # tests try such things
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "source"
    for path, text in FILES.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


@pytest.fixture(params=["threads", "simulated"])
def mode(request: pytest.FixtureRequest) -> Mode:
    return "threads" if request.param == "threads" else "simulated"


def many(root: Path, files: int) -> Path:
    """A tree with a fault in every file."""
    root.mkdir()
    for number in range(files):
        (root / f"m{number:03}.py").write_text(f"x{number} == None\n" * (number % 4 + 1))
    return root


def finish(review: Review) -> Report:
    review.start()
    review.system.wait_idle(timeout=60)
    assert review.report.complete, review.report.unsettled
    return review.report


def as_text(report: Report) -> str:
    return json.dumps(report.to_json())


def test_the_known_faults_are_found_debated_and_settled(tree: Path, mode: Mode) -> None:
    with ActorSystem(mode=mode) as system:
        report = finish(build(system, tree))
    settled = [(i.finding.path, i.finding.line, i.finding.rule, i.upheld) for i in report.findings]
    assert settled == FINDINGS
    basket, _, order, noqa, _, _ = report.findings
    assert basket.weight == 1.8  # medium, 2, times 0.9, and nobody against it
    assert order.finding.symbol == "load"
    assert noqa.weight == 1.44  # medium, 2, times 0.9, times 4 of 5 voices
    assert [(c.critic, c.stands) for c in noqa.challenges] == [("author-critic", True)]


def test_a_file_that_cannot_be_parsed_is_a_dead_letter_and_is_reported(
    tree: Path, mode: Mode
) -> None:
    with ActorSystem(mode=mode) as system:
        report = finish(build(system, tree))
        (letter,) = system.dead_letters()
    assert isinstance(letter.error, GiveUp)
    assert letter.reason == "gave_up"
    assert letter.attempts == 1
    assert letter.event is not None
    assert letter.event.type.startswith("file.awarded.metrics-")
    assert letter.event.payload["path"] == "broken.py"
    assert report.unread == [("broken.py", "line 1: invalid syntax")]


def test_every_bidder_bids_and_every_file_is_awarded_once(tree: Path, mode: Mode) -> None:
    bids: list[Event] = []
    awards: list[Event] = []
    with ActorSystem(mode=mode) as system:
        review = build(system, tree, analysts=3)
        system.subscribe("bid.placed.#", bids.append)
        system.subscribe("file.awarded.#", awards.append)
        finish(review)
    # broken.py was measured by nobody, so nobody could look for its faults
    assert Counter(award.payload["path"] for award in awards) == {
        **dict.fromkeys(FILES, 2),
        "broken.py": 1,
    }
    offers = Counter((bid.type, bid.payload["number"]) for bid in bids)
    assert len(offers) == 2 * len(FILES) - 1
    assert set(offers.values()) == {3}
    # Whoever awarded itself a file had made the lowest bid for it.
    for award in awards:
        winner = award.type.rpartition(".")[2]
        job = winner.rpartition("-")[0]
        prices = {
            bid.payload["bidder"]: bid.payload["price"]
            for bid in bids
            if bid.type == f"bid.placed.{job}" and bid.payload["number"] == award.payload["number"]
        }
        assert prices[winner] == min(prices.values())


def test_the_end_is_announced_once(tree: Path, mode: Mode) -> None:
    completed: list[Event] = []
    with ActorSystem(mode=mode) as system:
        review = build(system, tree)
        system.subscribe("review.completed", completed.append)
        finish(review)
    (event,) = completed
    assert event.source == "did:choreia:local:reporter"
    assert event.payload == {"files": 5, "unreadable": 1, "findings": 6, "upheld": 4}


def test_the_result_does_not_depend_on_mode_seed_or_number_of_agents(tree: Path) -> None:
    results: set[str] = set()
    for seed in range(6):
        with ActorSystem(mode="simulated", seed=seed) as system:
            results.add(as_text(finish(build(system, tree, analysts=seed % 3 + 1))))
    for workers in (1, 4):
        with ActorSystem(workers=workers) as system:
            results.add(as_text(finish(build(system, tree))))
    assert len(results) == 1


@pytest.mark.parametrize("mailbox", [1, 2])
def test_the_smallest_mailboxes_still_come_to_the_end(
    tmp_path: Path, mode: Mode, mailbox: int
) -> None:
    root = many(tmp_path / "many", 60)
    with ActorSystem(mode=mode) as system:
        report = finish(build(system, root, analysts=3, mailbox=mailbox))
        over = sum(agent.overflowed for agent in system.inspect().agents)
    assert len(report.settled) == 60 // 4 * (1 + 2 + 3 + 4)
    assert over > 0  # bidders wait for each other: somebody was let in


def test_the_scout_waits_for_the_analysts(tmp_path: Path) -> None:
    root = many(tmp_path / "many", 200)
    ahead: list[int] = []
    counts: Counter[str] = Counter()

    def count(event: Event) -> None:
        counts[event.type] += 1
        ahead.append(counts["file.found"] - counts["file.judged"])

    with ActorSystem(mode="simulated") as system:
        review = build(system, root, mailbox=4)
        system.subscribe("file.#", count, mailbox=4)
        finish(review)
    assert counts["file.found"] == counts["file.judged"] == 200
    assert max(ahead) < 60


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    "victim", ["metrics-1", "faults-2", "doubt-critic", "prudent-defender", "idiom-critic"]
)
@pytest.mark.parametrize("way", ["stop", "kill"])
def test_whoever_leaves_is_replaced_or_done_without(
    tmp_path: Path, victim: str, way: str, seed: int
) -> None:
    root = many(tmp_path / "many", 40)
    # Whoever is killed while it waits for room takes along what it has still to hand out.
    mailbox = 8 if way == "stop" else 1_000
    judged: list[Event] = []
    with ActorSystem(mode="simulated", seed=seed) as system:

        def end(event: Event) -> None:
            judged.append(event)
            if len(judged) == 8:
                if way == "stop":
                    system.ref(victim).stop(block=False)
                else:
                    system.kill(victim)

        review = build(system, root, mailbox=mailbox)
        system.subscribe("file.judged", end)
        report = finish(review)
        assert victim not in {agent.name for agent in system.inspect().agents}
    assert len(report.judged) == 40
    assert len(report.settled) == 40 // 4 * (1 + 2 + 3 + 4)
    assert report.unreadable == {}


def test_a_paused_analyst_keeps_its_files_until_it_is_resumed(tmp_path: Path) -> None:
    root = many(tmp_path / "many", 30)
    with ActorSystem(mode="simulated") as system:
        review = build(system, root)
        system.pause("metrics-2")
        system.subscribe("scout.finished", lambda _: system.resume("metrics-2"), name="wakes-it-up")
        report = finish(review)
    assert len(report.judged) == 30


def test_a_scout_that_finds_nobody_gives_up_with_a_reason(tree: Path) -> None:
    with ActorSystem(mode="simulated") as system:
        system.spawn(lambda: Scout(tree, None))
        system.publish("review.requested", {"root": str(tree)})
        system.wait_idle(timeout=60)
        (letter,) = system.dead_letters()
    assert "nobody offers review.metrics" in str(letter.error)
    assert letter.attempts == 3


def test_a_limit_and_a_single_file(tree: Path, mode: Mode) -> None:
    with ActorSystem(mode=mode) as system:
        assert len(finish(build(system, tree, limit=2)).files) == 2
    with ActorSystem(mode=mode) as system:
        report = finish(build(system, tree / "shop" / "order.py"))
    assert [item.finding.rule for item in report.findings] == ["eval-exec", "bare-except"]


def test_an_empty_tree_is_reviewed_at_once(tmp_path: Path, mode: Mode) -> None:
    with ActorSystem(mode=mode) as system:
        report = finish(build(system, tmp_path))
    assert report.files == {}


def test_nothing_is_remembered_of_what_is_over(tmp_path: Path, mode: Mode) -> None:
    def remembered() -> int:
        gc.collect()
        return sum(isinstance(item, (Auction, Debate)) for item in gc.get_objects())

    root = many(tmp_path / "many", 30)
    before = remembered()
    with ActorSystem(mode=mode) as system:
        finish(build(system, root, analysts=3, mailbox=4))
        assert remembered() == before


def test_no_event_carries_the_content_of_a_file(tree: Path) -> None:
    (tree / "secret.py").write_text("def f(x=[]): return 'swordfish'\n")
    events: list[Event] = []
    with ActorSystem(mode="simulated") as system:
        review = build(system, tree)
        system.subscribe("#", events.append)
        finish(review)
    assert len(events) > 50
    assert not any(b"swordfish" in event.to_json() for event in events)
