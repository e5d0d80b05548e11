"""The lock, held by a process that lives and by one that was killed."""

import os
import signal
import subprocess
import sys

import pytest

from embodied.runs.errors import UserError
from embodied.runs.lock import RunLock

HOLDER = """
import sys
from pathlib import Path
from embodied.runs.lock import RunLock
lock = RunLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_process_is_told_the_pid_of_the_living_one(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        for _ in range(2):
            with pytest.raises(UserError, match=rf"{tmp_path}.*living process {holder.pid}\b"):
                RunLock(tmp_path)
        holder.send_signal(signal.SIGKILL)
    # The dead one's pid still stands in the file; the operating system let go of the lock itself.
    assert (tmp_path / ".lock").read_text() == str(holder.pid)
    lock = RunLock(tmp_path)
    assert (tmp_path / ".lock").read_text() == str(os.getpid())
    lock.release()


def test_a_released_lock_can_be_taken_again(tmp_path):
    lock = RunLock(tmp_path)
    with pytest.raises(UserError, match=str(os.getpid())):
        RunLock(tmp_path)
    lock.release()
    RunLock(tmp_path).release()


def test_a_worker_that_outlives_its_driver_does_not_hold_the_lock(tmp_path):
    lock = RunLock(tmp_path)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as worker:
        lock.release()
        RunLock(tmp_path).release()
        worker.stdin.close()
