"""Compiles what a filter says into closures.

A query is a mapping of paths to conditions, and of `$and`, `$or`, `$nor` to lists of queries.
A condition is a value, which means `$eq`, or a mapping of operators that must all hold. Each
holds by itself when *some* value at the path passes, so ``{"$gt": 1, "$lt": 3}`` holds for
``[0, 5]``; for one and the same element there is `$elemMatch`. A negation holds when the
thing negated does not, and so for missing fields and other kinds of values too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import TypeAlias, TypeVar, cast

from choreia.runtime.events import fieldpath, operators
from choreia.runtime.events.clause import Clause
from choreia.runtime.events.fieldpath import Predicate, Reach
from choreia.runtime.events.operand import join, refuse, shown
from choreia.runtime.events.operators import MISSING, VALUE_OPERATORS, Test
from choreia.runtime.events.payload import Json

R = TypeVar("R")
Bind: TypeAlias = Callable[[str, str], Reach[R]]

LOGICAL = ("$and", "$or", "$nor")
_SPECIAL = ("$ne", "$nin", "$not", "$exists", "$all", "$elemMatch", "$regex", "$options")
_OPERATORS = (*VALUE_OPERATORS, *_SPECIAL)
_MOST_CLAUSES = 1000


class Budget:
    """How many clauses the whole filter may still have: each costs time at every delivery."""

    def __init__(self, clauses: int = _MOST_CLAUSES) -> None:
        self.clauses = clauses

    def spend(self, where: str) -> None:
        self.clauses -= 1
        if self.clauses < 0:
            raise refuse(
                where, f"more than {_MOST_CLAUSES:,} clauses: split the filter, or use $in"
            )


def compile_query(
    query: Mapping[str, Json], bind: Bind[R], where: str, budget: Budget
) -> list[Clause[R]]:
    """The clauses of `query`, all of which must hold. `bind` follows a path from the root."""
    clauses: list[Clause[R]] = []
    for key, value in query.items():
        place = join(where, key)
        if key in LOGICAL:
            clauses.append(_logical(key, value, bind, place, budget))
        elif key.startswith("$"):
            raise refuse(place, _misplaced(key))
        else:
            clauses += _conditions(bind(key, place), key, value, place, budget)
    return clauses


def all_of(predicates: Sequence[Predicate[R]]) -> Predicate[R]:
    """A predicate that holds when all of `predicates` do."""
    if len(predicates) == 1:
        return predicates[0]

    def holds(root: R) -> bool:
        for predicate in predicates:  # noqa: SIM110  # all() of a generator takes twice as long
            if not predicate(root):
                return False
        return True

    return holds


def _logical(key: str, value: Json, bind: Bind[R], where: str, budget: Budget) -> Clause[R]:
    budget.spend(where)
    if not isinstance(value, list) or not value:
        raise refuse(where, f"wants a list of one or more mappings, not {shown(value)}")
    parts: list[tuple[Clause[R], ...]] = []
    for at, query in enumerate(value):
        place = f"{where}[{at}]"
        if not isinstance(query, Mapping):
            raise refuse(place, f"wants a mapping of paths to conditions, not {shown(query)}")
        parts.append(tuple(compile_query(query, bind, place, budget)))
    each = [_together(part) for part in parts]
    if key == "$and":
        holds = all_of(each)
    else:
        holds = _any_of(each) if key == "$or" else _not(_any_of(each))
    return Clause(key, value, holds, lambda _: (), tuple(parts))


def _conditions(
    reach: Reach[R], path: str, value: Json, where: str, budget: Budget
) -> list[Clause[R]]:
    """What is said of one path."""
    conditions = _operators(value, where) if is_operators(value) else {"$eq": value}
    if "$options" in conditions and "$regex" not in conditions:
        raise refuse(join(where, "$options"), "belongs to a $regex, and there is none beside it")
    look = _looker(reach)
    compiled: list[Clause[R]] = []
    for name, operand in conditions.items():
        if name == "$options":
            continue
        place = join(where, name)
        budget.spend(place)
        if name == "$regex":
            options = conditions.get("$options", "")
            holds = reach(_regex(operand, options, place))
            said = {"$regex": operand, **({"$options": options} if options else {})}
            compiled.append(Clause(path, cast(Json, said), holds, look))
        elif name == "$not":
            parts = _negated(reach, path, operand, place, budget)
            holds = _not(_together(parts))
            compiled.append(Clause(path, {name: operand}, holds, look, (parts,)))
        elif name == "$elemMatch":
            test, element = _some_element(operand, place, budget)
            compiled.append(Clause(path, {name: operand}, reach(test), look, element=element))
        else:
            holds = _condition(reach, name, operand, place)
            compiled.append(Clause(path, {name: operand}, holds, look))
    return compiled


def _condition(reach: Reach[R], name: str, operand: Json, where: str) -> Predicate[R]:
    if name == "$ne":
        return _not(reach(operators.equals(operand)))
    if name == "$nin":
        return _not(reach(operators.is_in(operand, where)))
    if name == "$all":
        members = operators.a_list(operand, where)
        return all_of([reach(operators.equals(member)) for member in members] or [_never])
    if name == "$exists":
        if not isinstance(operand, bool):
            raise refuse(where, f"wants true or false, not {shown(operand)}")
        there = reach(operators.exists)
        return there if operand else _not(there)
    return reach(VALUE_OPERATORS[name](operand, where))


def _negated(
    reach: Reach[R], path: str, operand: Json, where: str, budget: Budget
) -> tuple[Clause[R], ...]:
    if not is_operators(operand):
        raise refuse(where, f"wants a mapping of operators, not {shown(operand)}; use $ne")
    return tuple(_conditions(reach, path, operand, where, budget))


def _some_element(
    operand: Json, where: str, budget: Budget
) -> tuple[Test, tuple[Clause[object], ...]]:
    """`$elemMatch`: an array with an element that all of the operand holds for."""
    if not isinstance(operand, Mapping) or not operand:
        raise refuse(where, f"wants a mapping of operators or of paths, not {shown(operand)}")
    if is_operators(operand) and not any(key in LOGICAL for key in operand):
        clauses = tuple(_conditions(fieldpath.itself, "", operand, where, budget))
        passes = _together(clauses)
    else:
        clauses = tuple(compile_query(operand, fieldpath.of_value, where, budget))
        passes = _object_that(_together(clauses))

    def test(value: object) -> bool:
        return isinstance(value, list) and any(map(passes, cast("list[object]", value)))

    return test, clauses


def _together(clauses: Sequence[Clause[R]]) -> Predicate[R]:
    return all_of([clause.holds for clause in clauses])


def _object_that(fits: Test) -> Test:
    return lambda value: isinstance(value, dict) and fits(cast("dict[str, object]", value))


def _regex(operand: Json, options: Json, where: str) -> Test:
    if not isinstance(options, str):
        raise refuse(where, f"$options wants text such as 'i', not {shown(options)}")
    return operators.matches(operand, where, options)


def is_operators(value: Json) -> bool:
    """Whether `value` is a mapping of operators rather than a value to equal."""
    return isinstance(value, Mapping) and any(key.startswith("$") for key in value)


def _operators(value: Json, where: str) -> Mapping[str, Json]:
    conditions = cast("Mapping[str, Json]", value)
    for name in conditions:
        if not name.startswith("$"):
            raise refuse(
                where,
                f"{shown(name)} stands among operators: write it as a path of its own, or as "
                "{'$eq': …} when the whole mapping is meant",
            )
        if name in LOGICAL:
            raise refuse(
                join(where, name), f"{name} goes around whole clauses: {{{name!r}: [{{…}}]}}"
            )
        if name not in _OPERATORS:
            raise refuse(join(where, name), _unknown(name))
    return conditions


def _unknown(name: str) -> str:
    near = get_close_matches(name, (*_OPERATORS, *LOGICAL), 1, 0.5)
    hint = f"did you mean {near[0]}?" if near else f"there are {' '.join((*_OPERATORS, *LOGICAL))}"
    return f"no operator is called {shown(name)}; {hint}"


def _misplaced(name: str) -> str:
    if name == "$not":
        return "$not goes inside a path; around whole clauses it is {'$nor': [{…}]}"
    if name in _OPERATORS:
        return f"{name} goes inside a path: {{'payload.<name>': {{{name!r}: …}}}}"
    return _unknown(name)


def _looker(reach: Reach[R]) -> Callable[[R], tuple[Json, ...]]:
    def look(root: R) -> tuple[Json, ...]:
        found: list[object] = []
        reach(lambda value: bool(found.append(value)))(root)  # type: ignore[func-returns-value]
        return tuple(cast(Json, value) for value in found if value is not MISSING)

    return look


def _any_of(predicates: Sequence[Predicate[R]]) -> Predicate[R]:
    def holds(root: R) -> bool:
        for predicate in predicates:  # noqa: SIM110  # as above
            if predicate(root):
                return True
        return False

    return holds


def _not(predicate: Predicate[R]) -> Predicate[R]:
    return lambda root: not predicate(root)


def _never(_: object) -> bool:
    return False
