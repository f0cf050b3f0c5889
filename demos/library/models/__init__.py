"""Language models: the contract, one that is scripted, and a client for those behind a URL."""

from __future__ import annotations
