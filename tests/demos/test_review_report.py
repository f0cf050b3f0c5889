"""The report: complete when everything is in, whatever came first, and in order."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import permutations

from choreia.demos.review.events import (
    Challenge,
    FileFound,
    FileJudged,
    FileMeasured,
    FileSkipped,
    Finding,
    FindingSettled,
    Notable,
)
from choreia.demos.review.report import Report


def found(number: int, path: str) -> FileFound:
    return FileFound(number, path, 10, ())


def measured(number: int, path: str, complexity: int = 1) -> FileMeasured:
    notable = (Notable("f", 1, complexity, 10, 1, 0),) if complexity > 10 else ()
    return FileMeasured(number, path, 10, (), 5, 1, 0, complexity, 1, notable)


def settled(id: str, path: str, line: int = 1, weight: float = 1.0) -> FindingSettled:
    finding = Finding(id, path, line, 1, "eval-exec", "f", "high", 0.7, "message", "noqa")
    challenges = () if weight >= 1 else (Challenge("c", "because", stands=True),)
    return FindingSettled(finding, weight, weight >= 1, challenges)


def test_it_is_complete_in_any_order_and_not_before() -> None:
    def announce(report: Report) -> None:
        report.announced = 1

    steps: list[Callable[[Report], None]] = [
        announce,
        lambda report: report.files.update({0: found(0, "a.py")}),
        lambda report: report.measure(measured(0, "a.py")),
        lambda report: report.judge(FileJudged(0, "a.py", 1, 0)),
        lambda report: report.settle(settled("0-0", "a.py")),
    ]
    for order in permutations(steps):
        report = Report("/")
        for step in order:
            assert not report.complete
            step(report)
        assert report.complete
        assert report.done == 1


def test_what_is_told_twice_counts_once() -> None:
    report = Report("/", announced=1, files={0: found(0, "a.py")})
    for _ in range(2):
        report.measure(measured(0, "a.py"))
        report.judge(FileJudged(0, "a.py", 2, 3))
        report.settle(settled("0-0", "a.py"))
        assert not report.complete
    report.settle(settled("0-1", "a.py"))
    assert report.complete
    assert report.summary()["findings"] == 2
    assert report.summary()["left_out"] == 3


def test_a_file_that_cannot_be_read_is_done_with() -> None:
    report = Report("/", announced=2, files={0: found(0, "a.py"), 1: found(1, "b.py")})
    report.give_up(0, "line 1: invalid syntax")
    assert report.unsettled == ["b.py"]
    report.give_up(1, "null bytes")
    report.give_up(1, "told again")
    assert report.complete
    assert report.unread == [("a.py", "line 1: invalid syntax"), ("b.py", "null bytes")]


def test_the_json_is_in_order_and_says_everything() -> None:
    report = Report("/src", announced=3)
    report.skipped = [FileSkipped("z.py", "a link"), FileSkipped("y.py", "too large")]
    for number, path in enumerate(["c.py", "b.py", "a.py"]):
        report.files[number] = found(number, path)
    report.measure(measured(0, "c.py"))
    report.measure(measured(1, "b.py", complexity=12))
    report.judge(FileJudged(0, "c.py", 2, 0))
    report.judge(FileJudged(1, "b.py", 1, 0))
    report.settle(settled("0-1", "c.py", line=9))
    report.settle(settled("0-0", "c.py", line=2, weight=0.5))
    report.settle(settled("1-0", "b.py"))
    report.give_up(2, "line 1: invalid syntax")
    result = report.to_json()
    assert result == json.loads(json.dumps(result))
    assert result == {
        "format": 1,
        "root": "/src",
        "complete": True,
        "summary": {
            "files": 3,
            "unreadable": 1,
            "skipped": 2,
            "lines": 10,
            "functions": 2,
            "classes": 0,
            "undocumented": 2,
            "findings": 3,
            "upheld": 2,
            "dismissed": 1,
            "left_out": 0,
        },
        "rules": {"eval-exec": {"raised": 3, "upheld": 2}},
        "findings": [
            _finding("b.py", 1, 1.0, "upheld", []),
            _finding(
                "c.py",
                2,
                0.5,
                "dismissed",
                [{"critic": "c", "argument": "because", "stands": True}],
            ),
            _finding("c.py", 9, 1.0, "upheld", []),
        ],
        "files": [
            _file("b.py", 12, [_NOTABLE]),
            _file("c.py", 1, []),
        ],
        "unreadable": [{"path": "a.py", "reason": "line 1: invalid syntax"}],
        "skipped": [
            {"path": "y.py", "reason": "too large"},
            {"path": "z.py", "reason": "a link"},
        ],
        "unsettled": [],
    }


_NOTABLE = {
    "name": "f",
    "line": 1,
    "complexity": 12,
    "length": 10,
    "nesting": 1,
    "arguments": 0,
}


def _file(path: str, complexity: int, notable: list[object]) -> dict[str, object]:
    return {
        "path": path,
        "bytes": 10,
        "lines": 5,
        "functions": 1,
        "classes": 0,
        "complexity": complexity,
        "undocumented": 1,
        "notable": notable,
    }


def _finding(
    path: str, line: int, weight: float, verdict: str, challenges: list[object]
) -> dict[str, object]:
    return {
        "path": path,
        "line": line,
        "column": 1,
        "rule": "eval-exec",
        "symbol": "f",
        "severity": "high",
        "confidence": 0.7,
        "message": "message",
        "weight": weight,
        "verdict": verdict,
        "challenges": challenges,
    }


def test_the_heaviest_come_first_and_only_those_upheld() -> None:
    report = Report("/")
    for index, weight in enumerate([1.0, 2.0, 0.5]):
        report.settle(settled(f"0-{index}", "a.py", line=index + 1, weight=weight))
    assert [item.weight for item in report.heaviest] == [2.0, 1.0]


def test_the_most_complex_functions_come_first() -> None:
    report = Report("/")
    for number, complexity in enumerate([12, 30, 11]):
        report.measure(measured(number, f"{number}.py", complexity))
    assert [path for path, _ in report.most_complex(2)] == ["1.py", "0.py"]
