"""A clause of a compiled filter, and why it holds or does not.

The reasons are made of the very closures that select events, so they cannot disagree with them.
Whatever a clause is made of is gone through in the order of writing, to the first part that
decides: of an `$and` one that fails, of an `$or` one that holds. Where all parts had to fail (or
hold), the first of them stands for the others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar, cast

import attrs

from choreia.runtime.events.fieldpath import Predicate
from choreia.runtime.events.payload import Json

R = TypeVar("R")


@attrs.frozen
class Mismatch:
    """Why an event was not selected: `condition` does not hold of what is at `path`.

    With `holds` it does, and it is inside a negation. What a compound condition came to grief over
    is its `because`; the innermost of them is the `root`.
    """

    path: str
    """The path as written, or ``$and``, ``$or``, ``$nor``. Inside an element of an array, with the
    array's path and the element's place before it."""
    condition: Json
    """The operator with its operand, such as ``{"$lte": 1000}``."""
    found: tuple[Json, ...]
    """The values at the path: none when there is nothing, several behind an array."""
    holds: bool = False
    because: Mismatch | None = None

    @property
    def root(self) -> Mismatch:
        """The condition on one value that decided."""
        at = self
        while at.because is not None:
            at = at.because
        return at

    @property
    def around(self) -> tuple[str, ...]:
        """The compound operators around the `root`, the outermost first."""
        names: list[str] = []
        at = self
        while at.because is not None:
            names.append(at.path if at.path.startswith("$") else next(iter(_mapping(at.condition))))
            at = at.because
        return tuple(names)


@attrs.frozen(eq=False)
class Clause(Generic[R]):
    """One thing that must hold: `condition` (``{"$lte": 5}``) of what is at `path`."""

    path: str
    condition: Json
    holds: Predicate[R]
    look: Callable[[R], tuple[Json, ...]]
    """The values at the path; none for `$and`, `$or`, `$nor`."""
    parts: tuple[tuple[Clause[R], ...], ...] = ()
    """What `$and`, `$or`, `$nor` and `$not` are made of: clauses that hold together or not."""
    element: tuple[Clause[object], ...] = ()
    """What `$elemMatch` wants of an element."""

    def reason(self, root: R) -> Mismatch:
        """Why it holds of `root`, or why not."""
        holds, found = self.holds(root), self.look(root)
        because = self._inside(root)
        if because is None and self.element:
            because = self._element(found, holds=holds)
        return Mismatch(self.path, self.condition, found, holds, because)

    def _inside(self, root: R) -> Mismatch | None:
        if not self.parts:
            return None
        # One part is enough to make an $and fail, and to make any other hold.
        wanted = self.path != "$and"
        part = next((part for part in self.parts if _all(part, root) is wanted), self.parts[0])
        if not part:  # {} selects everything
            return None
        return next((c for c in part if not c.holds(root)), part[0]).reason(root)

    def _element(self, found: tuple[Json, ...], *, holds: bool) -> Mismatch | None:
        for array in found:
            for at, item in enumerate(array if isinstance(array, list) else ()):
                # A clause with a path is for objects; of anything else there is nothing to say.
                if holds is not self._fits(item) or not self._applies(item):
                    continue
                deciding = next((c for c in self.element if not c.holds(item)), self.element[0])
                return _within(f"{self.path}.{at}", deciding.reason(item))
        return None

    def _applies(self, item: object) -> bool:
        return isinstance(item, dict) or not self.element[0].path

    def _fits(self, item: object) -> bool:
        return self._applies(item) and _all(self.element, item)


def first_failure(clauses: tuple[Clause[R], ...], root: R) -> Mismatch | None:
    """Why `clauses` do not all hold of `root`; None when they do."""
    for clause in clauses:
        if not clause.holds(root):
            return clause.reason(root)
    return None


def _all(clauses: tuple[Clause[R], ...], root: R) -> bool:
    return all(clause.holds(root) for clause in clauses)


def _within(place: str, reason: Mismatch) -> Mismatch:
    """A reason inside an element, by its path from the event."""
    inner = None if reason.because is None else _within(place, reason.because)
    path = reason.path if reason.path.startswith("$") else _join(place, reason.path)
    return attrs.evolve(reason, path=path, because=inner)


def _join(place: str, path: str) -> str:
    return f"{place}.{path}" if path else place


def _mapping(condition: Json) -> dict[str, Json]:
    return cast("dict[str, Json]", condition)
