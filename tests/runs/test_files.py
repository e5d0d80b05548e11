"""Atomic writes, with a writer that is really killed and a disk that is really full."""

import errno
import os
import signal
import subprocess
import sys

import pytest

from embodied.runs.errors import explain_os_error
from embodied.runs.files import write_atomically

WRITER = """
import sys
from pathlib import Path
from embodied.runs.files import write_atomically
path, contents = Path(sys.argv[1]), [letter * 300_000 for letter in "abc"]
write_atomically(path, contents[0])
print("ready", flush=True)
for turn in range(10**9):
    write_atomically(path, contents[turn % 3])
"""


def test_a_file_is_whole_whenever_its_writer_is_killed(tmp_path):
    path = tmp_path / "file"
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout.readline() == "ready\n"
        seen = [path.read_text() for _ in range(30)]
        writer.send_signal(signal.SIGKILL)
    seen.append(path.read_text())
    assert all(len(text) == 300_000 and len(set(text)) == 1 for text in seen)
    write_atomically(path, "after")
    assert path.read_text() == "after"


def test_text_and_bytes_are_written_as_they_are(tmp_path):
    write_atomically(tmp_path / "text", "m/s²\n")
    write_atomically(tmp_path / "bytes", b"\x00\xff")
    assert (tmp_path / "text").read_bytes() == "m/s²\n".encode()
    assert (tmp_path / "bytes").read_bytes() == b"\x00\xff"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bytes", "text"]


@pytest.mark.parametrize("failing", ["fsync", "rename"])
def test_a_write_that_fails_leaves_the_old_content_and_nothing_else(tmp_path, monkeypatch, failing):
    path = tmp_path / "file"
    write_atomically(path, "old")

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    if failing == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(type(path), "replace", full)
    with pytest.raises(OSError):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_full_disk_and_a_missing_permission_are_told_apart():
    with pytest.raises(OSError) as full, open("/dev/full", "w", buffering=1) as file:
        file.write("x\n")
    assert "no space left" in explain_os_error(full.value)
    assert "--resume" in explain_os_error(full.value)
    for code in (errno.EACCES, errno.EPERM, errno.EROFS):
        sentence = explain_os_error(OSError(code, os.strerror(code), "/some/where"))
        assert "permission" in sentence
        assert "/some/where" in sentence
        assert "--out" in sentence
    assert "Input/output" in explain_os_error(OSError(errno.EIO, os.strerror(errno.EIO)))
