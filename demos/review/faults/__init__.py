"""Real faults in Python code, found in its syntax tree: one rule for each, grouped by theme.

    rule           what a rule is, and what it yields
    comparisons    == None, `is` with a literal, x == x
    definitions    mutable defaults, missing self, methods defined twice
    dynamic        eval and exec
    exceptions     bare, swallowed, unreachable, lost in finally
    flow           code that never runs
    literals       assert on a tuple, duplicate keys, idle f-strings
    shadows        builtins that are hidden

Rules are few and careful: what they find should be wrong. They are deterministic, and none
looks anywhere but at the tree it is shown.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping

from choreia.demos.review.faults import (
    comparisons,
    definitions,
    dynamic,
    exceptions,
    flow,
    literals,
    shadows,
)
from choreia.demos.review.faults.rule import Fault as Fault
from choreia.demos.review.faults.rule import Module, Place, Rule
from choreia.demos.review.walk import SCOPES, Scope, children

RULES: tuple[Rule, ...] = (
    *comparisons.RULES,
    *definitions.RULES,
    *dynamic.RULES,
    *exceptions.RULES,
    *flow.RULES,
    *literals.RULES,
    *shadows.RULES,
)


def _by_node(rules: Iterable[Rule]) -> Mapping[type[ast.AST], tuple[Rule, ...]]:
    table: defaultdict[type[ast.AST], list[Rule]] = defaultdict(list)
    for rule in rules:
        for node in rule.nodes:
            table[node].append(rule)
    return {node: tuple(rules) for node, rules in table.items()}


_WANTED = _by_node(RULES)


def find_faults(tree: ast.Module) -> list[Fault]:
    """All faults in `tree`, by line, column and rule."""
    module = Module(tree)
    found: list[Fault] = []
    stack: list[tuple[ast.AST, ast.AST | None, str]] = [(tree, None, "")]
    while stack:
        node, parent, symbol = stack.pop()
        if isinstance(node, SCOPES):
            symbol = _qualified(symbol, node)
        if type(node) in _WANTED:
            place = Place(module, parent, symbol)
            for rule in _WANTED[type(node)]:
                found.extend(rule.faults(node, place))
        stack.extend((child, node, symbol) for child in children(node))
    return sorted(found, key=lambda fault: (fault.line, fault.column, fault.rule))


def _qualified(symbol: str, scope: Scope) -> str:
    name = "<lambda>" if isinstance(scope, ast.Lambda) else scope.name
    return f"{symbol}.{name}" if symbol else name
