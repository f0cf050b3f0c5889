"""Event stores."""

from __future__ import annotations

from choreia.runtime.errors.root import ChoreiaError


class StoreError(ChoreiaError):
    """Something is wrong with an event store. Its kinds say what, and what to do."""


class StoreUnavailable(StoreError):
    """The store cannot write or read just now: the disk is full, the server away, no file
    descriptors are left, the folder is read-only. Nothing of what failed is in it; when the cause
    is gone, it works again."""


class StoreDamaged(StoreError):
    """What is in the store is not what was written: pages or logs were changed, cut or deleted.

    `position`: up to there, as far as one can tell, it is whole.
    """

    def __init__(self, message: str, *, position: int = 0) -> None:
        super().__init__(message)
        self.position = position


class StoreLocked(StoreError):
    """Another process writes to this store. `pid` is its number, 0 when it is not known."""

    def __init__(self, message: str, *, pid: int = 0) -> None:
        super().__init__(message)
        self.pid = pid


class StoreInsecure(StoreError):
    """Other users can read the store's files, or write where they lie."""


class InvalidStore(StoreError, ValueError):
    """A store, or one of its options, was given as something that makes no sense."""


class StaleCursor(StoreError):
    """An agent's cursor is not where its turn left it: another instance has taken its place.

    Nothing of the turn has happened. `agent` is its name.
    """

    def __init__(self, message: str, *, agent: str = "") -> None:
        super().__init__(message)
        self.agent = agent
