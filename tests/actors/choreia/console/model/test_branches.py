"""What hangs from what."""

from __future__ import annotations

from choreia.console.model.branches import branches
from choreia.console.model.face import Face

DEPTHS = [0, 1, 2, 3, 2, 1, 0, 1]


def test_who_comes_last_is_told_from_who_does_not() -> None:
    drawn = branches(DEPTHS, Face(ascii=False), 40)
    assert [one.before for one in drawn] == [
        "",
        "  ├─ ",
        "  │ ├─ ",
        "  │ │ └─ ",
        "  │ └─ ",
        "  └─ ",
        "",
        "  └─ ",
    ]
    assert [one.under for one in drawn][1:5] == ["  │ ", "  │ │ ", "  │ │   ", "  │   "]


def test_in_ascii() -> None:
    drawn = branches([0, 1, 1], Face(ascii=True), 40)
    assert [one.before for one in drawn] == ["", "  |- ", "  `- "]


def test_what_is_too_deep_is_drawn_no_deeper() -> None:
    drawn = branches([0, 1, 2, 3_000], Face(ascii=False), 2)
    assert len(drawn[3].before) == len(drawn[2].before)


def test_depths_that_make_no_sense_are_no_harm() -> None:
    assert len(branches([-5, 9, 3, -1], Face(ascii=False), 40)) == 4
    assert branches([], Face(ascii=False), 40) == []
