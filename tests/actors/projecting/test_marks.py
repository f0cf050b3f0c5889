"""What is wrong with a class is said when it is defined."""

from __future__ import annotations

from typing import Any

import pytest

from choreia import InvalidAgent, InvalidFilter, InvalidPattern, Projection, on, project
from choreia.actors.projecting.marks import Methods
from choreia.runtime.stores.conformance.making import event


class Base(Projection):
    @project("a.*")
    @project("b.*", filter={"payload.n": 1})
    def first(self, db: Any, event: Any) -> None: ...

    @project("a.x")
    def second(self, db: Any, event: Any) -> None: ...


class Derived(Base):
    @project("c")
    def third(self, db: Any, event: Any) -> None: ...

    def second(self, db: Any, event: Any) -> None:
        """It stays what it was."""


def test_methods_write_what_their_topics_select_each_once_in_their_order() -> None:
    methods = Methods(Derived)
    assert methods.patterns == ("a.*", "b.*", "a.x", "c")

    def names(type: str, **payload: Any) -> list[str]:
        return [one.name for one in methods.of(event(type, payload))]

    assert names("a.x") == ["first", "second"]
    assert names("a.y") == ["first"]
    assert (names("b.y", n=1), names("b.y", n=2)) == (["first"], [])
    assert (names("c"), names("d")) == (["third"], [])


def plain(self: Any, db: Any, event: Any) -> None: ...


async def waits(self: Any, db: Any, event: Any) -> None: ...


def generates(self: Any, db: Any, event: Any) -> Any:
    yield


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"write": project("a")(waits)}, "plain `def`"),
        ({"write": project("a")(generates)}, "plain `def`"),
        ({"write": project("a")(lambda self, event: None)}, "the database and the event"),
        ({"write": on("a")(lambda self, event: None)}, "has @on"),
        ({"on_receive": plain}, "answer"),
        ({"on_start": plain}, "a projection's own"),
        ({"tables": 7}, "tables = 7"),
        ({"tables": ("CREATE TABLE t (n)", "")}, "a tuple of them"),
    ],
)
def test_what_is_no_projection(attributes: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidAgent, match=said):
        type("Wrong", (Projection,), attributes)


def test_topics_are_checked_where_they_are_written() -> None:
    with pytest.raises(InvalidPattern):
        project("a..b")
    with pytest.raises(InvalidFilter):
        project("a", filter={"payload.n": {"$odd": 1}})
    with pytest.raises(InvalidAgent, match="only an agent's @on"):
        project("a.{name}")
    with pytest.raises(InvalidAgent, match="@project needs a topic"):
        project(plain)  # type: ignore[arg-type]
