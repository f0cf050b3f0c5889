"""Logging context: add the `ContextFilter` to a handler, and every record says whose turn it is."""

from __future__ import annotations

from choreia.actors.logs import ContextFilter as ContextFilter
