"""Artefacts appear whole or not at all."""

import errno
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ctmri_core import files
from ctmri_core.errors import FileRefused, WriteFailed
from ctmri_core.files import atomic_file, atomic_folder, write_bytes, write_text
from ctmri_core.resources_folder import resources_folder


def test_text_and_bytes_arrive(tmp_path):
    write_text(tmp_path / "new" / "a.txt", "äöü\n")
    write_bytes(tmp_path / "b.bin", b"\x00\x01")
    assert (tmp_path / "new" / "a.txt").read_bytes() == "äöü\n".encode()
    assert (tmp_path / "b.bin").read_bytes() == b"\x00\x01"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.bin", "new"]


def test_the_temporary_file_keeps_the_suffixes(tmp_path):
    with atomic_file(tmp_path / "scan.nii.gz") as temporary:
        assert temporary.suffixes[-2:] == [".nii", ".gz"]
        assert temporary.parent == tmp_path
        temporary.write_bytes(b"x")
    assert (tmp_path / "scan.nii.gz").read_bytes() == b"x"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_a_private_file_is_its_owners_alone_from_the_first_byte_on(tmp_path):
    with atomic_file(tmp_path / "a.npy", private=True) as temporary:
        assert temporary.stat().st_mode & 0o777 == 0o600
        temporary.write_bytes(b"x")
    write_bytes(tmp_path / "b.json", b"{}", private=True)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_the_old_file_survives_a_failure(tmp_path):
    target = tmp_path / "a.txt"
    write_text(target, "old")
    with pytest.raises(ZeroDivisionError), atomic_file(target) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "not permitted"),
        (errno.EIO, "reports an error"),
        (errno.ENXIO, os.strerror(errno.ENXIO)),
    ],
)
def test_a_disk_that_refuses_is_named_without_its_folder(tmp_path, monkeypatch, number, words):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files.os, "fsync", refuse)
    with pytest.raises(WriteFailed, match=words) as caught:
        write_text(tmp_path / "secret place" / "a.txt", "x")
    assert "secret place" not in str(caught.value)
    assert str(caught.value).startswith("a.txt")
    assert not list(tmp_path.iterdir())  # nor the folder that was made for it


def test_a_file_in_the_way_of_the_folder_is_reported(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteFailed, match=r"a\.txt could not be written"):
        write_text(tmp_path / "file" / "a.txt", "x")


def test_nothing_written_is_a_failure(tmp_path):
    with pytest.raises(WriteFailed), atomic_file(tmp_path / "a.txt"):
        pass
    assert not list(tmp_path.iterdir())


def test_folders_appear_whole(tmp_path):
    target = tmp_path / "series"
    target.mkdir()
    with atomic_folder(target) as temporary:
        (temporary / "deep").mkdir()
        (temporary / "deep" / "1.dcm").write_bytes(b"1")
        assert not list(target.iterdir())
    assert (target / "deep" / "1.dcm").read_bytes() == b"1"
    with pytest.raises(WriteFailed, match="not empty"), atomic_folder(target):
        pass
    with pytest.raises(ZeroDivisionError), atomic_folder(tmp_path / "other") as temporary:
        (temporary / "1.dcm").write_bytes(b"1")
        raise ZeroDivisionError
    assert [p.name for p in tmp_path.iterdir()] == ["series"]


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is a POSIX signal")
def test_a_killed_writer_leaves_the_old_or_the_new_content(tmp_path):
    target = tmp_path / "a.bin"
    write_bytes(target, b"0" * 4_000_000)
    code = (
        "import sys; from ctmri_core.files import write_bytes\n"
        "while True:\n"
        "    for digit in b'123456789': write_bytes(sys.argv[1], bytes([digit]) * 4_000_000)"
    )
    for delay in (0.0, 0.013, 0.031):
        before = target.read_bytes()
        writer = subprocess.Popen([sys.executable, "-c", code, str(target)])
        while target.read_bytes() == before:
            time.sleep(0.002)
        time.sleep(delay)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        content = target.read_bytes()
        assert len(content) == 4_000_000
        assert len(set(content)) == 1


def test_refusals_name_the_file_only_and_travel_between_processes(tmp_path):
    refusal = FileRefused(tmp_path / "a.dcm", "PixelSpacing is 0.", "Export the series again.")
    assert str(refusal) == "a.dcm: PixelSpacing is 0. Export the series again."
    again = pickle.loads(pickle.dumps(refusal))  # noqa: S301  # our own bytes
    assert (str(again), again.path) == (str(refusal), Path(tmp_path / "a.dcm"))


def test_resources_are_found():
    assert resources_folder().name == "resources"


def test_what_a_dead_writer_left_goes_with_the_next_writing_and_that_of_a_living_one_stays(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    living = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with atomic_file(tmp_path / "b.txt") as temporary:
        temporary.touch()
        here = temporary.name.removesuffix(".txt").rsplit("-", 2)[0]
    (tmp_path / "b.txt").unlink()
    stale = tmp_path / f"{here}-{dead.pid}-0123abcd.nii.gz"
    stale.write_bytes(b"half")
    folder = tmp_path / f"{here}-{dead.pid}-89abcdef"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "1.dcm").write_bytes(b"1")
    kept = [tmp_path / f"{here}-{pid}-0123abcd.nii" for pid in (living.pid, os.getpid())]
    kept += [tmp_path / ".part-mine", tmp_path / f"x{here}-{dead.pid}-0123abcd"]
    kept += [tmp_path / f".part-00000000-{dead.pid}-0123abcd.nii"]  # of another machine, where that number may be alive
    for path in kept:
        path.write_bytes(b"not to be touched")
    write_text(tmp_path / "a.txt", "x")
    assert sorted(tmp_path.iterdir()) == sorted([*kept, tmp_path / "a.txt"])
    living.communicate(b"\n")


def test_temporary_names_tell_nothing(tmp_path):
    with atomic_file(tmp_path / "Doe Jane.nii.gz") as temporary, atomic_folder(tmp_path / "Doe") as folder:
        temporary.write_bytes(b"x")
        assert "Doe" not in temporary.name + folder.name
        assert temporary.name.startswith(".") and folder.name.startswith(".")


def test_a_name_that_is_taken_meanwhile_is_not_overwritten_by_a_folder(tmp_path):
    for make in (lambda path: path.write_text("mine"), lambda path: (path / "mine").mkdir(parents=True)):
        target = tmp_path / make.__code__.co_names[0]
        with pytest.raises(WriteFailed), atomic_folder(target) as temporary:
            (temporary / "1.dcm").write_bytes(b"1")
            make(target)
        assert target.is_file() or (target / "mine").is_dir()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
