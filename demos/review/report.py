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
)

FORMAT = 1


@define
class Report:
    """What is known so far. Only the reporter writes; anybody may look at the numbers."""

    root: str
    announced: int | None = None
    """How many files there are, once the scout has told."""
    files: dict[int, FileFound] = field(factory=dict)
    measured: dict[int, FileMeasured] = field(factory=dict)
    judged: dict[int, FileJudged] = field(factory=dict)
    settled: dict[str, FindingSettled] = field(factory=dict)
    unreadable: dict[int, str] = field(factory=dict)
    skipped: list[FileSkipped] = field(factory=list)
    _open: Counter[int] = field(factory=Counter)
    """Findings by file: raised and not settled. Below 0 while the settled are ahead."""
    _done: int = 0

    # -- what happens -----------------------------------------------------------------------

    def judge(self, judged: FileJudged) -> None:
        self.judged[judged.number] = judged
        self._open[judged.number] += judged.findings
        self._count(judged.number)

    def settle(self, settled: FindingSettled) -> None:
        number = int(settled.finding.id.partition("-")[0])
        self.settled[settled.finding.id] = settled
        self._open[number] -= 1
        self._count(number)

    def give_up(self, number: int, reason: str) -> None:
        if number not in self.unreadable:
            self._done += 1
        self.unreadable[number] = reason

    def _count(self, number: int) -> None:
        if number in self.judged and not self._open[number]:
            self._done += 1

    # -- how far it is ----------------------------------------------------------------------

    @property
    def done(self) -> int:
        """Files that have been reviewed, or cannot be."""
        return self._done

    @property
    def complete(self) -> bool:
        return self.announced is not None and self.announced == self._done == len(self.files)

    @property
    def unsettled(self) -> list[str]:
        """The files that are still without a verdict."""
        return sorted(
            found.path
            for number, found in self.files.items()
            if number not in self.unreadable
            and (number not in self.judged or self._open[number] != 0)
        )

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
            "rules": self._rules(),
            "findings": [_finding(item) for item in self.findings],
            "files": [_file(item) for item in sorted(self.measured.values(), key=_path)],
            "unreadable": [{"path": path, "reason": reason} for path, reason in self.unread],
            "skipped": [asdict(item) for item in sorted(self.skipped, key=_path)],
            "unsettled": self.unsettled,
        }

    def _rules(self) -> dict[str, dict[str, int]]:
        upheld = Counter(item.finding.rule for item in self.settled.values() if item.upheld)
        raised = Counter(item.finding.rule for item in self.settled.values())
        return {
            rule: {"raised": raised[rule], "upheld": upheld[rule]} for rule in sorted(raised)
        }


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
