"""Where projections write in tests: a SQLite file, or a PostgreSQL database."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from choreia import ActorSystem, Projection, ProjectionRef, Retry, project, projection
from choreia.actors.projecting import track

if TYPE_CHECKING:
    from tests.runtime.stores.conftest import PostgresServer


def _fixture_of_the_stores() -> Any:
    """The server that the tests of the stores start."""
    name = "choreia_tests_of_stores"
    if name not in sys.modules:
        path = Path(__file__).parents[2] / "runtime" / "stores" / "conftest.py"
        spec = spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules[name] = module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name].postgres


postgres = _fixture_of_the_stores()


@pytest.fixture(autouse=True)
def _short_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that few events are several."""
    monkeypatch.setattr(track, "BATCH", 16)


class Numbers(Projection):
    """Writes the numbers it hears of; of those below 0 nothing, and it fails."""

    tables = "CREATE TABLE numbers (n INTEGER PRIMARY KEY, note TEXT)"
    retry = Retry(attempts=2, delay=0.01)
    insert = "INSERT INTO numbers VALUES (?, ?)"
    failures = 0

    @project("number.*")
    def write(self, db: Any, event: Any) -> None:
        n = event.payload["n"]
        db.execute(self.insert, (abs(n), event.type))
        if n < 0:
            type(self).failures += 1
            raise ValueError("below 0")

    def answer(self, db: Any, question: Any) -> Any:
        rows = db.execute("SELECT n FROM numbers ORDER BY n").fetchall()
        return [n for (n,) in rows]


@attrs.frozen
class Target:
    """A database of the user's."""

    address: str
    rows: Callable[[str], list[Any]]
    """Runs SQL as a reader from outside does."""
    sign: str
    """For a parameter."""

    def make(self, **attributes: object) -> type[Numbers]:
        """A class of its own, called `Numbers`."""
        own = {"insert": f"INSERT INTO numbers VALUES ({self.sign}, {self.sign})"}
        return type("Numbers", (Numbers,), {**own, **attributes})

    def spawn(self, system: ActorSystem, cls: type[Projection] | None = None) -> ProjectionRef:
        return projection(system.spawn((cls or self.make()).into(self.address)))

    def numbers(self) -> list[int]:
        return [n for (n,) in self.rows("SELECT n FROM numbers ORDER BY n")]


def sqlite_target(folder: Path) -> Target:
    path = folder / "numbers.db"

    def rows(sql: str) -> list[Any]:
        with closing(sqlite3.connect(path)) as db:
            return db.execute(sql).fetchall()

    return Target(str(path), rows, "?")


def postgres_target(server: PostgresServer) -> Target:
    import psycopg

    folder = server.dsn.split()[0].removeprefix("host=")
    url = f"postgresql://tester@/postgres?host={folder}"

    def rows(sql: str) -> list[Any]:
        with psycopg.connect(url, autocommit=True) as db:
            db.execute("SET search_path TO numbers, public")
            cursor = db.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    for schema in ("numbers", "numbers_rebuild", "numbers_old"):
        rows(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    return Target(url, rows, "%s")


@pytest.fixture(params=["sqlite", "postgres"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Target:
    if request.param == "sqlite":
        return sqlite_target(tmp_path)
    return postgres_target(request.getfixturevalue("postgres"))


@pytest.fixture(scope="session")
def in_file() -> Callable[[Path], Target]:
    """For Hypothesis, which wants a new one each time."""
    return sqlite_target
