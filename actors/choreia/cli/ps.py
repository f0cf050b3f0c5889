"""`choreia ps`: which systems are running, and can be looked at."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

import attrs
import click

from choreia.cli.attached import text
from choreia.cli.output import columns, output_option, put_out
from choreia.runtime.errors import ChoreiaError
from choreia.runtime.inspection.client import Client
from choreia.runtime.inspection.finding import PATIENCE, Found, look
from choreia.runtime.inspection.places import folder
from choreia.runtime.inspection.reading import amount_of, part_of

HEAD = ("NODE", "PID", "UPTIME", "AGENTS", "CONTROL", "STORE", "PROGRAM")


@attrs.frozen
class Seen:
    """One system, and how many agents it has; None when it did not say."""

    found: Found
    uptime: float
    agents: int | None


@click.command("ps")
@output_option
def command(output: str) -> None:
    """Which systems are running: those of this user that serve `choreia top` and the like.

    That is what `choreia run` starts, and ActorSystem(inspect=True).
    """
    there, silent = look()
    seen = [_look(one) for one in there]
    found = {"systems": [_as_data(one) for one in seen]}
    put_out("ps", output, found, columns(HEAD, map(_row, seen), right=HEAD[1:4]), each="systems")
    for one in silent:
        click.echo(f"one does not say who it is: {one}", err=True)
    if not seen and not silent:
        click.echo(f"no system is running (none was found in {folder()})", err=True)


def _look(found: Found) -> Seen:
    uptime = max(0.0, time.time() - amount_of(found.hello, "started"))
    try:
        with Client(found.path, PATIENCE) as client:
            system = part_of(client.call("snapshot", parts=[], limit=1), "system")
    except ChoreiaError:  # it has just ended, or has its hands full: it was there
        return Seen(found, uptime, None)
    return Seen(found, amount_of(system, "uptime"), int(amount_of(system, "agents")))


def _as_data(seen: Seen) -> Mapping[str, object]:
    hello = {key: value for key, value in seen.found.hello.items() if key != "verbs"}
    return {**hello, "uptime": seen.uptime, "agents": seen.agents, "path": str(seen.found.path)}


def _row(seen: Seen) -> Iterator[str]:
    hello = seen.found.hello
    yield text(hello, "node", 30)
    yield text(hello, "pid")
    yield lasting(seen.uptime)
    yield "?" if seen.agents is None else f"{seen.agents:,}"
    yield "yes" if hello.get("control") else "no"
    yield text(hello, "store", 40) or "-"
    yield text(hello, "program", 60)


def lasting(seconds: float) -> str:
    """A time that has passed, as clocks show it: 0:42, 12:05, 3:00:12, 2 d 03:00:12."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours:02}:{minutes:02}:{rest:02}"
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
