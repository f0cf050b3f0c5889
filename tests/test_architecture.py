"""The arrows between folders, and the seam to the outside world, read off the source.

Imports are read with `ast`, those under `TYPE_CHECKING` too: a name that is only needed for a
type is a dependency of whoever reads the file.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from attrs import frozen

ROOT = Path(__file__).parents[1]

# Lower layers know nothing of higher ones, and those of one rank nothing of each other.
RANKS = {
    "errors": 0,
    "events": 1,
    "stores": 2,
    "delivery": 2,
    "durable": 3,
    "health": 3,
    "transports": 3,
    "insight": 3,
    "inspection": 3,
    "simulation": 4,
}

# The seam: whoever needs the time, an id or a random number asks the system's `Clock` and
# `Dispatcher`, or a simulated run would not be a function of its seed. This asks the world outside:
ASKING = re.compile(
    r"time\.(time|monotonic|perf_counter|process_time|thread_time|clock_gettime)(_ns)?|time\.sleep"
    r"|(.*\.)?(datetime\.(now|utcnow|today)|date\.today)"
    r"|uuid\.uuid\d|os\.urandom|secrets\.\w+|threading\.Timer"
)
MODULES_THAT_ASK = {"random", "secrets"}  # but the class `random.Random` is seeded
MAY_USE_CLOCKS = {
    "actors/choreia/bench": "it measures real time",
    "actors/choreia/cli/case.py": "for how long something has been on its way",
    "actors/choreia/cli/cases.py": "for how long something has been on its way",
    "actors/choreia/cli/check.py": "whether an accepted finding has expired",
    "actors/choreia/cli/events.py": "it looks again and again at a store that others write",
    "actors/choreia/cli/ps.py": "for how long a process has been running",
    "actors/choreia/cli/publish.py": "when an event was recorded",
    "actors/choreia/cli/store.py": "when something was erased",
    "actors/choreia/console/terminal": "it draws for people, several times a second",
    "demos/review/command.py": "files per second, for whoever watches",
    "demos/review/live.py": "files per second, for whoever watches",
    "runtime/delivery/clock.py": "it is the real clock",
    "runtime/delivery/engine.py": "a seed of its own for a system that is given none",
    "runtime/delivery/loopwatch.py": "it watches real event loops, on real time",
    "runtime/delivery/watchdog.py": "it watches real threads, on real time",
    "runtime/delivery/workers.py": "it waits for real threads to end",
    "runtime/inspection/real.py": "who looks lives in real time",
    "runtime/stores/sqlite/files.py": "it waits for another process's lock",
    "runtime/events/event.py": "the timestamp of events made outside any system",
    "runtime/events/identity.py": "the ids of events made outside any system",
}


@frozen
class Import:
    """One imported module, by its full name, and where it is imported."""

    file: Path
    line: int
    module: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"

    def within(self, *packages: str) -> bool:
        return any(f"{self.module}.".startswith(f"{package}.") for package in packages)


@cache
def sources(*folders: str) -> list[Path]:
    """The Python files of `folders`, relative to the root."""
    found = (file.relative_to(ROOT) for folder in folders for file in (ROOT / folder).rglob("*.py"))
    return sorted(file for file in found if "_tree" not in file.parts)


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse((ROOT / file).read_text(), str(file))


def imports(*folders: str) -> Iterator[Import]:
    for file in sources(*folders):
        for node in ast.walk(parsed(file)):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield Import(file, node.lineno, alias.name)
            elif isinstance(node, ast.ImportFrom):
                assert not node.level, f"{file}:{node.lineno}: relative import"
                for alias in node.names:
                    yield Import(file, node.lineno, f"{node.module}.{alias.name}")


def asks_outside(node: ast.AST) -> bool:
    """Whether `node` takes time, ids or randomness from anywhere but the seam."""
    match node:
        case ast.ImportFrom(module=str(module), names=names):
            asked = {f"{module}.{alias.name}" for alias in names} - {"random.Random"}
            return (module in MODULES_THAT_ASK and bool(asked)) or any(map(ASKING.fullmatch, asked))
        case ast.Import(names=names):
            return any(alias.name in MODULES_THAT_ASK for alias in names)
        case ast.Attribute() | ast.Call():
            text = ast.unparse(node)
            return text == "Random()" or bool(ASKING.fullmatch(text))
        case _:
            return False


def under(file: Path, *folders: str) -> bool:
    return any(file.is_relative_to(folder) for folder in folders)


def refuse(found: Iterator[Import]) -> None:
    faults = [str(one) for one in found]
    assert not faults, "\n".join(faults)


def test_the_guards_see_the_tree() -> None:
    assert len(sources("runtime", "actors", "demos")) > 40
    assert any(one.module == "choreia.runtime.errors.ChoreiaError" for one in imports("actors"))


def test_runtime_imports_nothing_above_it() -> None:
    own = "choreia.runtime"
    refuse(i for i in imports("runtime") if i.within("choreia") and not i.within(own))


def test_runtime_layers_point_down() -> None:
    def layer(parts: tuple[str, ...]) -> str:
        return parts[0].removesuffix(".py")

    def upwards(one: Import) -> bool:
        if not one.within("choreia.runtime"):
            return False
        above = layer(one.file.relative_to("runtime").parts)
        below = layer(tuple(one.module.split(".")[2:]))
        return above != below and RANKS[above] <= RANKS[below]

    refuse(i for i in imports("runtime") if upwards(i))


def test_actors_import_only_actors_and_runtime() -> None:
    layers = ("choreia.actors", "choreia.runtime")
    refuse(
        i
        for i in imports("actors")
        if not under(i.file, "actors/choreia") and i.within("choreia") and not i.within(*layers)
    )


def test_the_front_door_names_demos_and_imports_none() -> None:
    refuse(i for i in imports("actors/choreia") if i.within("choreia.demos"))


def test_demos_do_not_reach_into_the_command_line() -> None:
    refuse(i for i in imports("demos") if i.within("choreia.cli", "choreia.bench", "pykka"))


def test_one_file_imports_pykka() -> None:
    users = {i.file for i in imports("runtime", "actors", "demos") if i.within("pykka")}
    ours = {file for file in users if not under(file, "actors/choreia/bench")}
    assert ours == {Path("actors/base.py")}


def test_one_file_imports_pytest() -> None:
    users = {i.file for i in imports("runtime", "actors", "demos") if i.within("pytest")}
    assert users == {Path("actors/testing/plugin.py")}


def test_the_console_stays_outside() -> None:
    shown = ("actors/choreia/cli", "actors/choreia/bench", "actors/choreia/console/terminal")
    refuse(
        i
        for i in imports("runtime", "actors")
        if i.within("rich", "click") and not under(i.file, *shown)
    )


def test_everything_is_imported_under_its_one_name() -> None:
    folders = ("runtime", "actors", "demos")
    refuse(i for i in imports(*folders, "tests") if i.within(*folders, "choreia.actors.choreia"))
    refuse(i for i in imports(*folders) if i.within("tests"))


def test_time_ids_and_randomness_come_through_the_seam() -> None:
    files = sources("runtime", "actors", "demos")
    users = {file for file in files if any(map(asks_outside, ast.walk(parsed(file))))}
    allowed = {file for file in users if under(file, *MAY_USE_CLOCKS)}
    past = sorted(map(str, users - allowed))
    assert not past, "ask the system's clock and dispatcher instead"
    unused = {entry for entry in MAY_USE_CLOCKS if not any(under(file, entry) for file in allowed)}
    assert not unused, "the list allows what nobody does"


@pytest.mark.parametrize(
    ("code", "asks"),
    [
        ("import random", True),
        ("from random import choice", True),
        ("from time import monotonic_ns", True),
        ("now = time.time", True),
        ("datetime.datetime.now(UTC)", True),
        ("Random()", True),
        ("from random import Random; Random(seed)", False),
        ("import time; time.strftime('%Y')", False),
        ("clock.now(); self.random.random(); clock.monotonic()", False),
    ],
)
def test_the_guard_knows_who_asks_outside(code: str, asks: bool) -> None:
    assert any(map(asks_outside, ast.walk(ast.parse(code)))) is asks


@pytest.mark.parametrize(
    ("folder", "most"), [("runtime", 400), ("actors", 400), ("demos", 400), ("tests", 750)]
)
def test_no_file_is_longer_than_one_idea(folder: str, most: int) -> None:
    lengths = {file: len((ROOT / file).read_text().splitlines()) for file in sources(folder)}
    assert not {file: lines for file, lines in lengths.items() if lines > most}


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(file)
        for file in sources("runtime", "actors", "demos")
        if not ast.get_docstring(parsed(file))
    ]
    assert not silent
