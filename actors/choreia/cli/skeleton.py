"""The files of a new project. ``NAME`` stands for its name, in paths and in what is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_PYPROJECT = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "NAME"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["choreia"]

[project.optional-dependencies]
test = ["pytest>=9.1"]

[tool.setuptools]
packages = ["NAME"]

[tool.pytest.ini_options]
testpaths = ["tests"]
pythonpath = ["."]

# What `choreia run` is told when the command line does not say it; see `choreia config`.
[tool.choreia.run]
grace = 10
"""

_README = """\
# NAME

A choreography: agents that react to events, and nobody directs them.

| | |
|---|---|
| `NAME/agents.py` | the agents: what they react to, and what they say |
| `NAME/app.py` | `build(system)`, which brings them together |
| `tests/` | what is promised of them |

```sh
choreia run NAME.app --watch          # begins again when a file changes
choreia top                           # what is going on, from another terminal
choreia run NAME.app --store NAME.db  # nothing is lost, whatever ends the process
choreia map NAME.app                  # who says what to whom
choreia check NAME.app                # what is wrong with that
python -m pytest
```
"""

_INIT = '''\
"""NAME: agents that react to events."""
'''

_AGENTS = '''\
"""A thermometer that measures, and an alarm that listens to it. Neither knows the other."""

from __future__ import annotations

import logging
import math

from choreia import Agent, Event, every, on

log = logging.getLogger(__name__)


class Thermometer(Agent):
    """Says how warm it is, once a second: a day of it lasts a minute."""

    seconds = 0

    @every(1)
    def measure(self, event: Event) -> None:
        self.seconds += 1
        celsius = 20 + 8 * math.sin(self.seconds / 60 * math.tau)
        self.emit("temperature.measured", {"celsius": round(celsius, 1)})


class Alarm(Agent):
    """Says so when it gets too warm, and when that is over."""

    LIMIT = 25.0
    external = ("alarm.raised", "alarm.ended")  # they are for people
    raised = False

    @on("temperature.measured")
    def compare(self, event: Event) -> None:
        celsius = event.payload["celsius"]
        if (celsius > self.LIMIT) == self.raised:
            return
        self.raised = not self.raised
        if self.raised:
            log.warning("too warm: %s °C", celsius)
            self.emit("alarm.raised", {"celsius": celsius})
        else:
            self.emit("alarm.ended", {"celsius": celsius})
'''

_APP = '''\
"""What runs: ``choreia run NAME.app``."""

from __future__ import annotations

from choreia import ActorSystem
from NAME.agents import Alarm, Thermometer


def build(system: ActorSystem) -> None:
    """Spawn the agents. What they share could be opened here: then write a context manager."""
    system.spawn(Thermometer)
    system.spawn(Alarm)
'''

_TEST = '''\
"""The agents, in virtual time: a day takes no longer than a second."""

from __future__ import annotations

from choreia.testing import EventTestHarness
from NAME.agents import Alarm, Thermometer


def test_it_measures_once_a_second(event_harness: EventTestHarness) -> None:
    h = event_harness.with_agents(Thermometer)
    h.expect("temperature.measured", {"celsius": 20.8}, within=1)
    h.expect("temperature.measured", {"celsius": 21.7}, within=1)


def test_the_alarm_is_raised_once_and_ends(event_harness: EventTestHarness) -> None:
    h = event_harness.with_agents(Alarm)
    h.simulate_event("temperature.measured", {"celsius": 26.5})
    h.expect("alarm.raised", {"celsius": 26.5})
    h.simulate_event("temperature.measured", {"celsius": 27.0})
    h.expect_no("alarm.*")
    h.simulate_event("temperature.measured", {"celsius": 24.0})
    h.expect("alarm.ended", {"celsius": 24.0})
'''

_IGNORED = """\
__pycache__/
.venv/
*.db*
"""

FILES: Final[Mapping[str, str]] = {
    "pyproject.toml": _PYPROJECT,
    "README.md": _README,
    ".gitignore": _IGNORED,
    "NAME/__init__.py": _INIT,
    "NAME/agents.py": _AGENTS,
    "NAME/app.py": _APP,
    "tests/test_agents.py": _TEST,
}
