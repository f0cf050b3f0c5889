"""`choreia run`: a choreography, until somebody says that it is to end."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

import click

from choreia.actors.inspecting.options import Inspection
from choreia.actors.running import Exit, Reason, Told
from choreia.actors.system import ActorSystem
from choreia.cli.building import build_of, built
from choreia.cli.watching import watch
from choreia.runtime.events.display import plain

GRACE = 30.0
SHOWN = 20
"""Agents that had not come to an end, of those that are named."""
ENDED: dict[Reason, str] = {
    "interrupted": "Ctrl-C",
    "terminated": "SIGTERM",
    "stopped": "it was stopped",
}


@click.command("run")
@click.argument("where", metavar="MODULE[:BUILD]")
@click.option(
    "--store",
    envvar="CHOREIA_STORE",
    metavar="STORE",
    help="Keep everything there: a file, which is made, or a PostgreSQL URL. "
    "[env var: CHOREIA_STORE]",
)
@click.option("--watch", "watching", is_flag=True, help="Begin again when a .py file changes.")
@click.option(
    "--grace",
    type=click.FloatRange(0),
    default=GRACE,
    show_default=True,
    metavar="SECONDS",
    help="How long what is in flight may take at the end.",
)
@click.option("--node", default="local", show_default=True, help="This process among others.")
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Threads that handle events at once.",
)
@click.option(
    "--inspect/--no-inspect",
    default=True,
    show_default=True,
    help="Serve `choreia top` and the like.",
)
@click.option("--control", is_flag=True, help="Let them change things, too, and publish.")
@click.pass_context
def command(
    context: click.Context,
    where: str,
    store: str | None,
    watching: bool,
    grace: float,
    node: str,
    workers: int,
    inspect: bool,
    control: bool,
) -> None:
    """Run the choreography that BUILD makes (by default "build"): a function in MODULE that spawns
    the agents in the ActorSystem it is given. It may be a context manager, which is left when
    everything has ended. MODULE is a dotted name or the path of a .py file.

    \b
      choreia run shop.app
      choreia run shop.app:build --store shop.db --watch

    Ctrl-C and SIGTERM let it come to its end: nothing more is published, and what is in flight is
    handled. Another Ctrl-C stops it at once. Exits with 0, with 1 if that took longer than --grace,
    with 130 after Ctrl-C.
    """
    if control and not inspect:
        raise click.UsageError("--control is for those who look: leave out --no-inspect")
    if watching:
        context.exit(watch(where, _options(context), grace))
    served = Inspection(control=control) if inspect else False
    try:
        with _unwinding():
            build = build_of(where)
            with (
                ActorSystem(node=node, workers=workers, store=store, inspect=served) as system,
                built(build, system, where),
            ):
                ended = system.run(grace, tell=Telling(system, where, grace, inspect=inspect))
    except _Terminated:
        context.exit(128 + signal.SIGTERM)
    _report(ended, grace, kept=store is not None)
    context.exit(ended.code)


class _Terminated(BaseException):
    """SIGTERM came before the agents were there, or after they had ended."""


@contextmanager
def _unwinding() -> Generator[None, None, None]:
    """SIGTERM leaves what was entered, as Ctrl-C does, where `system.run` does not see to it."""

    def hear(number: int, frame: FrameType | None) -> NoReturn:
        raise _Terminated

    before = signal.signal(signal.SIGTERM, hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL if before is None else before)


def _options(context: click.Context) -> list[str]:
    """What the process that is begun again and again is told: all that was said, wherever."""
    said: list[str] = []
    for option in context.command.params:
        value = context.params.get(option.name or "")
        if not isinstance(option, click.Option) or option.name == "watching" or value is None:
            continue
        if option.is_flag:
            said += [option.opts[0]] if value else option.secondary_opts[:1]
        else:
            said += [option.opts[0], str(value)]
    return said


class Telling:
    """Says what runs, and then that it is about to end."""

    def __init__(self, system: ActorSystem, where: str, grace: float, *, inspect: bool) -> None:
        self._system = system
        self._where = where
        self._grace = grace
        self._inspect = inspect

    def __call__(self, told: Told) -> None:
        if told == "running":
            _say(self._introduction())
        else:
            _say(
                f"{ENDED[told]}: what is in flight is handled, for {self._grace:g} s at most; "
                "Ctrl-C stops it at once"
            )

    def _introduction(self) -> str:
        count = sum(one.kind != "system" for one in self._system.inspect().agents)
        how = "nobody can look at it (--no-inspect)"
        if self._inspect:
            how = "look at it with `choreia top`"
        return (
            f"running {plain(self._where, 100)}: {count:,} agent{'' if count == 1 else 's'}, "
            f"process {os.getpid()}; {how}. Ctrl-C ends it"
        )


def _report(ended: Exit, grace: float, *, kept: bool) -> None:
    if ended.drained:
        _say(f"ended ({ENDED[ended.reason]}); nothing was in flight any more")
        return
    why = "stopped at once" if ended.at_once else f"not at an end after {grace:g} s"
    then = "what is in the store goes on when it is started again" if kept else "that is lost"
    _say(f"{why}; in flight were {len(ended.left):,}, and {then}:")
    for line in ended.left[:SHOWN]:
        _say(f"  {plain(line, 200)}")
    if len(ended.left) > SHOWN:
        _say(f"  and {len(ended.left) - SHOWN:,} more")


def _say(text: str) -> None:
    click.echo(text, err=True)
