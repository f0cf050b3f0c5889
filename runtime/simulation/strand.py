"""Strands and the baton: how a handler blocks under simulation, while others go on.

A blocking call inside a handler (`ask`, `emit_now` into a full mailbox) has the rest of the handler
on its stack, so it needs a thread of its own to wait on. It gets one, but only one thread runs at
a time: the one that holds the *baton*. Who waits hands the baton to a helper, which gives turns to
others, until it is the waiter's turn again and the helper hands the baton back. All choices are the
dispatcher's, so a system is still a function of its seed.

Rejected: running the others on the waiter's own stack. There the one that waited first goes on
last, so that agents which wait for each other in another order hang, which they would not on
threads; and a few hundred blocked handlers exceed Python's recursion limit.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from choreia.runtime.delivery.gate import Gate

PATIENCE = 5.0
"""Real seconds that an interrupted waiter gives the running step to end."""


class Strand:
    """A thread that waits at a gate for the baton."""

    __slots__ = ("error", "gate", "latch", "outside", "until", "who")

    def __init__(self, gate: Gate, until: float | None, who: str, outside: bool) -> None:
        self.gate = gate
        self.until = until
        """When it stops waiting (virtual monotonic seconds), or None."""
        self.who = who
        """Who waits, for people."""
        self.outside = outside
        """Whether it is the user's own thread."""
        self.latch = threading.Lock()
        self.latch.acquire()
        self.error: BaseException | None = None
        """Raised where it waits, when it gets the baton."""


class Baton:
    """Held by one thread at a time, which alone runs. `drive` gives turns, on a helper's thread,
    until it comes to a strand whose turn it is."""

    def __init__(self, drive: Callable[[], Strand]) -> None:
        self._drive = drive
        self._idle: list[threading.Lock] = []
        self._threads: list[threading.Thread] = []
        self._here = threading.local()
        self._ended = False

    @property
    def outside(self) -> bool:
        """Whether the calling thread is the user's own."""
        return not getattr(self._here, "helps", False)

    def wait(self, strand: Strand) -> None:
        """Hand the baton to a helper, until it comes back to `strand`."""
        if self._idle:
            self._idle.pop().release()
        else:
            self._start()
        try:
            strand.latch.acquire()
        except BaseException:
            # Ctrl-C: the baton is elsewhere. Ask for it, for nothing may run beside us.
            strand.gate.open()
            strand.latch.acquire(timeout=PATIENCE)
            raise

    def _start(self) -> None:
        thread = threading.Thread(
            target=self._help,
            name=f"choreia-simulated-{len(self._threads) + 1}",
            daemon=True,
        )
        self._threads.append(thread)
        thread.start()

    def _help(self) -> None:
        self._here.helps = True
        latch = threading.Lock()
        latch.acquire()
        while not self._ended:
            strand = self._drive()
            self._idle.append(latch)
            strand.latch.release()
            latch.acquire()  # until the baton comes again

    def end(self, timeout: float) -> None:
        """End the helpers; those that hang in a handler are left behind."""
        self._ended = True
        for latch in self._idle:
            latch.release()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(timeout)
