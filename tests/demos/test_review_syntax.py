"""Parsing: a file is read, or it is said why not, and nothing else happens."""

from __future__ import annotations

import threading
import warnings
from pathlib import Path

import pytest

from choreia.demos.review.faults import find_faults
from choreia.demos.review.measure import measure
from choreia.demos.review.source import MAX_BYTES
from choreia.demos.review.syntax import UnreadableSource, parse, read


def test_a_file_is_read_as_python_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_bytes("# coding: latin-1\nx = 'ä'\n".encode("latin-1"))
    source = read(file)
    assert len(source.tree.body) == 1
    assert source.lines == (b"# coding: latin-1", b"x = '\xe4'")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"x = 1\ndef f(:\n", "line 2: invalid syntax"),
        (b"print 'text'", "line 1: Missing parentheses"),
        (b"# coding: nonsense\n", "nonsense"),
        (b"x = '\xff'", "utf-8"),
        (b"x = 1\0", "null bytes"),
        (b"\xff\xfex\x00", "utf-8|null|non-UTF-8"),
        (b"if x:\n" + b"".join(b" " * i + b"if x:\n" for i in range(1, 200)), "indentation"),
        (b"(" * 300, "nested parentheses"),
        (b"-" * 100_000 + b"1", "nested too deeply"),
        (b"x = " + b"+".join([b"1"] * 100_000), "nested too deeply"),
    ],
)
def test_what_cannot_be_parsed_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableSource, match=reason) as caught:
        parse(data)
    assert caught.value.reason == str(caught.value)
    assert "\n" not in caught.value.reason
    caught.value.reason.encode()


def test_a_file_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSource, match="No such file"):
        read(tmp_path / "gone.py")


def test_a_file_that_grew_since_it_was_found_is_not_read_whole(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    with file.open("wb") as stream:
        stream.truncate(MAX_BYTES + 1)
    with pytest.raises(UnreadableSource, match="larger than"):
        read(file)


def test_what_the_parser_warns_about_does_not_leak() -> None:
    before = list(warnings.filters)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        parse(rb"x = '\d' if y is 1 else 1or 2" + b"\nassert (x, 'text')")
    assert seen == []
    assert list(warnings.filters) == before


def test_parsing_in_threads_leaves_the_filters_as_they_were() -> None:
    before = list(warnings.filters)
    threads = [
        threading.Thread(target=lambda: [parse(rb"x = '\d'") for _ in range(50)]) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(warnings.filters) == before


def test_deep_trees_are_reviewed_in_a_thread_too() -> None:
    source = parse(b"x = " + b"+".join([b"1"] * 2000) + b"\ny == None")
    results: list[int] = []

    def review() -> None:
        measure(source)
        results.append(len(find_faults(source.tree)))

    thread = threading.Thread(target=review)
    thread.start()
    thread.join()
    assert results == [1]


@pytest.mark.parametrize(
    ("line", "mark"),
    [
        (b"except:  # noqa", "noqa"),
        (b"except:  # NOQA: E722", "noqa"),
        (b"x = eval(y)  # nosec", "nosec"),
        (b"x  # type: ignore[arg-type]", "type: ignore"),
        (b"except:  # deliberately everything", "deliberately"),
        (b"except:  # it is on purpose", "on purpose"),
        (b"except:", ""),
        (b"noqa = 1", ""),
        (b"x  # monoqan", ""),
    ],
)
def test_a_comment_may_ask_to_be_left_alone(line: bytes, mark: str) -> None:
    source = parse(b"x = 1")
    source = type(source)(source.tree, (b"x = 1", line))
    assert source.mark(2) == mark
    assert source.mark(0) == source.mark(1) == source.mark(3) == ""
