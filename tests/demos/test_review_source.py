"""Finding files: in order, without being led astray, and saying what was passed over."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from choreia import DemoError
from choreia.demos.review.source import (
    MAX_BYTES,
    Skipped,
    SourceFile,
    check_root,
    discover,
    locate,
)


def write(root: Path, *paths: str, text: str = "x = 1\n") -> None:
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def found(root: Path, limit: int | None = None) -> list[str]:
    return [item.path for item in discover(root, limit) if isinstance(item, SourceFile)]


def skipped(root: Path) -> dict[str, str]:
    return {item.path: item.reason for item in discover(root) if isinstance(item, Skipped)}


def test_files_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    write(tmp_path, "b.py", "a/z.py", "a/c/d.py", "a/b.pyw", "c.txt", "no-suffix")
    assert found(tmp_path) == ["b.py", "a/b.pyw", "a/z.py", "a/c/d.py"]
    assert list(discover(tmp_path)) == list(discover(tmp_path))
    assert next(discover(tmp_path)) == SourceFile("b.py", 6)


def test_caches_and_hidden_folders_are_passed_over_in_silence(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "__pycache__/a.py", ".git/hook.py", "x/node_modules/y.py")
    assert list(discover(tmp_path)) == [SourceFile("a.py", 6)]


def test_installed_packages_are_passed_over_unless_they_are_named(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "site-packages/b.py")
    assert found(tmp_path) == ["a.py"]
    assert "name it" in skipped(tmp_path)["site-packages"]
    assert found(tmp_path / "site-packages") == ["b.py"]


def test_links_are_not_followed(tmp_path: Path) -> None:
    write(tmp_path, "a/b.py")
    (tmp_path / "a/loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "twin.py").symlink_to(tmp_path / "a/b.py")
    (tmp_path / "dangling.py").symlink_to(tmp_path / "nowhere")
    (tmp_path / "notes").symlink_to(tmp_path / "nowhere")
    assert found(tmp_path) == ["a/b.py"]
    assert set(skipped(tmp_path)) == {"a/loop", "twin.py", "dangling.py"}


def test_a_huge_file_and_one_that_is_no_file_are_told_with_their_reason(tmp_path: Path) -> None:
    with (tmp_path / "huge.py").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with (tmp_path / "just.py").open("wb") as file:
        file.truncate(MAX_BYTES)
    os.mkfifo(tmp_path / "pipe.py")  # opening it would wait for ever
    assert found(tmp_path) == ["just.py"]
    assert skipped(tmp_path) == {
        "huge.py": "too large: 1,000,001 bytes, the limit is 1,000,000",
        "pipe.py": "not a regular file",
    }


def test_a_name_that_is_not_utf_8_cannot_travel_in_an_event(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.py")).touch()
    assert skipped(tmp_path) == {r"bad\xff.py": "its name is not UTF-8"}


def test_a_folder_that_cannot_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "a.py", "closed/b.py")
    scandir = os.scandir

    def refuse(path: Path) -> object:
        if path.name == "closed":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert found(tmp_path) == ["a.py"]
    assert skipped(tmp_path) == {"closed/": "cannot be read: Permission denied"}


def test_a_limit_counts_files_to_review(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "b.py", "c.py")
    assert found(tmp_path, limit=2) == ["a.py", "b.py"]
    assert found(tmp_path, limit=9) == ["a.py", "b.py", "c.py"]


def test_one_file_is_reviewed_whatever_it_is_called(tmp_path: Path) -> None:
    write(tmp_path, "script")
    root = check_root(tmp_path / "script")
    assert found(root) == ["script"]
    assert locate(root, "script") == root


def test_a_file_is_located_below_the_root(tmp_path: Path) -> None:
    write(tmp_path, "a/b.py")
    assert locate(tmp_path, "a/b.py").read_text() == "x = 1\n"


def test_a_place_that_cannot_be_reviewed_is_refused_clearly(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match=r"no file or folder .*nowhere"):
        check_root(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DemoError, match="neither a file nor a folder"):
        check_root(tmp_path / "pipe")
    (tmp_path / "self").symlink_to(tmp_path / "self")
    with pytest.raises(DemoError, match=r"cannot read .*self"):
        check_root(tmp_path / "self")
