"""What was not said on the command line: who says it, who comes first, and how it is shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest
from click.testing import CliRunner

from choreia.cli import project
from choreia.cli.app import app
from choreia.cli.settings import adopt

if TYPE_CHECKING:
    from tests.actors.conftest import Cli

Given = Callable[..., dict[str, Any]]


@click.command("probe")
@click.option("--some-number", "count", type=int, default=1)
@click.option("--inspect/--no-inspect", default=True)
@click.option("--names", multiple=True)
@click.option("--json", "for_programs", is_flag=True)
@click.option("--store", envvar="CHOREIA_STORE")
@click.option("--output", type=click.Choice(["text", "json"]), default="text")
@click.option("--by-hand", allow_from_autoenv=False)
def probe(**given: object) -> None:
    """Say what was given."""
    click.echo(json.dumps(given))


adopt(probe)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder, where one stands."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CHOREIA_STORE", raising=False)
    return tmp_path


@pytest.fixture
def given(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Given:
    """What a command is given that has all kinds of options."""
    monkeypatch.setitem(app.commands, "probe", probe)

    def asked(*arguments: str) -> dict[str, Any]:
        done = cli("probe", *arguments)
        assert done.code == 0, done.err
        found: dict[str, Any] = json.loads(done.out)
        return found

    return asked


def settle(folder: Path, text: str) -> None:
    (folder / "pyproject.toml").write_text(text)
    project._read.cache_clear()


# -- the order ------------------------------------------------------------------------------------


def test_command_line_environment_project_default(
    given: Given, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert given()["count"] == 1
    settle(folder, "[tool.choreia.probe]\nsome-number = 2\n")
    assert given()["count"] == 2
    monkeypatch.setenv("CHOREIA_PROBE_SOME_NUMBER", "3")
    assert given()["count"] == 3
    assert given("--some-number", "4")["count"] == 4


def test_options_of_every_kind(given: Given, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(
        folder,
        "[tool.choreia.probe]\nsome_number = 2\ninspect = false\nnames = ['a', 'b']\njson = true\n",
    )
    said = given()
    assert (said["count"], said["inspect"], said["names"]) == (2, False, ["a", "b"])
    assert said["for_programs"] is True
    monkeypatch.setenv("CHOREIA_PROBE_INSPECT", "1")
    monkeypatch.setenv("CHOREIA_PROBE_NAMES", "x y")
    monkeypatch.setenv("CHOREIA_PROBE_JSON", "0")
    said = given()
    assert (said["inspect"], said["names"], said["for_programs"]) == (True, ["x", "y"], False)
    assert given("--no-inspect")["inspect"] is False


def test_a_variable_that_there_was_stays_behind_the_new_one(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHOREIA_STORE", "for-all.db")
    assert given()["store"] == "for-all.db"
    monkeypatch.setenv("CHOREIA_PROBE_STORE", "for-this.db")
    assert given()["store"] == "for-this.db"


def test_what_is_to_be_said_each_time_is_set_nowhere(
    given: Given, cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHOREIA_PROBE_BY_HAND", "x")
    monkeypatch.setenv("CHOREIA_PROBE_HELP", "1")
    monkeypatch.setenv("CHOREIA_VERSION", "1")
    assert given()["by_hand"] is None
    settle(folder, "[tool.choreia.probe]\nby-hand = 'x'\n")
    assert cli("probe").code == 2


# -- the project ----------------------------------------------------------------------------------


def test_all_commands_have_what_they_share(given: Given, folder: Path) -> None:
    settle(folder, '[tool.choreia]\nstore = "all.db"\noutput = "json"\n')
    assert (given()["store"], given()["output"]) == ("all.db", "json")
    settle(folder, '[tool.choreia]\nstore = "all.db"\n[tool.choreia.probe]\nstore = "own.db"\n')
    assert given()["store"] == "own.db"


def test_paths_are_meant_from_where_the_project_is(
    given: Given, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(folder, '[tool.choreia]\nstore = "all.db"\n')
    (folder / "inner").mkdir()
    monkeypatch.chdir(folder / "inner")
    assert given()["store"] == str(folder / "all.db")
    settle(folder, '[tool.choreia]\nstore = "postgresql://host/db"\n')
    assert given()["store"] == "postgresql://host/db"


def test_the_nearest_project_counts(
    given: Given, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(folder, "[tool.choreia.probe]\nsome-number = 2\n")
    (folder / "inner").mkdir()
    settle(folder / "inner", "[project]\nname = 'inner'\n")
    monkeypatch.chdir(folder / "inner")
    assert given()["count"] == 1


def test_the_projects_store_is_not_for_demos(cli: Cli, folder: Path) -> None:
    settle(folder, '[tool.choreia]\nstore = "all.db"\n')
    done = cli("demo", "orders", "--orders", "2", "--mode", "simulated", "--quiet")
    assert done.code == 0
    assert not (folder / "all.db").exists()
    settle(folder, '[tool.choreia.demo.orders]\nstore = "own.db"\norders = "2"\n')
    assert cli("demo", "orders", "--mode", "simulated", "--quiet").code == 0
    assert (folder / "own.db").exists()


def test_a_file_to_write_is_no_form_of_output(cli: Cli, folder: Path) -> None:
    settle(folder, '[tool.choreia]\noutput = "json"\n')
    done = cli("trace", "no.db", "x")
    assert "no.db" in done.err
    assert not (folder / "json").exists()


def test_what_checks_have_accepted_is_theirs(cli: Cli, folder: Path) -> None:
    settle(folder, "[tool.choreia.check]\naccept = []\n")
    assert cli("check", "choreia.demos.orders").code == 0
    assert cli("config").code == 0


# -- what is wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[tool.choreia]\nstoer = 'x'\n", "[tool.choreia] in {}: 'stoer' is no option; there are:"),
        ("[tool.choreia]\nstore = 5\n", "[tool.choreia] in {}: store must be text"),
        ("[tool.choreia.prob]\nx = 1\n", "[tool.choreia] in {}: 'prob' is no command"),
        ("[tool.choreia.probe]\nx = 1\n", "[tool.choreia.probe] in {}: 'x' is no option"),
        ("[tool.choreia]\nprobe = 1\n", "[tool.choreia] in {}: 'probe' must be a table"),
        ("[tool.choreia.probe.x]\n", "[tool.choreia.probe] in {}: 'x' is no command"),
        ("[tool]\nchoreia = 1\n", "{}: 'choreia' must be a table"),
        ("[tool", "{} cannot be read"),
        ("tool = 5\n", "{}: 'tool' must be a table"),
    ],
)
def test_what_nobody_knows_is_wrong_usage_and_says_where(
    given: Given, cli: Cli, folder: Path, text: str, says: str
) -> None:
    settle(folder, text)
    done = cli("probe")
    assert (done.code, done.out) == (2, "")
    assert says.format(folder / "pyproject.toml") in done.err


@pytest.mark.skipif(
    tuple(map(int, metadata.version("click").split(".")[:2])) < (8, 5),
    reason="click 8.4 does not tell of a wrong value where it comes from",
)
@pytest.mark.usefixtures("given")
def test_a_wrong_value_says_where_it_stands(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(folder, '[tool.choreia.probe]\nsome-number = "many"\n')
    done = cli("probe")
    assert done.code == 2
    assert "'many' is not a valid integer" in done.err
    assert f"It comes from [tool.choreia.probe] in {folder / 'pyproject.toml'}." in done.err
    monkeypatch.setenv("CHOREIA_PROBE_SOME_NUMBER", "few")
    done = cli("probe")
    assert "It comes from the environment variable CHOREIA_PROBE_SOME_NUMBER." in done.err
    assert "It comes from" not in cli("probe", "--some-number", "none").err


@pytest.mark.usefixtures("given")
def test_nothing_is_read_for_help(cli: Cli, folder: Path) -> None:
    settle(folder, "[tool")
    for arguments in (["--help"], ["--version"], ["probe", "--help"], ["demo", "list"]):
        assert cli(*arguments).code == 0


# -- config ---------------------------------------------------------------------------------------


def test_config_shows_what_is_set_and_where(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "nothing is set" in cli("config").out
    settle(folder, '[tool.choreia]\nstore = "all.db"\n[tool.choreia.run]\nworkers = 3\n')
    monkeypatch.setenv("CHOREIA_RUN_GRACE", "5")
    rows = {
        (one["command"], one["option"]): one
        for one in json.loads(cli("config", "-o", "json").out)["settings"]
    }
    place = f"[tool.choreia.run] in {folder / 'pyproject.toml'}"
    assert rows["run", "workers"]["value"] == 3
    assert (rows["run", "workers"]["source"], rows["run", "workers"]["from"]) == ("project", place)
    assert rows["run", "workers"]["variable"] == "CHOREIA_RUN_WORKERS"
    grace = rows["run", "grace"]
    assert (grace["value"], grace["source"]) == ("5", "environment")
    assert rows["cases", "store"]["value"] == "all.db"
    assert ("publish", "store") not in rows
    assert not any(command.startswith("demo") for command, _ in rows)
    text = cli("config").out
    assert "run --workers" in text
    assert "the environment variable CHOREIA_RUN_GRACE" in text


@pytest.mark.usefixtures("folder")
def test_one_variable_says_which_system_for_all(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHOREIA_SYSTEM", "shop")
    each = json.loads(cli("config", "--all", "-o", "json").out)["settings"]
    found = {one["command"]: one["value"] for one in each if one["option"] == "system"}
    assert set(found) >= {"top", "agents", "agent", "publish", "control pause"}
    assert set(found.values()) == {"shop"}


@pytest.mark.usefixtures("folder")
def test_config_with_defaults_has_every_option_of_every_command(cli: Cli) -> None:
    each = [json.loads(line) for line in cli("config", "--all", "-o", "jsonl").out.splitlines()]
    assert {one["schema"] for one in each} == {"choreia.config/1"}
    names = {(one["command"], one["option"]) for one in each}
    assert ("demo orders", "seed") in names
    assert ("control pause", "system") in names
    assert ("run", "watch") in names
    assert not [option for _, option in names if option in ("help", "version", "yes")]
    variables = [one["variable"] for one in each]
    assert len(variables) == len(set(variables)), "no two options share a variable"


def test_config_hides_passwords(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHOREIA_STORE", "postgresql://me:hunter2@host/db")
    for arguments in ([], ["-o", "json"]):
        said = cli("config", *arguments).out
        assert "hunter2" not in said
        assert "postgresql://me:***@host/db" in said


def test_config_names_variables_that_are_nobodys(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHOREIA_RUN_WORKER", "5")
    assert "CHOREIA_RUN_WORKER is in the environment, and no option's" in cli("config").err


def test_config_says_what_is_wrong_anywhere(cli: Cli, folder: Path) -> None:
    settle(folder, "[tool.choreia.run]\nworker = 5\n")
    done = cli("config")
    assert done.code == 2
    assert "'worker' is no option" in done.err


def test_a_command_that_is_run_by_itself_is_not_the_projects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.choreia]\nstore = "x.db"\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHOREIA_SOME_NUMBER", "nonsense")
    result = CliRunner().invoke(probe, [])
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["store"] is None
