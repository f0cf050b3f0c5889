"""Sizes that both sides of a workload share, so that neither does less."""

from __future__ import annotations

from typing import Final

#: Actors in the ring.
RING: Final = 1_000

#: Actors that each message of the fan-out goes to.
AUDIENCE: Final = 100

#: Seconds before each message whose latency is measured: the receiver's thread waits again.
PAUSE: Final = 0.0005
