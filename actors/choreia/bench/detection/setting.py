"""A detector to try, with what it is set to."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from attrs import frozen

from choreia.runtime.health.detector import Detector
from choreia.runtime.health.heartbeat import Heartbeat


class Series(StrEnum):
    """Settings that belong together: a curve of the plot, a section of the table."""

    TIMEOUT = "timeout"
    PHI = "phi, timeout"
    PAPER = "phi, no pause"
    PEKKO = "Pekko's defaults"
    LESSONS = "phi, other lessons"
    SELDOM = "every 30 s"
    PROBES = "indirect probes"


@frozen
class Setting:
    """What is called `label`; those that are `shown` are rows of the table, all are in the plot."""

    series: Series
    label: str
    heartbeat: Heartbeat
    make: Callable[[Heartbeat, float], Detector]
    shown: bool = True
