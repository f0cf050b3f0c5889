"""``choreia demo orders --forever``: it goes on until it is told to stop, and then adds up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event as Signal
from typing import Any

import pytest
from click.testing import CliRunner

from choreia import ActorSystem
from choreia.demos.orders import forever
from choreia.demos.orders.audit import audit
from choreia.demos.orders.chaos import GOSSIP, STRIKES, Chaos, Gossip
from choreia.demos.orders.command import command
from choreia.demos.orders.forever import Forever
from choreia.runtime.inspection.client import Client

WILD = ("--forever", "--chaos", "--rate", "200")


class Order:
    """Strikes in a fixed order."""

    def __init__(self, *kinds: str) -> None:
        self.kinds = list(kinds)

    def choice(self, among: tuple[str, ...]) -> str:
        return self.kinds.pop(0) if among is STRIKES else among[0]


@pytest.mark.parametrize(
    "arguments",
    [("--orders", "5"), ("--store", "x.db"), ("--mode", "simulated")],
)
def test_what_makes_no_sense_for_ever_is_refused(arguments: tuple[str, str]) -> None:
    result = CliRunner().invoke(command, ["--forever", *arguments])
    assert result.exit_code == 2
    assert f"{arguments[0]}: not together with --forever" in result.output


@pytest.mark.parametrize("arguments", [("--chaos",), ("--rate", "5")])
def test_what_makes_sense_only_for_ever_is_refused_else(arguments: tuple[str, ...]) -> None:
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2
    assert f"{arguments[0]}: only together with --forever" in result.output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_is_open_until_told_to_stop_and_adds_up(tmp_path: Path, number: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "choreia", "demo", "orders", *WILD, "--json", "-"],
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert "The shop is open" in process.stderr.readline()
    with Client(_socket(tmp_path), 20) as client:
        client.send("snapshot", every=0.05)
        while _handled(client.receive(20)) < 500:
            pass
    process.send_signal(number)
    output, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    result = json.loads(output)
    assert len(result["orders"]) > 50
    assert "Stock and money add up." in said
    assert "Traceback" not in said


def test_each_mishap_passes() -> None:
    with ActorSystem() as system:
        shop = Forever(system, seed=1, mailbox=64, chaos=True)
        chaos = Chaos(system, 1, shop.order)
        chaos._random = Order("pause", "rush", "restart", "calm", "pause")  # type: ignore[assignment]
        shop.order(20)
        chaos.strike()
        _wait_for(system, "inventory", "paused")
        for _ in "rush", "restart", "calm":
            chaos.strike()
        system.wait_idle(60)
        assert system.inspect().agent(GOSSIP).incarnation == 2
        chaos.strike()
        chaos.end()
        shop.over.set()
    assert all(check.holds for check in audit(shop.books()))
    assert len(shop.books().day.orders) == 420


def test_who_was_stopped_meanwhile_cannot_go_on_and_that_is_all() -> None:
    with ActorSystem() as system:
        shop = Forever(system, seed=1, mailbox=64, chaos=True)
        chaos = Chaos(system, 1, shop.order)
        chaos._random = Order("pause", "calm")  # type: ignore[assignment]
        chaos.strike()
        system.kill("inventory")
        _wait_gone(system, "inventory")
        chaos.strike()
        shop.over.set()


def test_whoever_is_paused_goes_on_when_all_the_others_wait_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forever, "STRIKES", 0.02)
    with ActorSystem() as system:
        shop = Forever(system, seed=1, mailbox=4, chaos=True)
        assert shop._chaos is not None
        shop._chaos._random = Order("pause")  # type: ignore[assignment]
        shop._chaos.strike()
        shop.order(50)
        system.wait_idle(60)
        shop.over.set()
    assert len(shop.books().day.orders) == 50
    assert all(check.holds for check in audit(shop.books()))


def test_some_orders_are_dull_however_often_the_gossip_tries() -> None:
    with ActorSystem() as system:
        shop = Forever(system, seed=1, mailbox=64, chaos=False)
        over = Signal()
        over.set()  # it does not dwell on anything
        system.spawn(lambda: Gossip(1, over), name=GOSSIP, mailbox=1_000)
        shop.order(100)
        system.wait_idle(60)
        events = [letter.event for letter in system.dead_letters() if letter.event is not None]
        untold = [event for event in events if event.type == "order.created"]
        assert [event.payload["order"]["id"] for event in untold] == ["order-100"]


def test_nobody_orders_once_it_is_over() -> None:
    with ActorSystem() as system:
        shop = Forever(system, seed=1, mailbox=64, chaos=False)
        shop.over.set()
        shop.order(10)
        assert shop.books().day.orders == ()


def _socket(folder: Path) -> Path:
    while not (found := list((folder / "choreia").glob("*.sock"))):
        pass
    return found[0]


def _handled(reply: Any) -> int:
    return int(reply.data["system"]["handled"])


def _wait_for(system: ActorSystem, agent: str, state: str) -> None:
    while system.inspect().agent(agent).state != state:
        pass


def _wait_gone(system: ActorSystem, agent: str) -> None:
    while any(one.name == agent for one in system.inspect().agents):
        pass
