"""The protocol: JSON objects, a line each, in UTF-8.

A request is ``{"schema": "choreia.inspect/1", "id": 1, "verb": "snapshot", "args": {…}}``, at most
4 KiB long. Each reply has the id and the verb of its request, ``"ok": true`` and ``"data"``, or
``"ok": false`` and an ``"error"`` with a code and a message. A stream sends many replies under one
id; ``"dropped"`` counts those of it that were let go because the reader was slow. When the system
ends it says ``bye``, under no id.

Whatever is added later is added beside what there is; what changes a meaning gets another schema.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Literal, cast, get_args

import attrs
import orjson

from choreia.runtime.events.display import brief, plain

SCHEMA = "choreia.inspect/1"
LONGEST = 4_096
"""Bytes of a request, with its line end."""
MOST_IDS = 2**53
DEEPEST = 100
"""Levels of a reply that has to be made JSON; orjson takes 254. What is deeper is left out."""

Fields = dict[str, object]
Code = Literal["bad_frame", "unknown_verb", "bad_argument", "unknown", "refused", "busy", "failed"]
CODES = frozenset(get_args(Code))
_ASKED = frozenset({"schema", "id", "verb", "args"})


@attrs.frozen
class Request:
    """What a client asks for."""

    verb: str
    id: int
    args: Mapping[str, object] = attrs.field(factory=dict)


@attrs.frozen
class Problem:
    """Why there is no answer."""

    code: str
    message: str


@attrs.frozen
class Reply:
    """What a client is told."""

    id: int | None
    """Of the request that it answers; None: nobody asked."""
    verb: str
    ok: bool
    data: Mapping[str, object] = attrs.field(factory=dict)
    error: Problem | None = None
    dropped: int = 0
    """Replies of this stream that were let go before this one."""


class Refusal(Exception):
    """What is asked cannot be answered. `code` is one of `CODES`; the message is for people."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.id: int | None = None
        """Of the request, if that much could be read of it."""


# -- requests --------------------------------------------------------------------------------------


def encode_request(request: Request) -> bytes:
    """The line. Raises `Refusal` when it is too long, or is not JSON."""
    said = {
        "schema": SCHEMA, "id": request.id, "verb": request.verb, "args": dict(request.args)
    }  # fmt: skip
    try:
        line = orjson.dumps(said) + b"\n"
    except TypeError as error:
        raise Refusal("bad_argument", f"{plain(request.verb, 40)}: {error}") from error
    if len(line) > LONGEST:
        raise Refusal(
            "bad_argument",
            f"{plain(request.verb, 40)}: the request is {len(line):,} bytes long, and may be "
            f"{LONGEST:,}",
        )
    return line


def decode_request(line: bytes) -> Request:
    """What a line asks for. Raises `Refusal`, which says what is wrong with it."""
    try:
        said: object = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise Refusal("bad_frame", f"no JSON: {plain(str(error), 200)}") from None
    if not isinstance(said, dict):
        raise Refusal("bad_frame", "a request is a JSON object: {schema, id, verb, args}")
    fields = cast("Fields", said)
    try:
        return _request(fields)
    except Refusal as refusal:
        id = fields.get("id")
        refusal.id = cast("int", id) if _is_id(id) else None
        raise


def _request(fields: Fields) -> Request:
    if fields.get("schema") != SCHEMA:
        shown = plain(brief(fields.get("schema"), 60))  # repr fails on what is nested deeply
        raise Refusal("bad_frame", f"schema {shown}: this is {SCHEMA}")
    unknown = sorted(set(fields) - _ASKED)
    if unknown:
        shown = plain(", ".join(unknown), 80)
        raise Refusal("bad_frame", f"a request has no {shown}: it has schema, id, verb, args")
    id, verb, args = fields.get("id"), fields.get("verb"), fields.get("args", {})
    if not _is_id(id):
        raise Refusal("bad_frame", "id: give a whole number, which the replies will have")
    if not isinstance(verb, str) or not verb:
        raise Refusal("bad_frame", 'verb: give a word, such as "hello"')
    if not isinstance(args, dict):
        raise Refusal("bad_frame", "args: give a JSON object")
    return Request(verb, cast("int", id), cast("Fields", args))


def _is_id(id: object) -> bool:
    return type(id) is int and 0 <= id < MOST_IDS


# -- replies ---------------------------------------------------------------------------------------


def encode_reply(reply: Reply) -> bytes:
    """The line. Text that is no Unicode, and numbers that are no JSON, are made so."""
    said: Fields = {"schema": SCHEMA, "id": reply.id, "verb": reply.verb, "ok": reply.ok}
    if reply.error is None:
        said["data"] = reply.data
    else:
        said["error"] = {"code": reply.error.code, "message": reply.error.message}
    if reply.dropped:
        said["dropped"] = reply.dropped
    try:
        return orjson.dumps(said, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # surrogates in a traceback, whole numbers beyond 64 bits, deep nesting
        return orjson.dumps(_tame(said), option=orjson.OPT_APPEND_NEWLINE)


def decode_reply(line: bytes) -> Reply:
    """What a system says. Raises `ValueError` for what is none of this protocol."""
    said: object = json.loads(line)
    if not isinstance(said, dict):
        raise ValueError("no JSON object")
    fields = cast("Fields", said)
    if fields.get("schema") != SCHEMA:
        raise ValueError(f"schema {plain(brief(fields.get('schema'), 60))}: this asks {SCHEMA}")
    id, data, dropped = fields.get("id"), fields.get("data"), fields.get("dropped")
    error = fields.get("error")
    return Reply(
        id if isinstance(id, int) else None,
        str(fields.get("verb", "")),
        fields.get("ok") is True,
        cast("Fields", data) if isinstance(data, dict) else {},
        _problem(cast("Fields", error)) if isinstance(error, dict) else None,
        dropped if isinstance(dropped, int) else 0,
    )


def _problem(said: Fields) -> Problem:
    return Problem(str(said.get("code", "failed")), str(said.get("message", "")))


def _tame(value: object, depth: int = 0) -> object:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, (Mapping, list, tuple)) and depth >= DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        fields = cast("Mapping[object, object]", value)
        return {_text(str(key)): _tame(item, depth + 1) for key, item in fields.items()}
    if isinstance(value, (list, tuple)):
        return [_tame(item, depth + 1) for item in cast("list[object]", value)]
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return _digits(value)
    return value if value is None or isinstance(value, (bool, int, float)) else _text(str(value))


def _text(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _digits(number: int) -> str:
    try:
        return str(number)
    except ValueError:  # Python writes no more than 4,300 digits in base ten
        return hex(number)
