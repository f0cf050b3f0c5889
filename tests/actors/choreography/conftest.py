"""Demos with one thing wrong with them, and choreographies of a few lines."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from choreia import demos
from choreia.actors.choreography import load
from choreia.runtime.insight.choreography import Choreography

Edit = tuple[str, str, str]
"""A file of a demo, a text in it, and what is to stand there."""
Mutant = Callable[..., Choreography]
Written = Callable[[str], Choreography]

_NUMBERS = itertools.count(1)
_DEMOS = Path(demos.__file__).parent


@pytest.fixture
def mutant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mutant:
    """A copy of a demo, under another name and with event types of its own (declarations are
    global to the process), in which something is changed."""

    def make(demo: str, *edits: Edit) -> Choreography:
        name = f"mutant_{next(_NUMBERS)}"
        folder = tmp_path / name
        shutil.copytree(_DEMOS / demo, folder, ignore=shutil.ignore_patterns("__pycache__"))
        for file, old, new in edits:
            text = (folder / file).read_text()
            assert old in text, f"{file} has no {old!r}"
            (folder / file).write_text(text.replace(old, new, 1))
        for path in folder.rglob("*.py"):
            text = path.read_text().replace(f"choreia.demos.{demo}", name)
            path.write_text(text.replace('@event_type("', f'@event_type("{name}.'))
        monkeypatch.chdir(tmp_path)
        return load(name)

    return make


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Written:
    """A choreography from the source of a module; ``T`` in it is a name of its own."""

    def make(source: str) -> Choreography:
        name = f"written_{next(_NUMBERS)}"
        head = "from __future__ import annotations\nimport attrs\nfrom choreia import *\n"
        text = head + dedent(source).replace("T.", f"{name}.")
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.chdir(tmp_path)
        return load(name)

    return make
