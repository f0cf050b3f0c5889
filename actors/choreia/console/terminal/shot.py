"""A picture of a system without a terminal: look for a moment, so that there are rates to show."""

from __future__ import annotations

import time
from queue import Empty, SimpleQueue
from typing import Final

from choreia.console.model.asks import Ask
from choreia.console.terminal.contract import MakeModel, Model
from choreia.console.terminal.desk import Desk
from choreia.console.terminal.link import Connect, Link
from choreia.console.terminal.loop import TICK, Inbox
from choreia.console.terminal.news import Lost
from choreia.runtime.errors import SystemGone
from choreia.runtime.inspection.client import Client

PICTURES: Final = 6
"""Snapshots that are waited for."""
PATIENCE: Final = 15.0
"""Seconds beyond those that it should take; then what there is has to do."""


def look(
    make: MakeModel, connect: Connect, client: Client, *, view: str, every: float
) -> tuple[Model, str]:
    """The model after some snapshots, and the node. Raises `SystemGone` if there was none."""
    inbox: Inbox = SimpleQueue()
    link = Link(connect, inbox.put, client=client, every=every, wait=False)
    desk = Desk(make, link, _let_go, view=view, every=every, monotonic=time.monotonic)
    link.start()
    try:
        _turn(desk, inbox, time.monotonic() + PICTURES * every + PATIENCE)
    finally:
        link.stop()
    return desk.model, desk.node


def _turn(desk: Desk, inbox: Inbox, ends: float) -> None:
    due = 0.0
    while not _enough(desk) and (now := time.monotonic()) < ends:
        try:
            news = inbox.get(timeout=max(0.0, min(due, ends) - now))
        except Empty:
            desk.tick(time.time())
            due = time.monotonic() + TICK
            continue
        desk.take(news)
        if isinstance(news, Lost):
            if not desk.pictures:
                raise SystemGone(f"the system is gone: {news.reason}", reason=news.reason)
            return


def _enough(desk: Desk) -> bool:
    return desk.pictures >= PICTURES and not desk.unanswered


def _let_go(ask: Ask) -> None:
    """There is no terminal to do it."""
