"""A picture without a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from choreia.console.model.console import Console
from choreia.console.terminal.connecting import connector
from choreia.console.terminal.shot import look
from choreia.runtime.errors import SystemGone

if TYPE_CHECKING:
    from tests.actors.choreia.conftest import Serve


def test_a_view_is_looked_at_until_there_are_rates(kitchen: Path) -> None:
    connect = connector(str(kitchen))
    model, node = look(Console, connect, connect(None), view="1", every=0.1)
    text = "\n".join("".join(span.text for span in line) for line in model.lines(100, 30))
    assert node == "kitchen"
    assert "cook" in text
    assert "events" in text


def test_a_system_that_ends_before_anything_is_seen(serve: Serve, place: Path) -> None:
    process = serve(place)
    connect = connector(str(place))
    client = connect(None)
    process.kill()
    process.wait()
    with pytest.raises(SystemGone, match="the connection broke"):
        look(Console, connect, client, view="1", every=0.1)
