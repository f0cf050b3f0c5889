"""Typing."""

from __future__ import annotations

from choreia.console.model.face import Face
from choreia.console.model.prompt import LONGEST, Prompt


def typed(*keys: str, text: str = "") -> tuple[Prompt, list[str], bool]:
    done: list[str] = []
    prompt = Prompt("/", text, done.append)
    goes_on = [prompt.press(key) for key in keys]
    return prompt, done, goes_on[-1]


def test_enter_hands_over_what_was_typed() -> None:
    assert typed("a", "j", " ", "é", "enter")[1:] == (["aj é"], False)


def test_esc_hands_over_nothing() -> None:
    assert typed("a", "esc")[1:] == ([], False)


def test_it_is_corrected() -> None:
    assert typed("a", "b", "backspace")[0].text == "a"
    assert typed("backspace")[0].text == ""
    assert typed("ctrl-u", "c", text="ab")[0].text == "c"
    assert typed("up", "tab", "\x07", text="ab")[0].text == "ab"


def test_there_is_an_end_to_it() -> None:
    assert len(typed(*"x" * (LONGEST + 10))[0].text) == LONGEST


def test_of_what_is_too_long_the_end_is_seen() -> None:
    prompt = typed("z", text="界" * 50)[0]
    shown = "".join(span.text for span in prompt.line(Face(ascii=False).clean, 11))
    assert shown == "/界界界界z_"
