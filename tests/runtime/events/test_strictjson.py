"""JSON as a receiver should read it."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreia.runtime.errors import DecodeError
from choreia.runtime.events.limits import Limits
from choreia.runtime.events.strictjson import first_large_int, parse

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
)


@given(st.dictionaries(TEXTS, JSON, max_size=5), st.booleans())
def test_honest_json_is_read_as_everybody_reads_it(document: dict[str, Any], ascii: bool) -> None:
    text = json.dumps(document, ensure_ascii=ascii)
    assert parse(text) == parse(text.encode()) == document


FAULTS: list[tuple[str | bytes, str, str]] = [
    ('{"a":1,"a":1}', "a", "twice"),
    ('{"a":{"b":[0,{"c":1,"d":2,"c":3}]}}', "a.b[1].c", "twice"),
    ('{"a":1,"\\u0061":2}', "a", "twice"),
    ('{"a b":1,"a b":2}', "['a b']", "twice"),
    ('{"a":{"x":1,"x":2},"a":3}', "a", "twice"),
    ('{"a":[1,NaN]}', "a[1]", "NaN is not JSON"),
    ('{"a":Infinity}', "a", "Infinity is not JSON"),
    ('{"a":{"b":-Infinity}}', "a.b", "-Infinity is not JSON"),
    ("NaN", "", "NaN"),
    ('{"a":9007199254740993}', "a", "2**53"),
    ('{"a":[-9007199254740993]}', "a[0]", "2**53"),
    ('{"a":' + "9" * 100_000 + "}", "a", "2**53"),
    ('{"a":[1,NaN],"b":{"c":1,"c":2}}', "a[1]", "NaN"),
    ("", "", "not JSON"),
    ("{", "", "not JSON"),
    ('{"a":1}}', "", "not JSON"),
    ("{'a':1}", "", "not JSON"),
    ('{"a":01}', "", "not JSON"),
    ('{"a":"\n"}', "", "not JSON"),
    ('{"a":1,"a":2', "", "not JSON"),
    ('\ufeff{"a":1}', "", "not JSON"),
    (b"\xff\xfe{\x00}\x00", "", "not UTF-8"),
    (b'{"a":"\xed\xa0\x80"}', "", "not UTF-8"),
    (b'{"a":"\xc0\xaf"}', "", "not UTF-8"),
    ("[]", "", "not an object"),
    ('"text"', "", "not an object"),
    ("null", "", "not an object"),
    ("[" * 100_000, "", "too deep"),
    ('{"a":' * 100_000, "", "too deep"),
    ("[" * 100_000 + "]" * 100_000, "", "too deep"),
]


@pytest.mark.parametrize(
    ("text", "path", "problem"), FAULTS, ids=[str(place) for place in range(len(FAULTS))]
)
def test_a_fault_is_refused_with_its_path(text: str | bytes, path: str, problem: str) -> None:
    forms: list[str | bytes] = [text]
    if isinstance(text, str):
        forms.append(text.encode())
    for form in forms:
        with pytest.raises(DecodeError) as caught:
            parse(form)
        assert caught.value.path == path
        assert problem in str(caught.value)
        assert len(str(caught.value)) < 300


@pytest.mark.parametrize("data", [None, 5, ["{}"], {}, object()], ids=type)
def test_only_text_and_bytes_are_read(data: Any) -> None:
    with pytest.raises(DecodeError, match="bytes or str"):
        parse(data)


def test_a_bytearray_will_do() -> None:
    assert parse(bytearray(b'{"a":1}')) == {"a": 1}  # type: ignore[arg-type]


def test_size_is_limited_before_anything_is_read() -> None:
    limits = Limits(payload_bytes=2)
    assert parse("{}" + " " * (limits.wire_bytes - 2), limits) == {}
    with pytest.raises(DecodeError, match="too large"):
        parse("{}" + " " * (limits.wire_bytes - 1), limits)


def test_the_greatest_integers_pass() -> None:
    assert parse('{"a":[9007199254740992,-9007199254740992,-0]}') == {"a": [2**53, -(2**53), 0]}


def test_a_fault_far_inside_a_large_document_is_found_cheaply() -> None:
    # Each of these takes minutes, or all memory, when done the obvious way.
    deep = '{"a":' * 500 + "[" + "0," * 100_000 + "NaN]" + "}" * 500
    with pytest.raises(DecodeError, match="NaN") as caught:
        parse(deep)
    assert caught.value.path.endswith(".a[100000]")
    wide = "{" + ",".join(f'"{key}":0' for key in range(200_000)) + ',"0":1}'
    with pytest.raises(DecodeError, match="twice"):
        parse(wide)


@given(st.binary(max_size=60) | st.text(st.characters(), max_size=60))
def test_nothing_but_a_decode_error_comes_out(data: bytes | str) -> None:
    with suppress(DecodeError):
        assert isinstance(parse(data), dict)


def test_large_integers_are_found_where_they_stand() -> None:
    assert first_large_int({"a": [1, 2**53, -(2**53), 1e300, True, "9" * 99]}) is None
    assert first_large_int({"a": [1, {"b": 2**53 + 1}]}) == "a[1].b"
    assert first_large_int({"a": ("x", -(2**53) - 1)}) == "a[1]"
