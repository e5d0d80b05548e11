"""A child process that meets a robot file first: it may crash, hang or run out of memory, and takes nobody along."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from morphologies.develop import Root
from morphologies.read.errors import RobotError
from morphologies.read.material import Material, gather
from morphologies.read.overrides import Overrides, overrides_from

TIME_LIMIT = 60.0
"""s. The largest robots known compile within ten."""
MEMORY_LIMIT = 4 << 30
"""Bytes of address space."""
FAILED = 3
"""Exit status of a child that found a reason to refuse the file."""


def gathered_in_child(
    path: Path,
    asset_root: Path | None,
    overrides: Overrides,
    root: Root | None,
    time_limit: float = TIME_LIMIT,
    memory_limit: int = MEMORY_LIMIT,
) -> Material:
    """Gathers and compiles the file in a child, and returns what it gathered: text and bytes that have compiled once.

    Raises:
        RobotError: the child's reason, or how the child ended.
    """
    request = {
        "path": str(path),
        "asset_root": None if asset_root is None else str(asset_root),
        "overrides": asdict(overrides),
        "root": root,
        "memory_limit": memory_limit,
        "time_limit": int(time_limit) + 1,
    }
    home = str(Path(__file__).resolve().parents[2])
    folders = [home, *(folder for folder in sys.path if folder)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(folders), "MUJOCO_GL": "disable"}
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "morphologies.read.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        start_new_session=True,
    )
    try:
        out, errors = process.communicate(json.dumps(request).encode(), timeout=time_limit)
    except subprocess.TimeoutExpired:
        raise RobotError(path, f"was not read within {time_limit:g} s; reading it was given up") from None
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    return _answer(path, process.returncode, out, errors.decode(errors="replace"))


def _answer(path: Path, status: int, out: bytes, errors: str) -> Material:
    if status == 0:
        try:
            return Material.from_bytes(out)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise RobotError(path, "made the process that read it answer nonsense") from None
    if status == FAILED:
        try:
            reason = json.loads(out)
            raise RobotError(Path(reason["path"]), reason["wrong"])
        except (json.JSONDecodeError, KeyError, TypeError):
            raise RobotError(path, "made the process that read it answer nonsense") from None
    last = next((line.strip() for line in reversed(errors.splitlines()) if line.strip()), "")
    said = f"; its last words: {last[:300]}" if last else ""
    if status < 0:
        try:
            how = f"was ended by {signal.Signals(-status).name}"
        except ValueError:
            how = f"was ended by signal {-status}"
    else:
        how = f"ended with status {status}"
    raise RobotError(path, f"crashed the process that read it, which {how}{said}")


def _limit(memory: int, seconds: int) -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    for kind, limit in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),  # it has no business writing files
    ):
        _, hard = resource.getrlimit(kind)
        soft = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        try:
            resource.setrlimit(kind, (soft, hard))
        except (ValueError, OSError):  # macOS refuses some
            continue


def main() -> None:
    """Answers one request on standard input."""
    request = json.load(sys.stdin)
    # What libraries print must not get between the bytes of the answer.
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _limit(request["memory_limit"], request["time_limit"])
    from morphologies.read.reading import understand

    path = Path(request["path"])
    try:
        asset_root = request["asset_root"]
        material = gather(path, None if asset_root is None else Path(asset_root))
        understand(material, path, overrides_from(request["overrides"]), request["root"])
    except RobotError as error:
        answer.write(json.dumps({"path": str(error.path), "wrong": error.wrong}).encode())
        answer.close()
        sys.exit(FAILED)
    except MemoryError:
        answer.write(json.dumps({"path": str(path), "wrong": "needs more memory than a robot should"}).encode())
        answer.close()
        sys.exit(FAILED)
    answer.write(material.to_bytes())
    answer.close()


if __name__ == "__main__":
    main()
