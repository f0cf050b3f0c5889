"""Bytes become the names of keys, wherever they are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreia.console.terminal.keys import LONGEST, Decoder

SAID = [
    (b"j", ["j"]),
    (b"gG/", ["g", "G", "/"]),
    ("é€😀".encode(), ["é", "€", "😀"]),
    (b"\r", ["enter"]),
    (b"\n", ["enter"]),
    (b"\t", ["tab"]),
    (b"\x7f\x08", ["backspace", "backspace"]),
    (b"\x03\x15\x0c", ["ctrl-c", "ctrl-u", "ctrl-l"]),
    (b"\x00\x01\x1c\xc2\x85", []),
    (b"\x1b[A\x1b[B\x1b[C\x1b[D", ["up", "down", "right", "left"]),
    (b"\x1bOA\x1bOB\x1bOC\x1bOD", ["up", "down", "right", "left"]),
    (b"\x1b[H\x1b[F\x1bOH\x1bOF", ["home", "end", "home", "end"]),
    (b"\x1b[1~\x1b[4~\x1b[7~\x1b[8~", ["home", "end", "home", "end"]),
    (b"\x1b[5~\x1b[6~", ["pageup", "pagedown"]),
    (b"\x1b[1;5A\x1b[1;2B\x1b[5;5~", ["up", "down", "pageup"]),
    (b"\x1bOM", ["enter"]),
    (b"\x1bOP\x1b[15~\x1b[2~\x1b[Z\x1b[[A", []),
    (b"\x1b[?1;2c\x1b[<0;3;4M\x1b[>0;276;0c", []),
    (b"\x1b[200~quit\x1b[A now\x1b[201~j", ["j"]),
    (b"\x1bj", ["esc", "j"]),
    (b"\x1b\x1b[A", ["esc", "up"]),
    (b"\x1b\xc3\xa9", ["esc", "é"]),
    (b"a\xff\xc3b", ["a", "b"]),
    (b"\xc3\x1b[A\xa9", ["up"]),
]


@pytest.mark.parametrize(("said", "keys"), SAID)
def test_what_a_terminal_says(said: bytes, keys: list[str]) -> None:
    assert Decoder().feed(said) == keys


@pytest.mark.parametrize(("said", "keys"), SAID)
def test_pieces_may_end_anywhere(said: bytes, keys: list[str]) -> None:
    decoder = Decoder()
    assert [key for byte in said for key in decoder.feed(bytes([byte]))] == keys


@pytest.mark.parametrize(
    ("said", "at_once", "in_the_end"),
    [
        (b"\x1b", [], ["esc"]),
        (b"\x1b\x1b", ["esc"], ["esc"]),
        (b"\x1b[", [], ["esc", "["]),
        (b"\x1bO", [], ["esc", "O"]),
        (b"\x1b[1;", [], ["esc", "[", "1", ";"]),
        (b"\x1b[[", [], ["esc", "[", "["]),
    ],
)
def test_only_time_tells_the_esc_key(
    said: bytes, at_once: list[str], in_the_end: list[str]
) -> None:
    decoder = Decoder()
    assert decoder.feed(said) == at_once
    assert decoder.pending
    assert decoder.flush() == in_the_end
    assert not decoder.pending
    assert decoder.feed(b"j") == ["j"]


def test_a_paste_presses_nothing_however_it_comes() -> None:
    decoder = Decoder()
    assert decoder.feed(b"\x1b[200~q") == []
    assert not decoder.pending, "no key is waited for"
    assert decoder.flush() == []
    assert decoder.feed(b"q" * 10_000 + b"\x1b[20") == []
    assert decoder.feed(b"1~q") == ["q"]


def test_a_sequence_without_an_end_is_given_up() -> None:
    decoder = Decoder()
    keys = decoder.feed(b"\x1b[" + b"1" * LONGEST)
    assert keys[:3] == ["esc", "[", "1"]


@given(st.binary(max_size=200), st.integers(0, 200))
def test_any_bytes_are_taken_and_forgotten(said: bytes, at: int) -> None:
    decoder = Decoder()
    keys = [*decoder.feed(said[:at]), *decoder.feed(said[at:]), *decoder.flush()]
    assert all(key.isprintable() for key in keys)
    assert not decoder.pending
