"""A process that dies after a charge, and before anybody has heard of it, charges once."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from choreia import ActorSystem
from choreia.demos.orders import build
from choreia.demos.orders.audit import audit
from choreia.demos.orders.choreography import open_day, place_once
from choreia.demos.orders.generate import generate
from tests.demos import orders_victim


@pytest.mark.parametrize("charges", [1, 7, 23])
def test_a_crash_between_charge_and_emit(tmp_path: Path, charges: int) -> None:
    store = tmp_path / "orders.db"
    command = [sys.executable, "-m", "tests.demos.orders_victim", str(store), str(charges)]
    victim = subprocess.run(command, cwd=Path(__file__).parents[2], check=False)
    assert victim.returncode == 9
    day = generate(orders_victim.COUNT, orders_victim.SEED)
    with ActorSystem(store=store) as system:
        books = build(system, day.orders, day.stock)
        open_day(system, day)
        place_once(system, day.orders)
        system.wait_idle(60)
        said = [one.event for one in system.store.read()]
        assert system.dead_letters() == []
    assert [check for check in audit(books) if not check.holds] == []
    charged = Counter(
        event.metadata.correlation_id for event in said if event.type == "payment.charged"
    )
    assert charged
    assert set(charged.values()) == {1}
