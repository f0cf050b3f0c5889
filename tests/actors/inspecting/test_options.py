"""How a system may be looked at, as it is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from choreia import ActorSystem, Inspection, InvalidAgent
from choreia.actors.inspecting.options import inspection_of
from choreia.runtime.events.display import DEFAULT_REDACTED


def test_what_stands_for_what() -> None:
    assert inspection_of(False) is None
    assert inspection_of(True) == Inspection()
    assert inspection_of("/run/x.sock") == Inspection(Path("/run/x.sock"))
    assert inspection_of(Path("/run/x.sock")) == Inspection(Path("/run/x.sock"))
    given = Inspection(control=True)
    assert inspection_of(given) is given


def test_a_path_does_not_depend_on_where_one_goes_later() -> None:
    assert Inspection("x.sock").path == Path.cwd() / "x.sock"


def test_what_is_masked_is_masked_beside_the_usual() -> None:
    assert Inspection(redact=("card.number", "token")).redact == (*DEFAULT_REDACTED, "card.number")


@pytest.mark.parametrize("given", [None, 1, "", b"x", object()])
def test_what_means_nothing_is_refused(given: Any) -> None:
    with pytest.raises(InvalidAgent, match="inspect="):
        ActorSystem(inspect=given)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"path": 5}, "path=5"),
        ({"path": ""}, "path=''"),
        ({"control": 1}, "control=1"),
        ({"redact": "card"}, "redact='card'"),
        ({"redact": ("a", "")}, "redact has ''"),
        ({"redact": (1,)}, "redact has 1"),
    ],
)
def test_what_makes_no_sense_is_named(options: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidAgent) as caught:
        Inspection(**options)
    assert named in str(caught.value)
