"""`choreia top` in a terminal, from its beginning to its end."""

from __future__ import annotations

import contextlib
import sys
import termios
import time
from queue import SimpleQueue

from choreia.console.terminal.capture import captured
from choreia.console.terminal.contract import MakeModel
from choreia.console.terminal.desk import Desk
from choreia.console.terminal.link import Connect, Link
from choreia.console.terminal.loop import Inbox, Loop
from choreia.console.terminal.reader import Reader
from choreia.console.terminal.screen import Screen, is_ascii
from choreia.console.terminal.signals import stop_here, told
from choreia.console.terminal.tty import Mode, keyboard
from choreia.runtime.inspection.client import Client


def watch(
    make: MakeModel,
    connect: Connect,
    *,
    client: Client | None = None,
    view: str = "1",
    every: float = 0.5,
    wait: bool = False,
) -> int:
    """Show the system until whoever looks has seen enough; the exit code.

    `client`: the connection, if there is one; else one is made by `connect`, when `wait` allows.
    Whatever happens, the terminal is left as it was found.
    """
    inbox: Inbox = SimpleQueue()
    with contextlib.ExitStack() as stack:
        keys = stack.enter_context(keyboard())
        assert keys is not None, "asked by whoever calls: tty.can_draw"
        output = sys.stdout.fileno()
        screen = Screen(output, ascii=is_ascii())
        stack.callback(screen.release)
        mode = Mode(keys, output)

        def leave() -> None:
            screen.close()
            mode.leave()

        def enter() -> None:
            mode.enter()
            screen.open()

        def resume() -> None:
            with contextlib.suppress(termios.error):  # it is gone: the keyboard says so
                enter()

        def suspend() -> None:
            leave()
            stop_here()
            resume()

        loop = Loop(inbox, screen, suspend=suspend, resume=resume)
        link = Link(connect, inbox.put, client=client, every=every, wait=wait)
        desk = Desk(make, link, loop.act, view=view, every=every, monotonic=time.monotonic)
        stack.enter_context(told(inbox.put, mode.abandon))
        stack.enter_context(captured(inbox.put))
        stack.callback(link.stop)  # when the terminal is as it was: it may take a moment
        stack.callback(leave)
        enter()
        reader = Reader(keys, inbox.put)
        stack.callback(reader.stop)
        reader.start()
        link.start()
        return loop.run(desk)
    raise AssertionError("an exit stack hides no error")
