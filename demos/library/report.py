"""What is printed: what to watch for, the conversations, and whether it all adds up."""

from __future__ import annotations

from itertools import groupby

from rich.console import Console
from rich.text import Text

from choreia.demos.library.audit import Check
from choreia.demos.library.memory import Memory
from choreia.demos.library.result import Answer, Outcome
from choreia.demos.library.sources import Corpus
from choreia.runtime.events.display import plain

MOST = 5
"""Skipped files, or remembered questions, that are told; the others are counted."""

INTRODUCTION = """\
A library of {documents} documents ({name}), and nobody in charge. Watch for
- documents that become passages, vectors, memory: reader, embedder and index
  hear each other's events, and know nothing else of each other;
- questions like "And can it contain statements?": a conversation knows what
  its user asked before, and searches for that too;
- answers that say where they stand: document, passage, and how well it fits;
- {store}
"""
WITHOUT_STORE = "what is forgotten when this ends; with --store lib.db nothing is."
WITH_STORE = "the second time: nothing is indexed again, and you are remembered."


def introduce(console: Console, corpus: Corpus, *, stored: bool) -> None:
    """What this is, and what to look at."""
    text = INTRODUCTION.format(
        documents=f"{len(corpus.documents):,}",
        name=corpus.name,
        store=WITH_STORE if stored else WITHOUT_STORE,
    )
    _print(console, Text(text))


def report(console: Console, outcome: Outcome) -> None:
    """What happened, and the verdict."""
    _print(console, _indexed(outcome))
    _list(console, [f"skipped {one.name}: {one.reason}" for one in outcome.corpus.skipped])
    for user in outcome.greetings:
        if not any(answer.user == user for answer in outcome.answers):
            _greet(console, user, outcome)
    for user, answers in groupby(outcome.answers, key=lambda answer: answer.user):
        _greet(console, user, outcome)
        for answer in answers:
            _answer(console, answer)
    _print(console, Text())
    for check in outcome.checks:
        _print(console, _line(check))
    _print(console, verdict(outcome.checks))


def recall(console: Console, user: str, memory: Memory, position: int) -> None:
    """What a conversation knew at a position of the log."""
    _print(console, Text(f"{plain(user)}, as of position {position:,}:", style="bold"))
    for asked in memory.questions.values():
        end = asked.answer or (asked.refused and f"refused: {asked.refused}") or "not answered yet"
        _print(console, Text(f"  {plain(asked.text)}\n    {plain(end, 300)}"))
    if not memory.questions:
        _print(console, Text("  nothing was asked before that"))
    about = " ".join(memory.context)
    _print(console, Text(f'  "it" would mean: {plain(about) or "nothing"}'))
    _print(console, Text(f"  tokens spent: {memory.spent:,}"))


def verdict(checks: tuple[Check, ...]) -> Text:
    wrong = [check.name for check in checks if not check.holds]
    if not wrong:
        return Text("Documents, passages and answers add up.", style="bold green")
    return Text(f"It does not add up: {', '.join(wrong)}.", style="bold red")


def _indexed(outcome: Outcome) -> Text:
    total = f"{outcome.passages:,} passages"
    if not outcome.delivered:
        return Text(f"Nothing new to read: {total} are indexed from before.")
    return Text(f"{outcome.delivered:,} documents were new or have changed; {total} by now.")


def _greet(console: Console, user: str, outcome: Outcome) -> None:
    asked = outcome.greetings.get(user, ())
    greeting = "welcome back; you asked before:" if asked else "hello"
    _print(console, Text(f"\n{plain(user)}: {greeting}", style="bold"))
    _list(console, list(asked)[::-1])


def _answer(console: Console, answer: Answer) -> None:
    _print(console, Text(f"  ? {plain(answer.question)}", style="cyan"))
    if answer.refused:
        _print(console, Text(f"    refused: {plain(answer.text)}", style="yellow"))
        return
    _print(console, Text(f"    {plain(answer.text)}"))
    for cited in answer.citations:
        where = f"{cited['document_id']}, passage {cited['passage']} ({cited['score']:.2f})"
        _print(
            console, Text(f"      from {plain(where)}: {plain(cited['title'], 60)}", style="dim")
        )


def _list(console: Console, lines: list[str]) -> None:
    for line in lines[:MOST]:
        _print(console, Text(f"    {plain(line, 200)}", style="dim"))
    if len(lines) > MOST:
        _print(console, Text(f"    and {len(lines) - MOST:,} more", style="dim"))


def _line(check: Check) -> Text:
    mark = ("ok     ", "green") if check.holds else ("WRONG  ", "bold red")
    return Text.assemble(mark, f"{check.name}: {check.says}")


def _print(console: Console, text: Text) -> None:
    console.print(text, soft_wrap=True)
