"""The function that makes a choreography: of what kinds it may be, and what is said of others."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import ModuleType

import pytest

from choreia import ActorSystem, Agent, ChoreiaError, InvalidModule
from choreia.cli.building import Build, build_of, built, parts_of

STEPS: list[str] = []


class Lasting:
    def __enter__(self) -> Lasting:
        STEPS.append("entered")
        return self

    def __exit__(self, *error: object) -> None:
        STEPS.append("left")


def plain(system: ActorSystem) -> str:
    system.spawn(Agent, name="one")
    return "anything"


@contextmanager
def decorated(system: ActorSystem) -> Iterator[str]:
    with Lasting():
        yield "anything"


def with_yield(system: ActorSystem) -> Generator[str, None, None]:
    with Lasting():
        yield "anything"


def returning(system: ActorSystem) -> Lasting:
    return Lasting()


def itself(system: ActorSystem) -> ActorSystem:
    return system


async def coroutine(system: ActorSystem) -> None: ...


async def async_yield(system: ActorSystem) -> AsyncIterator[None]:
    yield


@asynccontextmanager
async def async_manager(system: ActorSystem) -> AsyncIterator[None]:
    yield


def raising(system: ActorSystem) -> None:
    raise KeyError("key\x1b[31m")


def refusing(system: ActorSystem) -> None:
    system.spawn(Agent, name="no name")


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    module = ModuleType("making")
    vars(module).update(
        build=plain, Agent=Agent, system=ActorSystem(mode="simulated"), number=7, Lasting=Lasting
    )
    monkeypatch.setitem(sys.modules, "making", module)
    before = list(sys.path)
    STEPS.clear()
    yield
    sys.path[:] = before


@pytest.mark.parametrize("build", [decorated, with_yield, returning])
def test_what_lasts_is_left_after_all_else(build: Build) -> None:
    with ActorSystem() as system:
        with built(build, system, "it"):
            assert STEPS == ["entered"]
        assert STEPS == ["entered", "left"]


@pytest.mark.parametrize("build", [decorated, with_yield, returning])
def test_what_lasts_hears_of_errors(build: Build) -> None:
    with (
        ActorSystem() as system,
        pytest.raises(KeyboardInterrupt),
        built(build, system, "it"),
    ):
        raise KeyboardInterrupt
    assert STEPS == ["entered", "left"]


@pytest.mark.parametrize("build", [plain, itself])
def test_what_else_it_returns_does_not_matter(build: Build) -> None:
    with ActorSystem() as system, built(build, system, "it"):
        pass


@pytest.mark.parametrize("build", [coroutine, async_yield, async_manager])
def test_async_is_refused(build: Build) -> None:
    with (
        ActorSystem() as system,
        pytest.raises(InvalidModule, match="making:it is async: write it without"),
        built(build, system, "making:it"),
    ):
        pass


def test_what_fails_is_told_with_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    with (
        ActorSystem() as system,
        pytest.raises(InvalidModule, match="making:raising failed: KeyError"),
        built(raising, system, "making:raising"),
    ):
        pass
    said = capsys.readouterr().err
    assert "in raising" in said
    assert "\x1b" not in said
    assert "building.py" not in said.replace(str(Path(__file__)), "")


def test_what_fails_in_the_end_is_told() -> None:
    @contextmanager
    def fails(system: ActorSystem) -> Iterator[None]:
        yield
        raise ValueError("closed already")

    with (
        ActorSystem() as system,
        pytest.raises(InvalidModule, match="failed when everything had ended: ValueError"),
        built(fails, system, "it"),
    ):
        pass


def test_an_error_on_purpose_stays_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with (
        ActorSystem() as system,
        pytest.raises(ChoreiaError) as raised,
        built(refusing, system, ""),
    ):
        pass
    assert not isinstance(raised.value, InvalidModule)
    assert capsys.readouterr().err == ""


# -- finding it -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "parts"),
    [
        ("shop.app", ("shop.app", "build")),
        ("shop.app:make", ("shop.app", "make")),
        ("app.py:make", ("app.py", "make")),
        ("./a:b/app.py", ("./a:b/app.py", "build")),
    ],
)
def test_what_is_named(where: str, parts: tuple[str, str]) -> None:
    assert parts_of(where) == parts


def test_it_is_found_by_its_name_or_as_build() -> None:
    assert build_of("making") is plain
    assert build_of("making:build") is plain
    made: object = build_of("making:Lasting")
    assert made is Lasting


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("making:system", "making:system is an ActorSystem already, made when making was imported"),
        ("making:Agent", r"def build\(system\): system.spawn\(Agent\)"),
        ("making:number", "making has no function 'number'"),
        ("making:nothing", "making has no function 'nothing'"),
        ("no_such_module", "'no_such_module' cannot be imported"),
        ("nowhere/app.py", "cannot be imported"),
    ],
)
def test_what_is_no_such_function_is_told_what_to_do(where: str, says: str) -> None:
    with pytest.raises(InvalidModule, match=says):
        build_of(where)


def test_code_that_fails_when_it_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken_app.py").write_text("def inner():\n    1 / 0\n\ninner()\n")
    with pytest.raises(InvalidModule, match="ZeroDivisionError"):
        build_of("broken_app")
    said = capsys.readouterr().err
    assert said.startswith("Traceback")
    assert "broken_app.py" in said
    assert "importlib" not in said


def test_a_file_in_a_package_finds_its_neighbours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bakery_app").mkdir()
    (tmp_path / "bakery_app" / "ovens.py").write_text("NUMBER = 3\n")
    (tmp_path / "bakery_app" / "main_of_bakery.py").write_text(
        "from bakery_app.ovens import NUMBER\ndef build(system): ...\n"
    )
    assert callable(build_of("bakery_app/main_of_bakery.py"))
