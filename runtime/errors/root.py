"""The root of all errors."""

from __future__ import annotations


class ChoreiaError(Exception):
    """The root: catch this to catch everything Choreia raises on purpose."""
