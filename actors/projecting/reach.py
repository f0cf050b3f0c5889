"""What is said to a projection beside questions: go on, rebuild, and wait with the answer."""

from __future__ import annotations

from typing import Any, Final

import attrs

from choreia.actors.reply import Reply


class Rebuild:
    """Begin to rebuild the tables."""


class GoOn:
    """A projection to itself: write the next batch. What is asked meanwhile comes between."""


GO_ON: Final = GoOn()
LATER: Final = object()
"""An answer that is none: it was put off."""


class Patient(Reply):
    """A reply to a question that may be put off."""

    def set(self, value: Any | None = None) -> None:
        if value is not LATER:
            super().set(value)


@attrs.frozen
class Asked:
    """A question that is to be answered when the tables have got as far as `after`."""

    question: object
    after: int
    reply: Patient
