"""From what `into` was given to a database."""

from __future__ import annotations

from pathlib import Path

from choreia.actors.projecting.tables import Database
from choreia.runtime.errors import InvalidAgent

_SERVER = ("postgresql://", "postgres://")


def open_database(given: object, name: str, statements: tuple[str, ...]) -> Database:
    """The database at a path or a URL; nothing is made in it yet. Raises `InvalidAgent`."""
    if not isinstance(given, (str, Path)) or not str(given).strip() or "\0" in str(given):
        raise InvalidAgent(
            f"into({given!r}): give the path of a SQLite file of your own, or the URL of a "
            "PostgreSQL database"
        )
    if isinstance(given, str) and given.startswith(_SERVER):
        return _postgres(given, name, statements)
    from choreia.actors.projecting.sqlite import SqliteDatabase

    if str(given) == ":memory:":
        raise InvalidAgent("into(':memory:'): nobody could read that; give the path of a file")
    path = Path(given).expanduser().absolute()
    if path.is_dir() or not path.parent.is_dir():
        raise InvalidAgent(f"into({given!r}): give the path of a file, in a folder that exists")
    return SqliteDatabase(path, name, statements)


def _postgres(url: str, name: str, statements: tuple[str, ...]) -> Database:
    try:
        from choreia.actors.projecting.postgres import PostgresDatabase
    except ImportError as error:
        raise InvalidAgent(
            "a projection into PostgreSQL needs psycopg: pip install 'choreia[postgres]'"
        ) from error
    return PostgresDatabase(url, name, statements)
