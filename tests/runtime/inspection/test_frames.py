"""Lines in, lines out; whatever comes, nothing but a refusal comes of it."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreia.runtime.inspection.frames import (
    CODES,
    LONGEST,
    SCHEMA,
    Problem,
    Refusal,
    Reply,
    Request,
    decode_reply,
    decode_request,
    encode_reply,
    encode_request,
)

ids = st.integers(0, 2**53 - 1)
readable = st.text(st.characters(codec="utf-8"), max_size=40)
small = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | readable,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(readable, inner, max_size=4),
    max_leaves=8,
)
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.binary(max_size=8)
    | st.sampled_from([10**900, object(), 2**64, -(2**63) - 1]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters()) | st.integers() | st.none(), inner, max_size=4)
        | st.tuples(inner)
    ),
    max_leaves=10,
)


def frame(**changes: object) -> bytes:
    said: dict[str, object] = {"schema": SCHEMA, "id": 1, "verb": "hello", "args": {}, **changes}
    return json.dumps({key: item for key, item in said.items() if item != "none"}).encode()


def refused(line: bytes) -> Refusal | None:
    """Why it is no request; nothing else may be raised."""
    try:
        decode_request(line)
    except Refusal as refusal:
        return refusal
    return None


# -- requests --------------------------------------------------------------------------------------


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_refused(line: bytes) -> None:
    refusal = refused(line)
    assert refusal is None or (refusal.code == "bad_frame" and str(refusal).isprintable())


@given(st.dictionaries(st.sampled_from(["schema", "id", "verb", "args", "x", "\x1b[2J"]), anything))
def test_any_object_is_a_request_or_refused(said: dict[str, Any]) -> None:
    line = json.dumps(said, default=str, skipkeys=True).encode() if small_enough(said) else b"{}"
    refusal = refused(line)
    assert refusal is None or (refusal.code in CODES and str(refusal).isprintable())


def small_enough(said: object) -> bool:
    try:
        return len(json.dumps(said, default=str, skipkeys=True)) < LONGEST
    except ValueError:  # a number of five thousand digits
        return False


@given(st.integers(0, len(frame())), st.integers(0, 255))
def test_one_wrong_byte_is_refused_at_most(at: int, byte: int) -> None:
    line = bytearray(frame())
    line[at : at + 1] = bytes([byte])
    refusal = refused(bytes(line))
    assert refusal is None or refusal.code == "bad_frame"


@given(readable.filter(bool), ids, st.dictionaries(readable, small, max_size=4))
def test_requests_round_trip(verb: str, id: int, args: dict[str, object]) -> None:
    asked = Request(verb, id, args)
    line = encode_request(asked)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert len(line) <= LONGEST
    assert decode_request(line) == asked


@pytest.mark.parametrize(
    ("line", "says", "id"),
    [
        (b"", "no JSON", None),
        (b"\xff", "no JSON", None),
        (b"[1]", "a JSON object", None),
        (frame(schema="choreia.inspect/2"), "'choreia.inspect/2': this is choreia.inspect/1", 1),
        (frame(schema="none"), "None", 1),
        (frame(more=1), "a request has no more", 1),
        (frame(id="none"), "id: give a whole number", None),
        (frame(id=True), "id: give a whole number", None),
        (frame(id=1.0), "id: give a whole number", None),
        (frame(id=-1), "id: give a whole number", None),
        (frame(id=2**53), "id: give a whole number", None),
        (frame(id=2**80), "id: give a whole number", None),
        (frame(verb="none"), "verb: give a word", 1),
        (frame(verb=""), "verb: give a word", 1),
        (frame(verb=["x"]), "verb: give a word", 1),
        (frame(args=[]), "args: give a JSON object", 1),
        (frame(args=None), "args: give a JSON object", 1),
    ],
)
def test_what_is_wrong_is_said(line: bytes, says: str, id: int | None) -> None:
    refusal = refused(line)
    assert refusal is not None
    assert says in str(refusal)
    assert (refusal.code, refusal.id) == ("bad_frame", id)


@pytest.mark.parametrize("key", ["schema", "id", "verb", "args"])
@pytest.mark.parametrize("deep", [b"[" * 900 + b"]" * 900, b'{"a":' * 600 + b"1" + b"}" * 600])
def test_what_is_nested_deeply_is_refused_like_anything_else(key: str, deep: bytes) -> None:
    line = frame(**{key: "HERE"}).replace(b'"HERE"', deep)
    assert len(line) <= LONGEST
    refusal = refused(line)
    assert refusal is None or len(str(refusal)) < 200


def test_args_may_be_left_out() -> None:
    assert decode_request(frame(args="none")) == Request("hello", 1, {})


def test_the_length_is_with_the_line_end() -> None:
    room = LONGEST - len(encode_request(Request("echo", 1, {"text": ""})))
    assert len(encode_request(Request("echo", 1, {"text": "x" * room}))) == LONGEST
    with pytest.raises(Refusal, match=r"4,097 bytes long, and may be 4,096") as long:
        encode_request(Request("echo", 1, {"text": "x" * (room + 1)}))
    assert long.value.code == "bad_argument"


@pytest.mark.parametrize("value", ["\ud800", object(), 2**80, {1: 2}])
def test_what_is_no_json_is_not_asked(value: object) -> None:
    with pytest.raises(Refusal) as strange:
        encode_request(Request("echo\x1b", 1, {"value": value}))
    assert strange.value.code == "bad_argument"
    assert str(strange.value).startswith("echo: ")


# -- replies ---------------------------------------------------------------------------------------


@given(ids | st.none(), readable, st.dictionaries(readable, small, max_size=4), st.integers(0, 99))
def test_replies_round_trip(
    id: int | None, verb: str, data: dict[str, object], dropped: int
) -> None:
    said = Reply(id, verb, True, data, dropped=dropped)
    line = encode_reply(said)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode_reply(line) == said


@given(ids, st.sampled_from(sorted(CODES)), st.text(st.characters()))
def test_problems_round_trip(id: int, code: str, message: str) -> None:
    said = decode_reply(encode_reply(Reply(id, "x", False, error=Problem(code, message))))
    assert said.error is not None
    assert said.error.code == code
    assert said.error.message == message.encode("utf-8", "replace").decode()
    assert (said.id, said.ok, said.data) == (id, False, {})


@given(st.dictionaries(st.text(st.characters()), anything, max_size=4))
def test_any_answer_can_be_told(data: dict[str, object]) -> None:
    line = encode_reply(Reply(1, "x", True, data))
    orjson.loads(line)  # strict JSON
    assert line.count(b"\n") == 1
    assert decode_reply(line).ok


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (float("nan"), None),
        (float("inf"), None),
        ("a\ud800b", "a?b"),
        (2**64 - 1, 2**64 - 1),
        (2**64, str(2**64)),
        (-(2**63) - 1, str(-(2**63) - 1)),
        (b"x", "b'x'"),
        ({1: True}, {"1": True}),
        (({"\ud800"},), ["{'\\ud800'}"]),
    ],
)
def test_what_is_no_json_is_made_so(value: object, told: object) -> None:
    assert decode_reply(encode_reply(Reply(1, "x", True, {"value": value}))).data["value"] == told


def test_a_number_that_python_does_not_write_in_base_ten_is_told_in_base_sixteen() -> None:
    huge = 10**5_000
    told = decode_reply(encode_reply(Reply(1, "x", True, {"value": huge}))).data["value"]
    assert told == hex(huge)


@pytest.mark.parametrize("levels", [90, 110, 300, 5_000])
def test_what_is_too_deep_is_cut(levels: int) -> None:
    value: object = 2**70
    for _ in range(levels):
        value = [value]
    told = decode_reply(encode_reply(Reply(1, "x", True, {"value": value}))).data["value"]
    depth = 0
    while isinstance(told, list):
        told, depth = told[0], depth + 1
    assert (told, depth) == ((str(2**70), levels) if levels < 95 else ("…", 98))


@given(st.binary(max_size=200))
def test_what_is_no_reply_is_a_value_error(line: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # json's, unicode's, or ours
        decode_reply(line)


@pytest.mark.parametrize(
    "said",
    [
        {"id": "x", "verb": None, "ok": 1, "data": [], "error": 7, "dropped": "many"},
        {},
        {"error": {}},
    ],
)
def test_a_reply_of_another_make_is_read_as_far_as_it_goes(said: dict[str, object]) -> None:
    reply = decode_reply(json.dumps({"schema": SCHEMA, **said}).encode())
    assert (reply.id, reply.ok, reply.data, reply.dropped) == (None, False, {}, 0)
