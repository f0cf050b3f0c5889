"""`choreia new`: a project that runs, passes its test, and hides nothing that is there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.actors.conftest import Cli


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def in_project(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_its_test_passes_and_nothing_is_wrong_with_it(cli: Cli, folder: Path) -> None:
    done = cli("new", "shop")
    assert done.code == 0
    files = [str(path.relative_to(folder)) for path in (folder / "shop").rglob("*.*")]
    assert sorted(done.out.splitlines()) == sorted(files)
    project = folder / "shop"
    tested = in_project(project, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert "2 passed" in tested.stdout
    checked = in_project(project, "-m", "choreia", "check", "shop.app")
    assert checked.stdout == "agents: 2, findings: 0\n"


def test_it_runs(cli: Cli, folder: Path, sockets: Path) -> None:
    assert cli("new", "shop").code == 0
    with subprocess.Popen(
        [sys.executable, "-m", "choreia", "run", "shop.app:build"],
        cwd=folder / "shop",
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stderr is not None
        first = running.stderr.readline()
        running.send_signal(signal.SIGTERM)
        rest = running.stderr.read()
    assert first.startswith("running shop.app:build: 2 agents, ")
    assert running.returncode == 0, rest
    assert "for 10 s at most" in rest, "pyproject.toml says so"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Shop", "small letters"),
        ("my-shop", "small letters"),
        ("../shop", "small letters"),
        ("1shop", "small letters"),
        ("", "small letters"),
        ("s" * 51, "small letters"),
        ("class", "a word of Python's own"),
        ("match", "a word of Python's own"),
        ("json", "a package of that name"),
        ("attrs", "a package of that name"),
        ("choreia", "a package of that name"),
        ("tests", "a package of that name"),
    ],
)
def test_names_are_checked(cli: Cli, folder: Path, name: str, says: str) -> None:
    done = cli("new", name)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert not list(folder.iterdir())


def test_nothing_is_written_over(cli: Cli, folder: Path) -> None:
    (folder / "shop").mkdir()
    done = cli("new", "shop")
    assert done.code == 2
    assert "shop exists here already" in done.err
    (folder / "bakery").write_text("mine")
    assert cli("new", "bakery").code == 2
    assert (folder / "bakery").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_cannot_be_made_is_no_fault_of_ours(cli: Cli, folder: Path) -> None:
    folder.chmod(0o500)
    done = cli("new", "shop")
    folder.chmod(0o700)
    assert done.code == 1
    assert "shop cannot be made here" in done.err
