"""`choreia doctor` and `choreia version`: how this machine stands, and what to do."""

from __future__ import annotations

import json
import platform
import socket
import sqlite3
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from choreia import ActorSystem
from choreia.cli import checkup
from choreia.cli.checkup import Finding, dependencies, numbers, python, sqlite, terminal

if TYPE_CHECKING:
    from tests.actors.conftest import Cli

pytestmark = pytest.mark.usefixtures("sockets")


def one(findings: object) -> Finding:
    [found] = list(findings)  # type: ignore[call-overload]
    assert isinstance(found, Finding)
    return found


def test_here_all_is_well(cli: Cli) -> None:
    done = cli("doctor")
    assert done.code == 0, done.out
    assert "BAD" not in done.out
    assert f"python    {'':0}{platform.python_version()}" in done.out
    document = json.loads(cli("doctor", "-o", "json").out)
    assert document["schema"] == "choreia.doctor/1"
    assert {"python", "packages", "sqlite", "sockets", "systems", "terminal"} <= {
        finding["about"] for finding in document["findings"]
    }


# -- what may be wrong ----------------------------------------------------------------------------


def test_an_old_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    assert one(python()).state == "bad"


def test_an_old_sqlite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 7, 17))
    found = one(sqlite())
    assert (found.state, found.advice) == ("bad", "install a newer Python")


def test_packages_against_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = [
        "attrs>=25.4",
        "click >= 8",  # spaces: nobody writes that into metadata
        "gone>=1",
        "old>=2.10",
        'httpx>=0.28; extra == "llm"',
        'psycopg[binary]>=3.2.2; extra == "postgres"',
        "choreia[bench]; extra == 'test'",
    ]
    versions = {"attrs": "25.4.0", "old": "2.9", "psycopg": "3.2.1"}

    def version(name: str) -> str:
        if name not in versions:
            raise metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(metadata, "requires", lambda name: wanted)
    monkeypatch.setattr(metadata, "version", version)
    found = {finding.about: finding for finding in dependencies()}
    assert found["packages"].said == "attrs 25.4.0"
    assert found["gone"].state == "bad"
    assert found["gone"].advice == 'pip install "gone>=1"'
    assert (found["old"].state, found["old"].said) == ("bad", "2.9, needed is 2.10")
    assert found["psycopg"].state == "warn", "one can do without"
    assert "httpx" not in found


@pytest.mark.parametrize(
    ("version", "read"),
    [("1.10.0", (1, 10)), ("25.4", (25, 4)), ("2.0rc1", (2,)), ("1.1.20250722", (1, 1, 20250722))],
)
def test_versions_are_numbers(version: str, read: tuple[int, ...]) -> None:
    assert numbers(version) == read


def test_a_folder_that_is_open_to_others(cli: Cli, sockets: Path) -> None:
    sockets.mkdir(mode=0o755)
    done = cli("doctor")
    assert done.code == 1
    assert "BAD   sockets" in done.out
    assert "chmod 700" in done.out


def test_sockets_of_systems_that_are_gone_and_of_those_that_hang(cli: Cli, sockets: Path) -> None:
    sockets.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(sockets / "1-1.sock"))
    with ActorSystem(inspect=True), socket.socket(socket.AF_UNIX) as closed:
        closed.bind(str(sockets / "2-1.sock"))
        done = cli("doctor")
        assert "2 of systems that are gone: removed" in done.out
        assert "1 running" in done.out
        assert done.code == 0
    assert not list(sockets.iterdir())


def test_a_system_that_hangs(cli: Cli, sockets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "systems", list)  # it would take two seconds to find out
    with ActorSystem(inspect=True):
        done = cli("doctor")
    assert done.code == 0
    assert "does not answer" in done.out
    assert "warn  systems" in done.out


def test_a_store(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = tmp_path / "good.db", tmp_path / "bad.db"
    with ActorSystem(store=good) as system:
        system.publish("go")
    bad.write_bytes(b"no store at all" * 100)
    assert cli("doctor", "--store", str(good)).code == 0
    missing = cli("doctor", "--store", str(tmp_path / "none.db"))
    assert "is not there" in missing.out
    assert missing.code == 0, "it is made when it is needed"
    monkeypatch.setenv("CHOREIA_STORE", str(bad))
    done = cli("doctor")
    assert done.code == 1
    assert "BAD   store" in done.out


class Screen:
    """A terminal, as far as it is asked."""

    def __init__(self, encoding: str) -> None:
        self.encoding = encoding

    def isatty(self) -> bool:
        return True


def test_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(encoding: str, columns: int, **environment: str) -> dict[str, str]:
        monkeypatch.setattr(sys, "stdout", Screen(encoding))
        for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "TERM"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("LINES", "24")
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return {finding.about: finding.state for finding in terminal()}

    good = {"encoding": "ok", "colours": "ok", "size": "ok"}
    assert found("utf-8", 80, TERM="xterm") == good
    assert found("UTF8", 200, NO_COLOR="1", TERM="dumb") == good
    assert found("ascii", 79, TERM="dumb") == dict.fromkeys(good, "warn")


# -- version --------------------------------------------------------------------------------------


def test_version(cli: Cli) -> None:
    document = json.loads(cli("version", "-o", "json").out)
    assert document["schema"] == "choreia.version/1"
    assert document["choreia"] == metadata.version("choreia")
    assert document["python"] == platform.python_version()
    assert platform.platform() in cli("version").out
