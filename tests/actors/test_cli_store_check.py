"""`choreia store check`: one mutant of a small module for each thing that it finds.

Declarations are global to the process, so each module has event types of its own.
"""

from __future__ import annotations

import itertools
import json
import re
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import pytest
from click.testing import CliRunner, Result

from choreia import ActorSystem, Agent, Event, GiveUp, InvalidModule, every, on
from choreia.actors.checking import Finding, check, load
from choreia.actors.checking.states import sourced, stale_snapshots
from choreia.cli.app import app
from choreia.runtime.stores.memory import MemoryStore
from choreia.runtime.stores.sqlite import SqliteStore
from choreia.runtime.stores.unit import KeepSnapshot, Unit

NUMBERS = itertools.count()

SHOP = """
from __future__ import annotations
import attrs
from enum import Enum
from choreia import Agent, EventSourcedAgent, applies, event_type, every, on, upcaster

@event_type("T.placed", version="2.0.0")
@attrs.frozen
class Placed:
    n: int
    currency: str

@upcaster("T.placed", "1.0.0", "1.1.0")
def price(payload):
    return {**payload, "money": "EUR"}

@upcaster("T.placed", "1.1.0", "2.0.0")
def rename(payload):
    return {"n": payload["n"], "currency": payload["money"]}

class Means(Enum):
    CASH = "cash"

@event_type("T.paid", version="1.2.0")
@attrs.frozen
class Paid:
    n: int
    by: Means = Means.CASH

@attrs.frozen
class Sum:
    n: int = 0

    @applies(Paid)
    def paid(self, paid):
        return Sum(self.n + paid.n)

class TillKeeper(EventSourcedAgent[Sum]):
    @on(Placed)
    def take(self, order):
        self.emit(Paid(order.n))

    @on("T.reminded")
    def remind(self, event): ...

    @every(3600)
    def sweep(self, event): ...

class Porter(Agent):
    place = "T"

    @on("{place}.paid")
    def carry(self, event): ...

def build(system):
    system.spawn(TillKeeper)
    system.spawn(Porter)
"""


@pytest.fixture
def topic() -> str:
    return f"tests-check-{next(NUMBERS)}"


@pytest.fixture
def store(topic: str, tmp_path: Path) -> str:
    """What the old code has left: orders of version 1, of which two died, payments, two timers."""
    path = tmp_path / "events.db"

    class TillKeeper(Agent):
        @on(f"{topic}.placed")
        def take(self, event: Event) -> None:
            if event.payload["n"] > 2:
                raise GiveUp("too many")
            self.emit(f"{topic}.paid", {"n": event.payload["n"]})
            self.after(3600, f"{topic}.reminded", {}, key="reminder")

        @every(3600)
        def sweep(self, event: Event) -> None: ...

    class Porter(Agent):
        @on(f"{topic}.paid")
        def carry(self, event: Event) -> None: ...

    with ActorSystem(mode="simulated", store=path) as system:
        system.spawn(TillKeeper)
        system.spawn(Porter)
        for n in range(1, 5):
            system.publish(f"{topic}.placed", {"n": n})
        system.wait_idle()
    return str(path)


@pytest.fixture
def shop(topic: str, tmp_path: Path) -> Iterator[Any]:
    """Writes the new code, with one text of it replaced: the path of its file."""
    path = tmp_path / f"shop_{topic.replace('-', '_')}.py"

    def write(old: str = "", new: str = "") -> str:
        assert old in SHOP, "a mutant that is none"
        path.write_text(
            SHOP.replace(old, new, 1).replace("T.", f"{topic}.").replace('"T"', f'"{topic}"')
        )
        return str(path)

    yield write
    sys.modules.pop(path.stem, None)


def choreia(*arguments: str) -> Result:
    return CliRunner().invoke(app, ("store", "check", *arguments), catch_exceptions=False)


def findings(*arguments: str) -> list[dict[str, Any]]:
    result = choreia(*arguments, "-o", "json")
    report = json.loads(result.stdout)
    errors = [one for one in report["findings"] if not one["warning"]]
    assert result.exit_code == (1 if errors else 0)
    found: list[dict[str, Any]] = report["findings"]
    return found


# -- nothing, and one of each ---------------------------------------------------------------------


