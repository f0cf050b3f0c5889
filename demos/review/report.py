"""The result of a review, as it comes together, and as JSON.

The JSON says nothing of who did what, when or how fast, and everything in it is in order: the
same files give the same text, whatever the number of agents and the order of their turns.
"""

from __future__ import annotations

from collections import Counter

from attrs import asdict, define, field

from choreia.demos.review.events import (
    FileFound,
    FileJudged,
    FileMeasured,
    FileSkipped,
    FindingSettled,
    Notable,
)

FORMAT = 1


@define
class Report:
    """What is known so far. Only the reporter writes; anybody may look at the numbers."""

    root: str
    announced: int | None = None
    """How many files there are, once the scout has told."""
    files: dict[int, FileFound] = field(factory=dict[int, FileFound])
    measured: dict[int, FileMeasured] = field(factory=dict[int, FileMeasured])
    judged: dict[int, FileJudged] = field(factory=dict[int, FileJudged])
    settled: dict[str, FindingSettled] = field(factory=dict[str, FindingSettled])
    unreadable: dict[int, str] = field(factory=dict[int, str])
    skipped: list[FileSkipped] = field(factory=list[FileSkipped])
    _open: Counter[int] = field(factory=Counter[int])
    """Findings by file: raised and not settled. Below 0 while the settled are ahead."""
    _done: set[int] = field(factory=set[int])

    # -- what happens, in any order; what is told twice counts once -----------------------------

    def measure(self, measured: FileMeasured) -> None:
        self.measured[measured.number] = measured
        self._look(measured.number)

    def judge(self, judged: FileJudged) -> None:
        if judged.number not in self.judged:
            self.judged[judged.number] = judged
            self._open[judged.number] += judged.findings
            self._look(judged.number)

    def settle(self, settled: FindingSettled) -> None:
        finding = settled.finding
        if finding.id not in self.settled:
            number = int(finding.id.partition("-")[0])
            self.settled[finding.id] = settled
            self._open[number] -= 1
            self._look(number)

    def give_up(self, number: int, reason: str) -> None:
        self.unreadable.setdefault(number, reason)
        self._done.add(number)

    def _look(self, number: int) -> None:
        if number in self.measured and number in self.judged and not self._open[number]:
            self._done.add(number)

    # -- how far it is ----------------------------------------------------------------------

    @property
    def done(self) -> int:
        """How many files have been reviewed, or cannot be."""
        return len(self._done)

    @property
    def complete(self) -> bool:
        return self.announced is not None and self.announced == self.done == len(self.files)

    @property
    def unsettled(self) -> list[str]:
        """The files that are without a verdict."""
        return sorted(self.files[number].path for number in self.files.keys() - self._done)

    # -- what came out ----------------------------------------------------------------------

    @property
    def findings(self) -> list[FindingSettled]:
        """By place."""
        return sorted(self.settled.values(), key=_place)

    @property
    def heaviest(self) -> list[FindingSettled]:
        """Those upheld, the heaviest first."""
        upheld = [item for item in self.findings if item.upheld]
        return sorted(upheld, key=lambda item: -item.weight)

    def most_complex(self, most: int) -> list[tuple[str, Notable]]:
        """Path and function, the most complex first."""
        files = sorted(self.measured.values(), key=_path)
        functions = [(file.path, item) for file in files for item in file.notable]
        return sorted(functions, key=lambda pair: -pair[1].complexity)[:most]

    @property
    def unread(self) -> list[tuple[str, str]]:
        """Files that could not be read, and why."""
        return sorted((self.files[n].path, reason) for n, reason in self.unreadable.items())

    def summary(self) -> dict[str, int]:
        measured = self.measured.values()
        upheld = sum(item.upheld for item in self.settled.values())
        return {
            "files": len(self.files),
            "unreadable": len(self.unreadable),
            "skipped": len(self.skipped),
            "lines": sum(item.lines for item in measured),
            "functions": sum(item.functions for item in measured),
            "classes": sum(item.classes for item in measured),
            "undocumented": sum(item.undocumented for item in measured),
            "findings": len(self.settled),
            "upheld": upheld,
            "dismissed": len(self.settled) - upheld,
            "left_out": sum(item.left_out for item in self.judged.values()),
        }

    def to_json(self) -> dict[str, object]:
        """The whole result, in JSON's types."""
        return {
            "format": FORMAT,
            "root": self.root,
            "complete": self.complete,
            "summary": self.summary(),
            "rules": self.rules(),
            "findings": [_finding(item) for item in self.findings],
            "files": [_file(item) for item in sorted(self.measured.values(), key=_path)],
            "unreadable": [{"path": path, "reason": reason} for path, reason in self.unread],
            "skipped": [asdict(item) for item in sorted(self.skipped, key=_path)],
            "unsettled": self.unsettled,
        }

    def rules(self) -> dict[str, dict[str, int]]:
        """How often each rule was raised, and upheld."""
        upheld = Counter(item.finding.rule for item in self.settled.values() if item.upheld)
        raised = Counter(item.finding.rule for item in self.settled.values())
        return {rule: {"raised": raised[rule], "upheld": upheld[rule]} for rule in sorted(raised)}


def _place(item: FindingSettled) -> tuple[str, int, int, str, str]:
    finding = item.finding
    return finding.path, finding.line, finding.column, finding.rule, finding.message


def _path(item: FileMeasured | FileSkipped) -> str:
    return item.path


def _finding(item: FindingSettled) -> dict[str, object]:
    fields = asdict(item.finding)
    del fields["id"], fields["mark"]
    return {
        **fields,
        "weight": item.weight,
        "verdict": "upheld" if item.upheld else "dismissed",
        "challenges": [asdict(challenge) for challenge in item.challenges],
    }


def _file(item: FileMeasured) -> dict[str, object]:
    fields = asdict(item)
    del fields["number"], fields["bidders"]
    fields["notable"] = [asdict(function) for function in item.notable]
    return fields
