"""Files are written whole or not at all."""

import errno
import os
import stat
from pathlib import Path

import pytest

from geo import FileWriteError, atomic_path, write_text


def test_a_file_appears_whole(tmp_path):
    write_text(tmp_path / "new" / "a.json", "é")
    assert (tmp_path / "new" / "a.json").read_bytes() == "é".encode()
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["a.json"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def fail() -> None:
        with atomic_path(path) as temporary:
            temporary.write_text("half")
            raise ValueError

    with pytest.raises(ValueError):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_full_disk_is_one_clear_line(tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileWriteError, match=r"cannot write .*a\.txt: the disk is full") as caught:
        write_text(tmp_path / "a.txt", "x")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_of_the_folder_is_said(tmp_path):
    (tmp_path / "a").write_text("")
    with pytest.raises(FileWriteError, match=r"cannot write .*b\.txt"):
        write_text(tmp_path / "a" / "b.txt", "x")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS])
def test_a_place_that_takes_no_more_is_said_whoever_writes(tmp_path, code):
    def fill() -> None:
        with atomic_path(tmp_path / "a.txt") as temporary:
            temporary.write_text("half")
            raise OSError(code, os.strerror(code))  # as a library that writes says it: with no name

    with pytest.raises(FileWriteError, match=r"^cannot write [^\n]*a\.txt: the [^\n]*: [^\n]+$"):
        fill()
    assert list(tmp_path.iterdir()) == []


def test_what_fails_at_the_temporary_file_is_of_the_output(tmp_path):
    def write() -> None:
        with atomic_path(tmp_path / "a.txt") as temporary:
            temporary.mkdir()
            try:
                temporary.write_text("x")
            finally:
                temporary.rmdir()

    with pytest.raises(FileWriteError, match=r"a\.txt: a folder of that name is in the way"):
        write()


def test_an_input_that_cannot_be_read_is_not_blamed_on_the_output(tmp_path):
    absent = tmp_path / "input.csv"

    def copy() -> None:
        with atomic_path(tmp_path / "a.txt") as temporary:
            temporary.write_bytes(absent.read_bytes())

    with pytest.raises(FileNotFoundError) as caught:
        copy()
    assert caught.value.filename == str(absent)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [".", "..", "taken"])
def test_a_folder_in_the_way_is_said(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").mkdir()
    with pytest.raises(FileWriteError, match="cannot write"):
        write_text(Path(name), "x")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
    assert not [path for path in tmp_path.parent.iterdir() if path.name.endswith(".tmp")]


def test_a_pipe_or_a_link_to_a_device_is_not_replaced_by_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "null").symlink_to("/dev/null")
    for name in ("pipe", "null"):
        with pytest.raises(FileWriteError, match="is a device or a pipe, and no file"):
            write_text(tmp_path / name, "x")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert (tmp_path / "null").is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["null", "pipe"]


def test_a_link_to_a_file_and_one_to_nothing_are_written_as_before(tmp_path):
    (tmp_path / "there").write_text("old")
    (tmp_path / "good").symlink_to("there")
    (tmp_path / "dangling").symlink_to("nowhere")
    for name in ("good", "dangling"):
        write_text(tmp_path / name, "x")
        assert (tmp_path / name).read_text() == "x"
