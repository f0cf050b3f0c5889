"""Kinds of columns that many tables have."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from choreia.console.model.column import Column
from choreia.console.model.face import Face
from choreia.console.model.line import Span, cut_head

R = TypeVar("R")


def words(
    name: str,
    face: Face,
    read: Callable[[R], str],
    *,
    least: int,
    most: int,
    rank: int,
    style: str = "",
    is_id: bool = False,
) -> Column[R]:
    """A text; of an id that is too long the end is seen."""

    def cell(row: R, width: int) -> tuple[Span, ...]:
        text = face.clean(read(row))
        return (Span(cut_head(text, width, face.ellipsis) if is_id else text, style),)

    return Column(
        name,
        lambda row: read(row) or None,
        cell,
        least,
        most,
        rank,
    )


def numbers(
    name: str,
    read: Callable[[R], float | int | None],
    write: Callable[[float], str],
    *,
    width: int,
    rank: int,
    bad: bool = False,
) -> Column[R]:
    """A number, empty where there is none; with `bad`, a zero is dim and all else is a warning."""

    def cell(row: R, _: int) -> tuple[Span, ...]:
        value = read(row)
        if value is None:
            return ()
        return (Span(write(value), "dim" if not value else "warn" if bad else ""),)

    return Column(name, read, cell, width, width, rank, right=True, largest_first=True)
