"""What is installed is the tree, each module under one name, loaded when it is needed."""

from __future__ import annotations

import ast
import configparser
import inspect
import json
import os
import subprocess
import sys
from importlib import import_module
from operator import attrgetter
from pathlib import Path

import pytest

import choreia
from choreia.runtime import errors

ROOT = Path(__file__).parents[1]
EXPORTED: list[str] = vars(choreia)["__all__"]
TREE = ROOT / "tests" / "_tree" / "choreia"
MAPPED = {
    "choreia": "actors/choreia",
    "choreia.actors": "actors",
    "choreia.runtime": "runtime",
    "choreia.demos": "demos",
}


def declared() -> tuple[dict[str, str], list[str]]:
    """`package_dir` and `packages`, as setup.cfg has them."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    lines = [line.partition("=") for line in config["options"]["package_dir"].split("\n") if line]
    folders = {package.strip(): folder.strip() for package, _, folder in lines}
    return folders, config["options"]["packages"].split()


def in_tree() -> list[str]:
    """Every package of the tree, under its import name."""
    found: list[str] = []
    for package, folder in MAPPED.items():
        for init in (ROOT / folder).rglob("__init__.py"):
            inside = init.parent.relative_to(ROOT / folder)
            if package == "choreia.actors" and inside.parts[:1] == ("choreia",):
                continue  # the front door: it is `choreia`
            found.append(".".join((package, *inside.parts)))
    return sorted(found)


def loaded_after(code: str) -> set[str]:
    """The modules a fresh interpreter has loaded after running `code`, as users start it."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport json, sys\nprint(json.dumps(list(sys.modules)))"],
        cwd=ROOT,  # where the folders `actors` and `runtime` are in everybody's way
        env={**os.environ, "PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_setup_cfg_lists_every_package_of_the_tree() -> None:
    folders, packages = declared()
    assert folders == MAPPED
    assert sorted(packages) == in_tree()


def test_every_folder_with_code_is_a_package() -> None:
    for folder in ("actors", "runtime", "demos"):
        for file in (ROOT / folder).rglob("*.py"):
            assert (file.parent / "__init__.py").exists(), f"{file.parent} has no __init__.py"


@pytest.mark.skipif(not TREE.exists(), reason="an sdist has no links")
def test_the_links_for_type_checkers_show_the_whole_front_door() -> None:
    door = ROOT / "actors" / "choreia"
    expected = {entry.name: entry for entry in door.iterdir() if entry.name != "__pycache__"}
    expected |= {name: ROOT / name for name in ("actors", "runtime", "demos")}
    assert {link.name: link.resolve() for link in TREE.iterdir()} == expected


def test_the_front_door_exports_every_error() -> None:
    for name, value in inspect.getmembers(errors, inspect.isclass):
        if value.__module__ == errors.__name__:
            assert name in EXPORTED, f"actors/choreia/__init__.py lacks {name}"
            assert getattr(choreia, name) is value


def test_the_two_halves_of_the_front_door_agree() -> None:
    for_checkers = {
        alias.name: node.module
        for node in ast.walk(ast.parse(Path(choreia.__file__).read_text()))
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("choreia.")
        for alias in node.names
    }
    assert sorted(EXPORTED) == sorted(for_checkers)
    for name, module in for_checkers.items():
        assert getattr(choreia, name) is getattr(import_module(str(module)), name)


def test_the_front_door_knows_what_it_has() -> None:
    assert {*EXPORTED, "__version__"} == set(dir(choreia))
    assert choreia.__version__
    with pytest.raises(AttributeError, match="no attribute 'Actor'"):
        attrgetter("Actor")(choreia)


def test_a_star_import_gives_every_name() -> None:
    names: dict[str, object] = {}
    exec("from choreia import *", names)
    assert set(EXPORTED) <= names.keys()


def test_nothing_is_loaded_under_two_names() -> None:
    demos = [f"import choreia.demos.{name}.command" for name in ("orders", "review")]
    loaded = loaded_after("\n".join(["from choreia import *", *demos]))
    assert "choreia.actors.system" in loaded
    twice = {"actors", "runtime", "demos", "tests", "choreia.actors.choreia"}
    assert not twice & loaded
    # This process has run under pytest, from wherever it was started.
    assert not {"actors", "runtime", "demos", "choreia.actors.choreia"} & set(sys.modules)


def test_the_machinery_loads_without_actors() -> None:
    loaded = loaded_after("import choreia.runtime.events.event, choreia.runtime.delivery.mailbox")
    assert not {module for module in loaded if module.startswith("choreia.actors")}
    assert not {"pykka", "rich", "click"} & loaded
