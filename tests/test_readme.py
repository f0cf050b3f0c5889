"""Everything the README shows is run, and what it says is printed is compared.

A block of a kind that nothing here runs is refused, so that none can be skipped unseen.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import click
import pytest
from attrs import frozen

from choreia.cli.lazy import LazyCommand

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


@frozen
class Block:
    """A fenced block: its language, the line of the README it starts at, and its text."""

    kind: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}"


BLOCKS = [
    Block(found[1], README.count("\n", 0, found.start(2)) + 1, found[2])
    for found in re.finditer(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
]


def of_kind(kind: str) -> list[Block]:
    found = [block for block in BLOCKS if block.kind == kind]
    assert found, f"no {kind} block was found in the README"
    return found


def expected_output(block: Block) -> str:
    """What the text block right after `block` says it prints; nothing, if there is none."""
    rest = README.split("\n")[block.line + block.text.count("\n") :]
    after = next((line for line in rest if line), "")
    if after != "```text":
        return ""
    return next(b.text for b in BLOCKS if b.kind == "text" and b.line > block.line)


def test_every_block_is_of_a_kind_that_is_run() -> None:
    assert {block.kind for block in BLOCKS} == {"python", "text", "sh", "console"}
    assert README.count("```") == 2 * len(BLOCKS)
    shown = [expected_output(block) for block in of_kind("python")]
    assert len([output for output in shown if output]) == len(of_kind("text"))


@pytest.mark.parametrize("block", of_kind("python"), ids=str)
def test_python_blocks_print_what_they_say(
    block: Block,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)  # some make files
    module = ModuleType(f"readme_line_{block.line}")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    # The newlines make tracebacks name the README's own lines.
    code = "\n" * (block.line - 1) + block.text
    exec(compile(code, str(ROOT / "README.md"), "exec", dont_inherit=True), vars(module))
    assert capsys.readouterr().out == expected_output(block)


@pytest.mark.parametrize("block", of_kind("console"), ids=str)
def test_console_blocks_print_what_they_say(block: Block) -> None:
    command, _, output = block.text.partition("\n")
    prompt, program, *arguments = shlex.split(command)
    assert (prompt, program) == ("$", "choreia")
    done = subprocess.run(
        [sys.executable, "-m", "choreia", *arguments], capture_output=True, text=True, check=True
    )
    assert done.stdout == output


def test_the_first_agent_has_fifteen_lines() -> None:
    first = of_kind("python")[0]
    assert len([line for line in first.text.splitlines() if line]) <= 15


@pytest.mark.parametrize("block", of_kind("sh"), ids=str)
def test_ci_runs_the_two_commands(block: Block) -> None:
    """They set up a machine, so `.ci/run` runs them: it takes them out of the README."""
    [command] = block.text.splitlines()
    *setup, last = command.split(" && ")
    assert setup[:3] == [
        "apt-get update",
        "apt-get install -y python3-venv",
        "python3 -m venv .venv",
    ]
    script = (ROOT / ".ci" / "run").read_text()
    run = re.findall(r'^readme_command "([^"]+)"', script, re.MULTILINE)
    matching = [text for text in run if text in last]
    assert matching, f".ci/run does not run `{last}`"
    assert [line for line in README.splitlines() if matching[0] in line] == [command]


def test_there_are_two_commands() -> None:
    assert [block.text.split(" && ")[-1] for block in of_kind("sh")] == [
        ".venv/bin/choreia demo orders\n",
        ".venv/bin/python -m pytest\n",
    ]


COMMANDS = sorted(
    {
        line.split("    #")[0].split(" && ")[0].strip()
        for line in re.findall(r"^    (?:[A-Z_]+=\S+ )*(choreia .*)$", README, re.MULTILINE)
    }
)


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_that_are_shown_are_there_with_their_options(line: str) -> None:
    """What they do is tested where they are; that they are spelled so, here."""
    from choreia.cli.app import app

    context, words = click.Context(app), shlex.split(line.split("|")[0])[1:]
    while isinstance(context.command, click.Group) and words:
        found = context.command.get_command(context, words.pop(0))
        assert found is not None, line
        found = found.load() if isinstance(found, LazyCommand) else found
        context = click.Context(found, context)
    known = {name for one in context.command.get_params(context) for name in one.opts}
    assert {word for word in words if word.startswith("-")} <= known, line


def test_there_are_commands_to_look_at() -> None:
    assert len(COMMANDS) > 10


PICTURES = re.findall(r"!\[([^\]]+)\]\(([^)]+)\)", README)


@pytest.mark.parametrize("picture", [path for _, path in PICTURES])
def test_pictures_are_there_and_fetch_nothing(picture: str) -> None:
    text = (ROOT / picture).read_text()
    assert "choreia-console" in text
    assert set(re.findall(r"https?://[^\"' )]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "@import" not in text
    assert "url(" not in text.replace("url(#", "")


def test_the_console_and_a_trace_are_shown() -> None:
    assert [path for _, path in PICTURES] == ["demos/orders/console.svg", "demos/orders/trace.svg"]
