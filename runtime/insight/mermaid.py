"""A trace as a sequence diagram of mermaid."""

from __future__ import annotations

from collections.abc import Iterator

from choreia.runtime.insight.escaping import mermaid as escaped
from choreia.runtime.insight.sequence import Message, Note, sequence
from choreia.runtime.insight.trace import Trace

LABEL = 60
NOTE = 120


def mermaid(trace: Trace, *, times: bool = True) -> str:
    """The diagram's source. Names in it are its own, so no text of events can be taken for one."""
    drawn = sequence(trace, times=times)
    lines = ["sequenceDiagram"]
    for number, name in enumerate(drawn.lifelines):
        lines.append(f"    participant p{number} as {escaped(name, LABEL)}")
    for entry in drawn.entries:
        lines += _message(entry) if isinstance(entry, Message) else _note(entry, drawn.lifelines)
    if not drawn.entries:
        lines.append("    participant p0 as nothing")
    return "\n".join(lines) + "\n"


def _message(message: Message) -> Iterator[str]:
    line = "--" if message.passive else "-"
    head = "x" if message.failed else ">>" if message.over else ")"
    sender, receiver = f"p{message.sender}", f"p{message.receiver}"
    yield f"    {sender}{line}{head}{receiver}: {escaped(message.text, NOTE)}"


def _note(note: Note, lifelines: tuple[str, ...]) -> Iterator[str]:
    if note.place is not None:
        where = f"p{note.place}"
    else:
        where = "p0" if len(lifelines) == 1 else f"p0,p{len(lifelines) - 1}"
    yield f"    Note over {where}: {escaped(note.text, NOTE)}"
