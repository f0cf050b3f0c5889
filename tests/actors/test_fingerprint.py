"""What makes a state class another one, and what does not."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest

from choreia.actors.fingerprint import fingerprint

STATE = """
import attrs
from dataclasses import dataclass
from choreia import applies

@attrs.frozen
class Line:
    n: int = 0

@attrs.frozen
class State:
    STEP = 1
    texts: tuple[str, ...] = ()
    n: int = 0
    lines: tuple[Line, ...] = ()

    @applies("added")
    def added(self, event, by=2):
        if event.type in {"a", "b", "c"}:
            return self
        return attrs.evolve(self, n=self.n + by * self.STEP)

    def helper(self):
        return 5
"""


def state(old: str = "", new: str = "") -> type:
    assert old in STATE
    module: Any = ModuleType("fingerprinted")
    sys.modules["fingerprinted"] = module  # where annotations are looked up
    code = compile(STATE.replace(old, new, 1), "fingerprinted.py", "exec", dont_inherit=True)
    exec(code, module.__dict__)
    made: type = module.State
    return made


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    n: int = 0\n    lines", "    n: int = 100\n    lines"),
        ("    n: int = 0\n    lines", "    m: int = 0\n    n: int = 0\n    lines"),
        ("tuple[str, ...]", "tuple[int, ...]"),
        ("class Line:\n    n: int = 0", "class Line:\n    n: int = 1"),
        ("class Line:\n    n: int", "class Line:\n    m: int"),
        ('@applies("added")', '@applies("added.#")'),
        ("by=2", "by=3"),
        ("STEP = 1", "STEP = 2"),
        ("self.n + by", "self.n - by"),
        ('{"a", "b", "c"}', '{"a", "b", "d"}'),
        ("return 5", "return 6"),
        ("texts: tuple[str, ...] = ()", "texts: tuple[str, ...] = attrs.Factory(lambda: ('x',))"),
    ],
)
def test_it_changes_with_whatever_changes_the_fold(old: str, new: str) -> None:
    assert fingerprint(state(old, new)) != fingerprint(state())


def test_it_does_not_change_with_what_does_not() -> None:
    assert fingerprint(state()) == fingerprint(
        state("import attrs\n", "import attrs  # a comment\n")
    )
    assert fingerprint(state(), "1") != fingerprint(state(), "2")


def test_it_is_the_same_in_every_process() -> None:
    code = (
        "from choreia.actors.fingerprint import fingerprint\n"
        f"names = {{'__name__': 'fingerprinted'}}\nexec({STATE!r}, names)\n"
        "print(fingerprint(names['State']))"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(told) == 1


def test_a_dataclass_has_one_too() -> None:
    old = "@attrs.frozen\nclass Line:"
    new = "@dataclass(frozen=True)\nclass Line:"
    assert fingerprint(state(old, new)) != fingerprint(state())
