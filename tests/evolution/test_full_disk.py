"""A disk that fills up, for real: a small tmpfs in a namespace of its own."""

import subprocess
import sys

import pytest

from tests.evolution.ledger_check import check_ledger
from tests.evolution.test_kills import COMMAND

SCRIPT = """
mount -t tmpfs -o size={size}k tmpfs "$DISK" || exit 99
{command}
echo "status $?"
mount -o remount,size=64m tmpfs "$DISK"
{command}
echo "status $?"
cp -r "$DISK/run" "$KEPT"
"""


def namespaces_work():
    """Whether this machine lets an ordinary user mount within a namespace."""
    probe = ["unshare", "-rm", "sh", "-c", "mount -t tmpfs -o size=64k tmpfs /tmp"]
    try:
        return subprocess.run(probe, capture_output=True).returncode == 0
    except OSError:
        return False


@pytest.mark.skipif(not namespaces_work(), reason="this machine lets nobody mount within a namespace")
@pytest.mark.parametrize("size", [160, 500])
def test_a_full_disk_stops_the_run_cleanly_and_it_goes_on_when_there_is_space(tmp_path, size):
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    command = [*COMMAND, "--out", f"{disk}/run", "--resume", "--lifetimes", "3", "--steps", "2560", "--workers", "1"]
    quoted = " ".join(f"'{word}'" for word in command)
    path = "/usr/bin:/bin:/usr/sbin:/sbin"
    environment = {"DISK": str(disk), "KEPT": str(kept), "PATH": path, "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", SCRIPT.format(size=size, command=quoted)],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert [line for line in done.stdout.splitlines() if line.startswith("status")] == ["status 2", "status 0"], done
    assert "no space left" in done.stderr
    assert "--resume" in done.stderr
    assert "Traceback" not in done.stderr
    check_ledger(kept, 3)
