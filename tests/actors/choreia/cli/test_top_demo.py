"""The demo in one terminal and the console in another, as whoever reads the README does it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.actors.choreia.conftest import folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.actors.choreia.conftest import Run

WIDE, HIGH = 140, 32
DEMO = ("demo", "orders", "--forever", "--chaos", "--control", "--rate", "100")


@pytest.fixture
def place() -> Iterator[Path]:
    with folder() as path:
        path.chmod(0o700)
        yield path


def test_the_demo_is_watched_and_changed(run: Run, place: Path, tmp_path: Path) -> None:
    env = {"XDG_RUNTIME_DIR": str(place)}
    demo = run("-m", "choreia", *DEMO, env=env, columns=WIDE)
    demo.until("The shop is open")
    top = run("-m", "choreia", "top", "--wait", env=env, columns=WIDE, lines=HIGH)

    top.until(r"\[1 Agents\](?s:.*)gossip(?s:.*)shop")
    top.until(r"shop .* \d+(\.\d)? .* \d(\.\d)? ms")  # rates, and how long handlers take
    top.until(r"! gossip .*(dropped|full|backing off|fails|suspected)")  # what is wrong, and why
    top.press("2")
    top.until(r"\[2 Flows\](?s:.*)order\.created +\d.*shop +.*inventory")
    top.press("3")
    top.until(r"\[3 Events\](?s:.*)order\.\w+ +shop")
    top.press("/")
    top.press("payment.*\r")
    top.until(lambda: "payment.charged" in top.text and "order.shipped" not in top.text, "a topic")
    top.press("4")
    top.until(r"\[4 Cases\](?s:.*)✓ completed +order-order-\d+ .*●")
    top.press("/completed\r")
    top.until(lambda: "compensated" not in top.text, "those that are completed")
    top.press("\r")
    top.until(r"case order-order-\d+ +✓ completed(?s:.*)└─ order\.created +shop")
    top.press("\x1b")
    top.until(r"\[4 Cases\] 5")
    top.press("5")
    top.until(r"\[5 Presence\](?s:.*)payment\.charge")
    top.press("6")
    top.until(r"\[6 Health\](?s:.*)dead letter(?s:.*)nobody listens|hangs|stuck")
    top.press("1")
    top.until(r"\[1 Agents\]")
    top.press("/^customer\r")
    top.until(lambda: "customer" in top.text and "payment" not in top.text, "only one")
    top.press("ap")
    top.until(r"pause agent customer\? y/n")
    top.press("y")
    top.until(r"customer +‖ paused")
    top.press("ar")
    top.until(r"resume agent customer\? y/n")
    top.press("y")
    top.until(r"customer +[○◔●]")
    top.press("ej")
    top.until("exported to")
    [exported] = tmp_path.glob("choreia-*.json")
    assert json.loads(exported.read_text())["schema"] == "choreia.console/1"

    demo.press("\x03")
    top.until("ENDED")
    assert demo.ended() == 0
    assert "Stock and money add up." in demo.text
    top.press("q")
    assert top.ended() == 0
    assert top.attributes() == top.before
    assert b"Traceback" not in top.written + demo.written
