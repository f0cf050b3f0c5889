"""A PostgreSQL server of the tests' own, if there are binaries of one on this machine."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest


def binaries() -> Path | None:
    """Where the newest server is."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if found:
        return max(found, key=lambda folder: float(folder.parent.name))
    found_on_path = shutil.which("initdb")
    return None if found_on_path is None else Path(found_on_path).resolve().parent


class PostgresServer:
    """Listens on a socket in a folder of its own, and on no port; syncs as a real one does."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._folder = Path(tempfile.mkdtemp(prefix="choreia-pg-"))
        self._user: str | None = None
        if os.getuid() == 0:  # it refuses to run as root
            users = {one.pw_name for one in pwd.getpwall()}
            self._user = "postgres" if "postgres" in users else "nobody"
            shutil.chown(self._folder, self._user)
        self._data = self._folder / "data"
        self._run("initdb", "-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        with (self._data / "postgresql.conf").open("a") as conf:
            conf.write(
                f"listen_addresses = ''\nunix_socket_directories = '{self._folder}'\n"
                "fsync = on\nshared_buffers = 32MB\nmax_connections = 50\n"
            )
        self._schemas: dict[object, str] = {}
        self.start()

    @property
    def dsn(self) -> str:
        return f"host={self._folder} user=tester dbname=postgres"

    def schema_of(self, key: object) -> str:
        """A schema for each, new in the beginning."""
        return self._schemas.setdefault(key, f"store_{len(self._schemas)}")

    def start(self) -> None:
        self._run("pg_ctl", "-w", "-l", str(self._folder / "log"), "start")

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "-w", "-m", mode, "stop")

    def remove(self) -> None:
        try:
            self.stop()
        finally:
            shutil.rmtree(self._folder)

    def _run(self, program: str, *arguments: str) -> None:
        account = None if self._user is None else pwd.getpwnam(self._user)
        done = subprocess.run(
            [self._binaries / program, "-D", self._data, *arguments],
            cwd=self._folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            user=None if account is None else account.pw_uid,
            group=None if account is None else account.pw_gid,
            extra_groups=None if account is None else [],
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{program} {arguments}: {done.stdout!r}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    folder = binaries()
    if folder is None:
        pytest.skip("no PostgreSQL server on this machine (apt-get install postgresql)")
    if find_spec("psycopg") is None:
        pytest.skip("psycopg is not installed")
    server = PostgresServer(folder)
    try:
        yield server
    finally:
        server.remove()
