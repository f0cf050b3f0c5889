"""A process that is stopped and goes on, like a laptop whose lid was shut: nobody is suspected."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

CHILD = """
import sys
from choreia import ActorSystem, Agent, Heartbeat, on

class Works(Agent):
    heartbeat = Heartbeat(interval=0.05, timeout=0.3, stuck_after=0.3)

    @on("work")
    async def work(self, event):
        import asyncio
        await asyncio.sleep(0.1)
        self.after(0.01, "work")

with ActorSystem() as system:
    for number in range(20):
        system.spawn(Works, name=f"works-{number}")
    system.publish("work")
    suspected, beats = [], []
    system.subscribe("agent.suspected_failure", suspected.append)
    with system.listen("agent.heartbeat") as heard:
        for wanted in (60, 200):
            for _ in range(wanted):
                heard.next(timeout=30)
            print(len(suspected), [dict(e.payload) for e in suspected][:1], flush=True)
            sys.stdin.readline()
    system.stop(drain=False)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="there is no such signal here")
def test_a_process_that_is_stopped_for_a_while_suspects_nobody() -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        assert child.stdout.readline() == "0 []\n"
        child.stdin.write("\n")
        child.stdin.flush()
        os.kill(child.pid, signal.SIGSTOP)
        time.sleep(1.5)  # five times the timeout; it is the passing of time that is tested
        os.kill(child.pid, signal.SIGCONT)
        assert child.stdout.readline() == "0 []\n"
        child.stdin.write("\n")
        child.stdin.flush()
        assert child.wait(30) == 0
    finally:
        child.kill()
        child.communicate()
