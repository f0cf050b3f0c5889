"""Real time, in which whoever looks lives, whatever time the system that is looked at lives in."""

from __future__ import annotations

import time

now = time.time
"""Unix seconds."""
monotonic = time.monotonic
"""Seconds; for every duration and deadline."""
cpu = time.thread_time
"""Seconds of computing that the calling thread has used."""