@pytest.mark.parametrize("build", ["", ":build"])
def test_code_that_can_read_everything(store: str, shop: Any, build: str) -> None:
    before = Path(store).read_bytes()
    assert findings(store, shop() + build) == []
    assert choreia(store, shop() + build).stdout == "events tried: 6, errors: 0, warnings: 0\n"
    assert Path(store).read_bytes() == before


MUTANTS = {
    "V01": ('@upcaster("T.placed", "1.1.0", "2.0.0")', "", "placed", 4),
    "V02": ('"T.placed", version="2.0.0"', '"T.placed", version="1.9.0"', "placed", 4),
    "V03": ("    n: int\n    by: M", "    n: str\n    by: M", "paid", 2),
    "V04": ('@on("T.reminded")', '@on("T.forgotten")', "reminded", 1),
    "V07": ("return Sum(self.n + paid.n)", "return Sum(self.n // (paid.n - 2))", "paid", 1),
    "V08": ("@on(Placed)", '@on("T.other")', "placed", 2),
}


@pytest.mark.parametrize("build", ["", ":build"])
@pytest.mark.parametrize("id", MUTANTS)
def test_each_mutant_has_its_finding(
    store: str, shop: Any, topic: str, id: str, build: str
) -> None:
    old, new, type, count = MUTANTS[id]
    module = shop(old, new)
    if id == "V03":  # the state cannot be folded of them either
        path = Path(module)
        path.write_text(path.read_text().replace("@applies(Paid)", f'@applies("{topic}.nothing")'))
    found = findings(store, module + build)
    assert [(one["id"], one["type"], one["count"]) for one in found] == [
        (id, f"{topic}.{type}", count)
    ]
    assert found[0]["warning"] is (id == "V08")
    assert choreia(store, module + build).stdout.startswith(f"{id}  {topic}.{type} ")


def test_agents_that_are_not_spawned_any_more(store: str, shop: Any) -> None:
    module = shop("    system.spawn(Porter)\n", "")
    [finding] = findings(store, f"{module}:build")
    assert (finding["id"], finding["agent"], finding["warning"]) == ("V06", "porter", True)
    module = shop("class Porter(Agent):", "class Carrier(Agent):")
    assert findings(store, module) == [], "names are guessed: then nobody can tell"


def test_an_agent_of_another_name(store: str, shop: Any, topic: str) -> None:
    module = shop("system.spawn(TillKeeper)", 'system.spawn(TillKeeper, name="till")')
    found = findings(store, f"{module}:build")
    assert [(one["id"], one["agent"], one["type"]) for one in found] == [
        ("V04", "till-keeper", f"{topic}.reminded"),
        ("V04", "till-keeper", "timer.till-keeper.sweep"),
        ("V06", "till-keeper", ""),
        ("V08", "till-keeper", f"{topic}.placed"),
    ]


def test_a_schedule_that_is_no_more_is_nobodys_loss(store: str, shop: Any) -> None:
    assert findings(store, shop("    @every(3600)\n    def sweep(self, event): ...\n", "")) == []


def test_snapshots_of_another_state_class_and_states_of_keys(store: str, shop: Any) -> None:
    keyed = shop("class TillKeeper(EventSourcedAgent[Sum]):", (
        "class TillKeeper(EventSourcedAgent[Sum]):\n    key = 'payload.n'"))  # fmt: skip
    file = Path(keyed)
    file.write_text(
        file.read_text().replace("    @every(3600)\n    def sweep(self, event): ...\n", "")
    )
    with closing(SqliteStore(store)) as opened:
        old = [KeepSnapshot(f"did:choreia:local:till-keeper:{n}", "old", b"{}") for n in range(3)]
        other = KeepSnapshot("did:choreia:local:somebody-else", "old", b"{}")
        opened.commit([Unit(changes=[*old, other])], 1.0)
    [finding] = findings(store, keyed + ":build")
    assert (finding["id"], finding["agent"], finding["count"]) == ("V05", "TillKeeper", 3)
    assert finding["warning"], "nothing is lost by it"
    with ActorSystem(mode="simulated", store=store) as system:
        paid = next(one.event.type for one in system.store.read(pattern="*.paid"))
        entry = Event(type=paid, source="did:choreia:local:till-keeper:7", payload={"n": 2})
        system.publish(entry)
    file.write_text(file.read_text().replace("self.n + paid.n", "self.n // (paid.n - 2)"))
    sys.modules.pop(file.stem, None)
    assert [one["id"] for one in findings(store, keyed + ":build")] == ["V05", "V07"]


