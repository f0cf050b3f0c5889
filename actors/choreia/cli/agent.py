"""`choreia agent`: one agent of a running system, looked at closely."""

from __future__ import annotations

import json
from collections.abc import Iterator

import click

from choreia.cli.attached import agent_argument, attached, count, system_option, text
from choreia.cli.output import output_option, put_out
from choreia.runtime.events.display import plain, stamp
from choreia.runtime.insight.wording import duration
from choreia.runtime.inspection.reading import Fields, amount_of, part_of, rows_of

COUNTED = ("handled", "failed", "emitted", "dropped", "overflowed")
LONGEST = 160


@click.command("agent")
@agent_argument
@system_option
@click.option("--payloads", is_flag=True, help="Show what events say, too; secrets are masked.")
@output_option
def command(agent: str, system: str | None, payloads: bool, output: str) -> None:
    """One agent of a running system: what it is at, what waits for it, what it listens to."""
    with attached(system) as client:
        said = client.call("agent", name=agent, payloads=payloads)
    put_out("agent", output, said, _lines(said))


def _lines(said: Fields) -> Iterator[str]:
    for label, value in _facts(said):
        yield f"{label:<11}  {value}".rstrip()
    for title, lines in _lists(said):
        for number_, line in enumerate(lines):
            yield f"{title if not number_ else '':<11}  {line}"


def _facts(said: Fields) -> Iterator[tuple[str, str]]:
    yield "agent", text(said, "name")
    yield "id", text(said, "id", LONGEST)
    yield "class", text(said, "class")
    again = amount_of(said, "incarnation")
    yield "state", text(said, "state") + (f", incarnation {again:,.0f}" if again > 1 else "")
    if said.get("suspected"):
        yield "suspected", text(said, "suspected")
    now, highest = count(said, "size"), count(said, "high_water")
    yield "mailbox", f"{now} of {count(said, 'capacity')}, at most {highest} so far"
    yield "counted", ", ".join(f"{count(said, key)} {key}" for key in COUNTED)
    if said.get("lag") is not None:
        yield "lag", f"{count(said, 'lag')} events"
    if said.get("handler"):
        yield (
            "handler",
            f"{text(said, 'handler')} for {duration(amount_of(said, 'handler_seconds'))}",
        )
    if in_hand := part_of(said, "in_hand"):
        yield "in hand", _event(in_hand)
    for key, label in (("parked_on", "parked on"), ("capabilities", "can")):
        if words := _words(said, key):
            yield label, words
    if said.get("waiting_here"):
        yield "wait for it", count(said, "waiting_here")


def _lists(said: Fields) -> Iterator[tuple[str, list[str]]]:
    yield "listens to", [_subscription(one) for one in rows_of(said, "subscriptions")]
    if said.get("emits") is not None:
        yield "says", [_words(said, "emits")]
    yield "timers", [_timer(one) for one in rows_of(said, "timers")]
    yield "queued", [_event(one) for one in rows_of(said, "queued")]
    yield "has said", [_event(one) for one in rows_of(said, "recent")]
    yield "dead", [_letter(one) for one in rows_of(said, "dead_letters")]
    yield "stack", [plain(line) for line in str(said.get("stack") or "").splitlines()]


def _words(said: Fields, key: str) -> str:
    found = said.get(key)
    return plain(", ".join(map(str, found)), LONGEST) if isinstance(found, list) else ""


def _subscription(one: Fields) -> str:
    filter = one.get("filter")
    only = f" if {plain(json.dumps(filter), LONGEST)}" if filter else ""
    return f"{text(one, 'pattern')} → {text(one, 'handler')}{only}"


def _timer(one: Fields) -> str:
    return f"{stamp(amount_of(one, 'due'))}  {text(one, 'type')}"


def _event(one: Fields) -> str:
    said = (
        plain(json.dumps(one["payload"], ensure_ascii=False), LONGEST) if "payload" in one else ""
    )
    return (
        f"{stamp(amount_of(one, 'time'))}  {text(one, 'type')}  {text(one, 'id')}  {said}".rstrip()
    )


def _letter(one: Fields) -> str:
    return f"{stamp(amount_of(one, 'time'))}  {text(one, 'type')}  {text(one, 'error', LONGEST)}"
