"""Accepted findings: for a reason, for a time, and only while they are there."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from choreia import InvalidAcceptance
from choreia.runtime.insight.checks import Finding
from choreia.runtime.insight.checks.accepted import Accepted, judge, read_accepted

FOUND = Finding("C01", "shop", "order.noted", "what", "advice")
OTHER = Finding("C01", "shop", "order.lost", "what", "advice")
ENTRY = Accepted("C01", "shop", "order.noted", "for the books", date(2027, 1, 31))


def _ids(*accepted: Accepted, today: date = date(2027, 1, 31)) -> list[str]:
    return [
        f"{one.id} {one.event}" for one in judge([FOUND, OTHER], accepted, today, "pyproject.toml")
    ]


def test_what_is_accepted_is_found_no_more_up_to_its_last_day() -> None:
    assert _ids() == ["C01 order.lost", "C01 order.noted"]
    assert _ids(ENTRY) == ["C01 order.lost"]


def test_an_entry_that_has_expired_is_a_finding_and_accepts_nothing() -> None:
    assert _ids(ENTRY, today=date(2027, 2, 1)) == [
        "C00 order.noted",
        "C01 order.lost",
        "C01 order.noted",
    ]


@pytest.mark.parametrize(
    "entry",
    [
        Accepted("C01", "shop", "order.gone", "x", date(2027, 2, 1)),
        Accepted("C01", "clerk", "order.noted", "x", date(2027, 2, 1)),
        Accepted("C02", "shop", "order.noted", "x", date(2027, 2, 1)),
    ],
)
def test_an_entry_for_what_is_not_found_is_a_finding(entry: Accepted) -> None:
    found = judge([FOUND], [entry], date(2027, 1, 1), "pyproject.toml")

    assert [one.id for one in found] == ["C00", "C01"]
    assert "found no more" in found[0].what
    assert found[0].place.file == "pyproject.toml"


def test_entries_are_read_from_the_project_file(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    assert read_accepted(file) == ()
    file.write_text("[tool.other]\nx = 1\n")
    assert read_accepted(file) == ()
    file.write_text(
        "[tool.choreia.check]\n"
        'accept = [{id = "C01", agent = "shop", event = "order.noted", reason = "for the books", '
        "until = 2027-01-31}]\n"
    )
    assert read_accepted(file) == (ENTRY,)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ('{id = "C01", agent = "a", event = "b", until = 2027-01-31}', "reason is missing"),
        ('{id = "C01", agent = "a", event = "b", reason = "c"}', "until is missing"),
        ('{id = "C01", agent = "a", event = "b", reason = " ", until = 2027-01-31}', "reason must"),
        ('{id = "C01", agent = "a", event = "b", reason = "c", until = "2027"}', "must be a date"),
        (
            '{id = "C01", agent = "a", event = "b", reason = "c", until = 2027-01-31T00:00:00}',
            "must be a date",
        ),
        ('{id = "C00", agent = "a", event = "b", reason = "c", until = 2027-01-31}', "C01 to C12"),
        ('{id = "C99", agent = "a", event = "b", reason = "c", until = 2027-01-31}', "C01 to C12"),
        ('{what = 1, id = "C01", agent = "a"}', "what is not known"),
        ('"C01"', "write a table"),
    ],
)
def test_an_entry_that_is_not_whole_is_refused(tmp_path: Path, entry: str, message: str) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text(f"[tool.choreia.check]\naccept = [{entry}]\n")

    with pytest.raises(InvalidAcceptance, match=message):
        read_accepted(file)


@pytest.mark.parametrize(
    "text",
    [
        "[tool.choreia]\ncheck = 1\n",
        "[tool.choreia.check]\naccept = 1\n",
        "[tool.choreia.check]\naccepts = []\n",
        "not toml",
        "tool = 1",
    ],
)
def test_a_section_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text(text)

    with pytest.raises(InvalidAcceptance):
        read_accepted(file)


def test_an_entry_may_be_of_one_choreography_alone(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    entry = 'id = "C01", agent = "shop", event = "a", reason = "x", until = 2027-01-31'
    file.write_text(
        f'[tool.choreia.check]\naccept = [{{{entry}}}, {{{entry}, module = "shop.agents"}}]\n'
    )
    of_any, of_one = read_accepted(file)

    modules = ("shop.agents", "shop.agents:build", "shop", "shop.agents_too")
    assert [of_any.is_of(one) for one in modules] == [True, True, True, True]
    assert [of_one.is_of(one) for one in modules] == [True, True, False, False]