# -- the log --------------------------------------------------------------------------------------


@pytest.fixture
def kept() -> Iterator[MemoryStore]:
    store = MemoryStore()
    yield store
    store.close()


def record(store: MemoryStore, type: str, *versions: str, **payload: Any) -> None:
    with ActorSystem(mode="simulated", store=store) as system:
        for version in versions:
            system.publish(type, payload, version=version)


def facts(found: tuple[Finding, ...]) -> list[tuple[str, str, int]]:
    return [(one.id, one.version, one.count) for one in found]


def test_versions_follow_the_rules_of_structure(shop: Any, topic: str, kept: MemoryStore) -> None:
    type = f"{topic}.paid"
    record(kept, type, "1.0.0", "1.9.0", "0.9.0", "0.9.0", "2.0.0", n=1)
    report = check(kept, load(shop()))
    assert facts(report.findings) == [("V01", "0.9.0", 2), ("V02", "2.0.0", 1)]
    assert report.findings[0].advice == f'declare @upcaster("{type}", "0.9.0", "1.2.0")'
    first = next(one for one in kept.read(pattern=type) if one.event.metadata.version == "0.9.0")
    assert report.findings[0].position == first.position
    assert not report.passed


def test_an_upcaster_that_fails_is_found_without_a_class(
    shop: Any, topic: str, kept: MemoryStore
) -> None:
    record(kept, f"{topic}.placed", "1.0.0", m=1)
    module = shop('@event_type("T.placed", version="2.0.0")\n', "")
    path = Path(module)
    path.write_text(path.read_text().replace("@on(Placed)", f'@on("{topic}.placed")'))
    [finding] = check(kept, load(module)).findings
    assert (finding.id, finding.version) == ("V03", "1.0.0")
    assert "KeyError" in finding.what


def test_a_sample_is_of_each_type_and_version(shop: Any, topic: str, kept: MemoryStore) -> None:
    type = f"{topic}.paid"
    record(kept, type, *["1.0.0"] * 5, *["1.1.0"] * 5, n="one")
    code = load(shop())
    assert facts(check(kept, code).findings) == [("V03", "1.0.0", 5), ("V03", "1.1.0", 5)]
    assert facts(check(kept, code, sample=2).findings) == [("V03", "1.0.0", 2), ("V03", "1.1.0", 2)]
    assert check(kept, code, sample=2).events == 10


def test_what_was_erased_is_read_by_nobody(shop: Any, topic: str, kept: MemoryStore) -> None:
    record(kept, f"{topic}.paid", "1.0.0", n="one")
    [recorded] = kept.read(pattern=f"{topic}.paid")
    kept.erase(correlation_id=recorded.event.id, reason="asked to", now=1.0)
    assert check(kept, load(shop())).findings == ()


def test_timers_are_read_when_they_fire(shop: Any, topic: str, kept: MemoryStore) -> None:
    class Porter(Agent):
        @on("tests.check.go")
        def go(self, event: Event) -> None:
            self.after(60, f"{topic}.paid", {"n": "one"})

    with ActorSystem(mode="simulated", store=kept) as system:
        system.spawn(Porter)
        system.publish("tests.check.go", {})
        system.wait_idle()
    [finding] = check(kept, load(shop())).findings
    assert (finding.id, finding.type, finding.position) == ("V03", f"{topic}.paid", 0)


def test_states_are_those_of_the_node(shop: Any, topic: str, kept: MemoryStore) -> None:
    with ActorSystem(mode="simulated", store=kept, node="east") as system:
        system.publish(f"{topic}.paid", {"n": 2}, source="did:choreia:east:till-keeper")
    module = shop("return Sum(self.n + paid.n)", "return None")
    assert check(kept, load(module, "local")).findings == ()
    [finding] = check(kept, load(module, "east")).findings
    assert (finding.id, finding.agent) == ("V07", "till-keeper")
    assert finding.position > 0
    assert "must return the next Sum" in finding.what


def test_snapshots_are_not_kept_yet(shop: Any, kept: MemoryStore) -> None:
    classes = sourced(load(shop(), "east"))
    assert [(id, cls.__name__) for id, cls in classes.items()] == [
        ("did:choreia:east:till-keeper", "TillKeeper")
    ]
    assert stale_snapshots(kept, classes) == []


