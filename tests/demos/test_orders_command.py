"""``choreia demo orders``: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner, Result

from choreia import DemoError
from choreia.cli.app import app
from choreia.cli.failures import run
from choreia.demos.orders import choreography
from choreia.demos.orders.command import command
from choreia.demos.orders.events import InventoryReserved
from choreia.demos.orders.payment import Payment

FAR = '{"id": "far", "item": "tea", "quantity": 2, "price": 450, "ship_to": "Atlantis"}'
NEAR = '{"id": "near", "item": "tea", "quantity": 1, "price": 450}'
POOR = '{"id": "poor", "item": "mug", "quantity": 1, "price": 99, "card": "4000000000000002"}'
STOCK = '{"stock": {"tea": 3}}'


class Embezzler(Payment):
    """Keeps the money, and says nothing."""

    def refund(self, reserved: InventoryReserved) -> None:
        pass


def demo(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


@pytest.fixture
def file(tmp_path: Path) -> str:
    file = tmp_path / "orders.jsonl"
    file.write_text("\n".join([STOCK, FAR, NEAR, POOR]))
    return str(file)


@pytest.fixture
def embezzled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choreography, "Payment", Embezzler)


def test_it_says_what_to_watch_for_and_that_it_adds_up() -> None:
    result = demo("--orders", "50", "--seed", "3")
    assert result.exit_code == 0
    assert "Five agents, 50 orders, and nobody in charge. Watch for" in result.stdout
    for word in "completed", "out of stock", "payment failed", "undeliverable", "cancelled":
        assert f"│ {word}" in result.stdout
    assert "ok     stock: " in result.stdout
    assert result.stdout.endswith("\nStock and money add up.\n")
    assert "\x1b" not in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize("mode", ["threads", "simulated"])
def test_the_outcome_as_json(file: str, tmp_path: Path, mode: str) -> None:
    target = tmp_path / "result.json"
    result = demo("--orders", file, "--json", str(target), "--mode", mode, "--workers", "2")
    assert result.exit_code == 0
    data = json.loads(target.read_text())
    assert data["adds_up"] is True
    assert all(check["holds"] for check in data["checks"])
    assert data["outcomes"] == {
        "completed": 1,
        "out_of_stock": 0,
        "payment_failed": 1,
        "undeliverable": 1,
        "cancelled": 0,
    }
    assert data["stock"] == {
        "tea": {"start": 3, "left": 2, "reserved": 0, "shipped": 1},
        "mug": {"start": 10, "left": 10, "reserved": 0, "shipped": 0},
    }
    assert data["money"] == {"charged": 1350, "refunded": 900, "kept": 450}
    assert data["cancellations"] == {"requested": 0, "refused": 0}
    assert [order["outcomes"] for order in data["orders"]] == [
        ["undeliverable"],
        ["completed"],
        ["payment_failed"],
    ]


def test_json_on_standard_output_is_nothing_but_json(file: str) -> None:
    result = demo("--orders", file, "--json", "-")
    assert json.loads(result.stdout)["adds_up"] is True
    assert "Stock and money add up." in result.stderr


def test_quiet_prints_nothing(file: str) -> None:
    result = demo("--orders", file, "--quiet")
    assert (result.exit_code, result.output) == (0, "")


def test_a_simulated_run_is_a_function_of_its_seed() -> None:
    def result(seed: str) -> Any:
        return json.loads(
            demo("--orders", "80", "--seed", seed, "--mode", "simulated", "--json", "-").stdout
        )

    assert result("1") == result("1")
    assert result("1") != result("2")


def test_small_mailboxes_do_no_harm() -> None:
    assert demo("--orders", "100", "--mailbox", "1", "--workers", "4").exit_code == 0


@pytest.mark.usefixtures("embezzled")
def test_books_that_do_not_add_up_are_exit_code_1(file: str, tmp_path: Path) -> None:
    target = tmp_path / "result.json"
    result = demo("--orders", file, "--json", str(target))
    assert result.exit_code == 1
    assert "WRONG  money: far: 9.00 kept, 0.00 due" in result.stdout
    assert result.stdout.endswith("\nThe books do not add up: money.\n")
    assert json.loads(target.read_text())["adds_up"] is False


@pytest.mark.usefixtures("embezzled")
def test_quiet_is_not_silent_about_it(file: str) -> None:
    result = demo("--orders", file, "--quiet")
    assert result.exit_code == 1
    assert (result.stdout, result.stderr) == ("", "The books do not add up: money.\n")


@pytest.mark.usefixtures("embezzled")
def test_the_shell_sees_the_exit_code(file: str) -> None:
    assert run(app, ["demo", "orders", "--orders", file, "--quiet"]) == 1


def test_text_from_the_file_cannot_drive_the_terminal(tmp_path: Path) -> None:
    file = tmp_path / "orders.jsonl"
    line = {"id": "A-1", "item": "[red]tea[/red]\x1b[31m\u202e", "quantity": 1, "price": 1}
    file.write_text(json.dumps(line))
    result = demo("--orders", str(file))
    assert result.exit_code == 0
    assert "[red]tea[/red][31m " in result.stdout
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout


def test_a_long_table_is_cut(tmp_path: Path) -> None:
    file = tmp_path / "orders.jsonl"
    lines = [
        json.dumps({"id": f"A-{number}", "item": f"item-{number}", "quantity": 1, "price": 1})
        for number in range(25)
    ]
    file.write_text("\n".join(lines))
    result = demo("--orders", str(file))
    assert "item-19" in result.stdout
    assert "item-20" not in result.stdout
    assert "and 5 more" in result.stdout


def test_a_bad_file_is_one_message_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "orders.jsonl"
    file.write_text(f'{NEAR}\n{{"id": "A-2"}}\n')
    assert run(app, ["demo", "orders", "--orders", str(file)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"Error: {file}, line 2: the field 'item' is missing\n"


@pytest.mark.parametrize("orders", ["0", "-3", "1000001"])
def test_a_senseless_number_is_wrong_usage(orders: str) -> None:
    result = demo("--orders", orders)
    assert result.exit_code == 2
    assert "give 1 to 1,000,000, or a file" in result.stderr


@pytest.mark.parametrize("orders", ["nowhere.jsonl", "9" * 5000, "²"])
def test_what_is_neither_number_nor_file_is_named(
    orders: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(app, ["demo", "orders", "--orders", orders]) == 1
    assert f"Error: {orders}: cannot be read" in capsys.readouterr().err


def test_a_result_that_cannot_be_written_is_an_error(
    file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "none" / "result.json"
    assert run(app, ["demo", "orders", "--orders", file, "--json", str(target)]) == 1
    assert f"Error: {target}: cannot be written: No such file" in capsys.readouterr().err


# -- with a store ---------------------------------------------------------------------------------


def in_a_process(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "choreia", "demo", "orders", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_killed_at_any_time_and_started_again_it_adds_up(tmp_path: Path) -> None:
    chance, killed = Random(0), 0
    arguments = ("--orders", "400", "--store", str(tmp_path / "orders.db"), "--quiet")
    while killed < 6:
        with in_a_process(*arguments) as process:
            try:
                process.wait(0.4 + chance.random() * 0.5)  # a random instant is what is wanted
            except subprocess.TimeoutExpired:
                process.kill()
            killed += 1
    with in_a_process(*arguments) as process:
        out, errors = process.communicate()
    assert (process.returncode, out, errors) == (0, b"", b"")


def test_a_store_is_about_one_day(tmp_path: Path) -> None:
    store = str(tmp_path / "orders.db")
    assert demo("--orders", "20", "--store", store).exit_code == 0
    assert demo("--orders", "20", "--store", store).exit_code == 0, "it has happened already"
    other = demo("--orders", "20", "--store", store, "--seed", "1")
    assert isinstance(other.exception, DemoError)
    assert "holds another day's orders: give the same --orders and --seed" in str(other.exception)
