"""What requests may ask for, and how what they may not is refused."""

from __future__ import annotations

from typing import Any

import pytest

from choreia.actors.inspecting.arguments import Arguments
from choreia.runtime.inspection.frames import Refusal


def test_what_is_given_is_read() -> None:
    args = Arguments(
        "v",
        {"a": "x", "b": None, "c": True, "d": None, "e": 7, "f": 0.001, "g": {"k": 1}, "h": ["p"]},
    )
    assert args.text("a") == "x"
    assert args.maybe_text("b") is None
    assert args.flag("c") is True
    assert args.maybe_flag("d", True) is None
    assert args.number("e", 1, 10) == 7
    assert args.seconds("f", 0.05) == 0.05
    assert args.fields("g") == {"k": 1}
    assert args.words("h", (), ("p", "q")) == {"p"}
    args.end()


def test_what_is_not_given_is_as_usual() -> None:
    args = Arguments("v", {})
    assert args.text("a", "#") == "#"
    assert args.flag("c") is False
    assert args.maybe_flag("d", False) is False
    assert args.number("e", 3, 10) == 3
    assert args.seconds("f", 0.05) is None
    assert args.fields("g") is None
    assert args.words("h", ("p",), ("p", "q")) == {"p"}
    args.end()


@pytest.mark.parametrize(
    ("value", "reader", "more"),
    [
        (None, "text", ()),
        ("", "text", ()),
        (3, "text", ("#",)),
        (3, "maybe_text", ()),
        (1, "flag", ()),
        ("no", "maybe_flag", (False,)),
        (0, "number", (1, 10)),
        (11, "number", (1, 10)),
        (True, "number", (1, 10)),
        (1.5, "number", (1, 10)),
        (True, "seconds", (0.1,)),
        (-1, "seconds", (0.1,)),
        (float("nan"), "seconds", (0.1,)),
        (float("inf"), "seconds", (0.1,)),
        ("1", "seconds", (0.1,)),
        ([], "fields", ()),
        ("p", "words", ((), ("p",))),
        (["r"], "words", ((), ("p",))),
        ([["p"]], "words", ((), ("p",))),
    ],
)
def test_what_is_wrong_is_named(value: Any, reader: str, more: tuple[Any, ...]) -> None:
    with pytest.raises(Refusal, match="v: x=") as caught:
        getattr(Arguments("v", {"x": value}), reader)("x", *more)
    assert caught.value.code == "bad_argument"


def test_what_nobody_reads_is_refused() -> None:
    with pytest.raises(Refusal, match="v takes no q, z"):
        Arguments("v", {"z": 1, "q": 2}).end()


def test_a_long_value_is_cut_in_the_refusal() -> None:
    with pytest.raises(Refusal) as caught:
        Arguments("v", {"x": "y" * 5_000}).number("x", 1, 10)
    assert len(str(caught.value)) < 200
