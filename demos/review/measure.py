"""How large and how tangled code is: numbers for each function, each class and the file.

Complexity is McCabe's: one, and one more for each place where the way divides (``if`` and
``elif``, a loop, an ``except``, a ``case``, ``a if b else c``, ``and``/``or``, the ``for`` and
``if`` of a comprehension). A nested function has its own; it adds nothing to the outer one.
A class's is the sum of its methods'.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeAlias

from attrs import define, frozen

from choreia.demos.review.syntax import Source
from choreia.demos.review.walk import FUNCTIONS, Function, children, parameters

MAX_COMPLEXITY, MAX_LENGTH, MAX_NESTING, MAX_ARGUMENTS = 10, 100, 5, 8

_Definition: TypeAlias = Function | ast.ClassDef
_BLOCKS = (
    *(ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith),
    *(ast.Try, ast.TryStar, ast.Match),
)
_FORKS = (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler)


@frozen
class Measure:
    """A function, method or class. `length` and `line` are in lines, `nesting` in blocks.

    `arguments` leaves out the `self` or `cls` of a method. `public` is what others can reach:
    no name on the way to it begins with an underscore, and no function encloses it.
    """

    kind: str
    name: str
    line: int
    length: int
    complexity: int
    nesting: int
    arguments: int
    public: bool
    documented: bool

    @property
    def notable(self) -> bool:
        """Whether somebody should look at it: too tangled, too long or too many arguments."""
        return self.kind != "class" and (
            self.complexity > MAX_COMPLEXITY
            or self.length > MAX_LENGTH
            or self.nesting > MAX_NESTING
            or self.arguments > MAX_ARGUMENTS
        )


@frozen
class FileMeasure:
    """A file: its lines, whether it has a docstring, and what is defined in it, by line."""

    lines: int
    documented: bool
    items: tuple[Measure, ...]

    @property
    def functions(self) -> tuple[Measure, ...]:
        return tuple(item for item in self.items if item.kind != "class")

    @property
    def undocumented(self) -> int:
        """Public definitions, and the file itself, that have no docstring."""
        missing = sum(item.public and not item.documented for item in self.items)
        return missing + (not self.documented)


@define(eq=False)
class _Draft:
    """A definition while its inside is walked; the file itself is the outermost one."""

    node: _Definition | None = None
    outer: _Draft | None = None
    complexity: int = 1
    nesting: int = 0

    @property
    def in_class(self) -> bool:
        return self.outer is not None and isinstance(self.outer.node, ast.ClassDef)


def measure(source: Source) -> FileMeasure:
    """Measure a file."""
    drafts = _walk(source.tree)
    items: dict[_Draft, Measure] = {}
    sums: dict[_Draft, int] = {}
    names: dict[_Draft, tuple[str, bool]] = {}
    for draft in drafts:  # the outer before the inner: names are made on the way in
        names[draft] = _name(draft, names)
    for draft in reversed(drafts):  # and the inner before the outer: sums on the way out
        if draft.node is None:
            continue
        items[draft] = item = _item(draft, *names[draft], sums.get(draft, 0))
        if draft.outer is not None and draft.in_class and item.kind != "class":
            sums[draft.outer] = sums.get(draft.outer, 0) + item.complexity
    ordered = sorted(items.values(), key=lambda item: (item.line, item.name))
    documented = _documented(source.tree) or not source.tree.body
    return FileMeasure(len(source.lines), documented, tuple(ordered))


def _walk(tree: ast.Module) -> list[_Draft]:
    """All definitions, each after the one it stands in, with their forks and depth counted."""
    drafts = [_Draft()]
    stack: list[tuple[ast.AST, _Draft, int]] = [(tree, drafts[0], 0)]
    while stack:
        node, draft, depth = stack.pop()
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            draft, depth = _Draft(node, draft), 0
            drafts.append(draft)
        elif isinstance(node, _BLOCKS):
            depth += 1
            draft.nesting = max(draft.nesting, depth)
        draft.complexity += _forks(node)
        alternative = _elif(node)
        stack.extend(
            (child, draft, depth - 1 if child is alternative else depth) for child in children(node)
        )
    return drafts


def _forks(node: ast.AST) -> int:
    """How many more ways there are through `node` than one."""
    if isinstance(node, _FORKS):
        return 1
    if isinstance(node, ast.BoolOp):
        return len(node.values) - 1
    if isinstance(node, ast.comprehension):
        return 1 + len(node.ifs)
    if isinstance(node, ast.match_case):
        return 0 if node.guard is None and _wildcard(node.pattern) else 1
    return 0


def _wildcard(pattern: ast.pattern) -> bool:
    return isinstance(pattern, ast.MatchAs) and pattern.pattern is None


def _elif(node: ast.AST) -> ast.If | None:
    """The ``elif`` of an ``if``: to the tree an `if` inside `else`, but not one level deeper."""
    if isinstance(node, ast.If) and len(node.orelse) == 1:
        inner = node.orelse[0]
        if isinstance(inner, ast.If) and inner.col_offset == node.col_offset:
            return inner
    return None


def _name(draft: _Draft, names: dict[_Draft, tuple[str, bool]]) -> tuple[str, bool]:
    """The name with those it stands in, and whether it is public."""
    if draft.node is None or draft.outer is None:
        return "", True
    prefix, public = names[draft.outer]
    name = f"{prefix}.{draft.node.name}" if prefix else draft.node.name
    enclosed = isinstance(draft.outer.node, FUNCTIONS)
    return name, public and not enclosed and not draft.node.name.startswith("_")


def _item(draft: _Draft, name: str, public: bool, methods: int) -> Measure:
    node = draft.node
    assert node is not None
    is_class = isinstance(node, ast.ClassDef)
    return Measure(
        kind="class" if is_class else "method" if draft.in_class else "function",
        name=name,
        line=node.lineno,
        length=(node.end_lineno or node.lineno) - node.lineno + 1,
        complexity=methods if is_class else draft.complexity,
        nesting=draft.nesting,
        arguments=0 if isinstance(node, ast.ClassDef) else _arguments(node, draft.in_class),
        public=public,
        documented=_documented(node),
    )


def _arguments(node: Function, method: bool) -> int:
    first = [*node.args.posonlyargs, *node.args.args][:1]
    bound = method and bool(first) and "staticmethod" not in _decorators(node)
    return len(parameters(node.args)) - bound


def _decorators(node: Function) -> Iterator[str]:
    return (item.id for item in node.decorator_list if isinstance(item, ast.Name))


def _documented(node: _Definition | ast.Module) -> bool:
    return ast.get_docstring(node, clean=False) is not None
