"""Walking trees without recursion."""

from __future__ import annotations

import ast

import pytest

from choreia.demos.review.walk import LOOPS, children, inside, made_by, name_of, parameters, same


def expression(source: str) -> ast.expr:
    return ast.parse(source, mode="eval").body


def names(nodes: list[ast.AST]) -> list[str]:
    return [node.id for node in nodes if isinstance(node, ast.Name)]


def test_children_come_in_the_order_of_their_fields_without_tokens() -> None:
    assert names(children(expression("f(a, b)"))) == ["f", "a", "b"]
    assert children(expression("x")) == []
    assert len(children(expression("{**d}"))) == 1  # the key that is not there is no child


def test_inside_stays_in_one_scope_and_in_source_order() -> None:
    tree = ast.parse("a\nif b: c\ndef f():\n  d\ne")
    assert names(list(inside(tree.body))) == ["a", "b", "c", "e"]
    assert any(isinstance(node, ast.FunctionDef) for node in inside(tree.body))


def test_inside_may_stop_at_other_things() -> None:
    tree = ast.parse("a\nfor b in c: d\ndef f(): e")
    assert names(list(inside(tree.body, stop=LOOPS))) == ["a", "e"]


@pytest.mark.parametrize("source", ["x", "a.b[0]", "f(x, *y, k=1)", "{1: 'a', **d}", "-x + 1j"])
def test_code_is_the_same_as_itself_wherever_it_stands(source: str) -> None:
    assert same(expression(source), expression(f"(  {source})"))


@pytest.mark.parametrize(
    ("one", "other"),
    [("x", "y"), ("1", "True"), ("1", "1.0"), ("f(x)", "f(x, y)"), ("a + b", "a - b"), ("-x", "x")],
)
def test_different_code_is_not_the_same(one: str, other: str) -> None:
    assert not same(expression(one), expression(other))


def test_names() -> None:
    assert name_of(expression("a")) == "a"
    assert name_of(expression("a.b.c")) == "c"
    assert name_of(expression("f()")) == ""


def test_what_a_call_is_of() -> None:
    def called(source: str) -> str:
        call = expression(source)
        assert isinstance(call, ast.Call)
        return made_by(call, "collections")

    assert called("deque()") == called("collections.deque()") == "deque"
    assert called("self.deque()") == called("f()()") == ""


def test_parameters_come_in_the_order_they_are_written() -> None:
    function = expression("lambda a, /, b, *c, d, **e: 0")
    assert isinstance(function, ast.Lambda)
    assert [parameter.arg for parameter in parameters(function.args)] == ["a", "b", "c", "d", "e"]
