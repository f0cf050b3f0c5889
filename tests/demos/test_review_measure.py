"""Measuring: numbers that can be counted by hand."""

from __future__ import annotations

import textwrap

import pytest

from choreia.demos.review.measure import FileMeasure, Measure, measure
from choreia.demos.review.syntax import parse


def measured(source: str) -> FileMeasure:
    return measure(parse(textwrap.dedent(source).encode()))


def function(body: str) -> Measure:
    source = "def f(x):\n" + textwrap.indent(textwrap.dedent(body), "    ")
    return next(item for item in measured(source).items if item.name == "f")


@pytest.mark.parametrize(
    ("body", "complexity"),
    [
        ("pass", 1),
        ("if x: pass", 2),
        ("if x: pass\nelse: pass", 2),
        ("if x: pass\nelif y: pass\nelse: pass", 3),
        ("for i in x: pass\nwhile x: pass", 3),
        ("try: pass\nexcept A: pass\nexcept B: pass\nfinally: pass", 3),
        ("return a and b and c or d", 4),
        ("return a if x else b", 2),
        ("return [i for i in x if i if x]", 4),
        ("match x:\n  case 1: pass\n  case 2: pass\n  case _: pass", 3),
        ("match x:\n  case y if y: pass\n  case z: pass", 2),
        ("with a: pass\nassert x", 1),
        ("def g():\n  if x: pass\nreturn g", 1),
        ("return lambda: a and b", 2),
    ],
)
def test_complexity_counts_the_places_where_the_way_divides(body: str, complexity: int) -> None:
    assert function(body).complexity == complexity


@pytest.mark.parametrize(
    ("body", "nesting"),
    [
        ("pass", 0),
        ("if x: pass", 1),
        ("if x:\n  for i in x:\n    with i: pass", 3),
        ("if x: pass\nelif y: pass\nelif z: pass", 1),
        ("if x: pass\nelse:\n  if y: pass", 2),
        ("try: pass\nexcept A:\n  while x: pass", 2),
        ("match x:\n  case 1:\n    if x: pass", 2),
        ("for i in x:\n  def g():\n    if x: pass", 1),
    ],
)
def test_nesting_counts_blocks_within_blocks(body: str, nesting: int) -> None:
    assert function(body).nesting == nesting


def test_a_file_is_told_by_what_it_defines() -> None:
    result = measured(
        '''
        """A module."""
        class A:
            """A class."""
            def method(self, a, /, b, *c, d, **e):
                """A method."""
                return a or b
            @staticmethod
            def static(a): pass
            @classmethod
            def of(cls): pass
            def _hidden(self): pass
            class B:
                def deep(self): pass

        async def function(a, b):
            def inner(): pass
            if a: pass
        '''
    )
    assert result.lines == 18
    assert result.documented
    assert [(item.kind, item.name, item.line) for item in result.items] == [
        ("class", "A", 3),
        ("method", "A.method", 5),
        ("method", "A.static", 9),
        ("method", "A.of", 11),
        ("method", "A._hidden", 12),
        ("class", "A.B", 13),
        ("method", "A.B.deep", 14),
        ("function", "function", 16),
        ("function", "function.inner", 17),
    ]
    by_name = {item.name: item for item in result.items}
    assert by_name["A"] == Measure("class", "A", 3, 12, 5, 0, 0, public=True, documented=True)
    assert by_name["A.method"].arguments == 5
    assert by_name["A.static"].arguments == 1
    assert by_name["A.of"].arguments == 0
    assert by_name["function"] == Measure(
        "function", "function", 16, 3, 2, 1, 2, public=True, documented=False
    )
    assert {name for name, item in by_name.items() if not item.public} == {
        "A._hidden",
        "function.inner",
    }
    assert result.undocumented == 5  # A.static, A.of, A.B, A.B.deep, function
    assert len(result.functions) == 7


def test_a_file_without_a_docstring_lacks_one_unless_it_is_empty() -> None:
    assert measured("x = 1").undocumented == 1
    assert measured("").undocumented == 0
    assert measured("# only a comment\n").undocumented == 0


@pytest.mark.parametrize(
    ("source", "notable"),
    [
        ("def f(): pass", False),
        ("def f(a, b, c, d, e, f, g, h): pass", False),
        ("def f(a, b, c, d, e, f, g, h, i): pass", True),
        ("def f():\n" + "    x\n" * 99, False),
        ("def f():\n" + "    x\n" * 100, True),
        ("def f():\n" + "    if x: pass\n" * 9, False),
        ("def f():\n" + "    if x: pass\n" * 10, True),
        ("class C:\n" + "    x = 1\n" * 200, False),
    ],
)
def test_a_function_is_notable_past_any_limit(source: str, notable: bool) -> None:
    assert [item.notable for item in measured(source).items] == [notable]


def test_deep_trees_do_not_exhaust_the_stack() -> None:
    elifs = "".join(f"{'el' if i else ''}if x == {i}: f()\n" for i in range(800))
    assert function(elifs).complexity == 801
    assert function(elifs).nesting == 1
    assert function("return " + "+".join(["x"] * 2000)).complexity == 1