# -- the module -----------------------------------------------------------------------------------


def test_nothing_of_the_built_agents_runs(shop: Any) -> None:
    module = shop(
        "class Porter(Agent):",
        "class Porter(Agent):\n    def on_start(self):\n        raise SystemExit('started')\n"
        "    on_stop = on_start\n",
    )
    code = load(f"{module}:build")
    assert [(agent.name, code.built) for agent in code.agents] == [
        ("till-keeper", True),
        ("porter", True),
    ]


def test_a_package_has_the_agents_of_its_modules(tmp_path: Path, monkeypatch: Any) -> None:
    package = tmp_path / "tests_check_package"
    (package / "inside").mkdir(parents=True)
    agent = (
        "from choreia import Agent, on\nclass {0}(Agent):\n    @on('x')\n    def x(self, e): ..."
    )
    (package / "__init__.py").write_text(agent.format("Outer"))
    (package / "inside" / "__init__.py").write_text("from tests_check_package import Outer")
    (package / "inside" / "one.py").write_text(agent.format("InnerOne") + "\nAgain = InnerOne")
    (package / "__main__.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    path = list(sys.path)
    try:
        names = [agent.name for agent in load("tests_check_package").agents]
    finally:
        for name in [name for name in sys.modules if name.startswith("tests_check_package")]:
            del sys.modules[name]
    assert names == ["outer", "inner-one"]
    assert sys.path == path


def test_the_demos_are_read() -> None:
    names = {agent.name for agent in load("choreia.demos.orders").agents}
    assert {"shop", "inventory", "payment", "shipping", "customer"} <= names


@pytest.mark.parametrize(
    ("old", "new", "build", "says"),
    [
        ("import attrs", "import attrs_of_another_planet", "", "cannot be imported: Module"),
        ("import attrs", "raise SystemExit('no')", "", "cannot be imported: SystemExit: no"),
        ("", "", ":nowhere", "has no function 'nowhere'"),
        ("def build(system)", "def build(system, stock)", ":build", "failed: TypeError"),
        ("def build(system)", "async def build(system)", ":build", "is a coroutine"),
    ],
)
def test_a_module_that_is_no_use(shop: Any, old: str, new: str, build: str, says: str) -> None:
    with pytest.raises(InvalidModule, match=re.escape(says)) as caught:
        load(shop(old, new) + build)
    assert caught.value.module


def test_a_file_that_is_called_as_another_module(tmp_path: Path) -> None:
    path = tmp_path / "json.py"
    path.write_text("raise SystemExit('imported')")
    with pytest.raises(InvalidModule, match="another module called 'json'"):
        load(str(path))
    assert sys.modules["json"] is json
    with pytest.raises(InvalidModule, match="No module named 'tests_check_nowhere'"):
        load("tests_check_nowhere:build")


def test_options_reach_the_check(store: str, shop: Any) -> None:
    old, new, *_ = MUTANTS["V03"]
    counts = [one["count"] for one in findings(store, shop(old, new), "--sample", "1")]
    assert counts[0] == 1
    old, new, *_ = MUTANTS["V07"]
    assert findings(store, shop(old, new), "--node", "east") == []


def test_lines_for_programs(store: str, shop: Any, topic: str) -> None:
    old, new, *_ = MUTANTS["V01"]
    result = choreia(store, shop(old, new), "-o", "jsonl", "--sample", "1")
    assert result.exit_code == 1
    [line] = result.stdout.splitlines()
    said = json.loads(line)
    assert said.pop("schema") == "choreia.store-check/1"
    finding = Finding(**said)
    assert attrs.asdict(finding) == {
        "id": "V01",
        "what": "the code reads 2.0.0, and no upcaster leads there, only to 1.1.0",
        "advice": f'declare @upcaster("{topic}.placed", "1.1.0", "2.0.0")',
        "type": f"{topic}.placed",
        "version": "1.0.0",
        "agent": "",
        "count": 4,
        "position": finding.position,
        "warning": False,
    }
    store_of = SqliteStore(store, readonly=True)
    try:
        [first] = store_of.page(finding.position - 1, 1)
    finally:
        store_of.close()
    assert first.event.payload == {"n": 1}
