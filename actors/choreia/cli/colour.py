"""Whether what is written may have colours: click asks nobody but the terminal."""

from __future__ import annotations

import os
from collections.abc import Mapping


def colour(environment: Mapping[str, str] = os.environ) -> bool | None:
    """As `click.Context.color` is told it: never, always, or None: where there is a terminal.

    ``NO_COLOR`` (https://no-color.org) and a terminal that is dumb win over ``FORCE_COLOR``; each
    counts unless it is empty.
    """
    if environment.get("NO_COLOR") or environment.get("TERM") == "dumb":
        return False
    return True if environment.get("FORCE_COLOR") else None
