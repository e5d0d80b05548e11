"""The CSV of mjlab: position (m), quaternion x, y, z, w, and the robot's joints in its own order (rad).

There is no heading line. Neither robot nor rate is in the file; both are told.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from embodied.motion.clip import MotionClip, MotionError
from embodied.motion.formats.reading import LARGEST, Told, matrix
from embodied.motion.quaternions import from_xyzw, to_xyzw
from embodied.motion.skeleton import skeleton_of
from embodied.runs.files import write_atomically

NAME = "mjlab"
SUFFIX = ".csv"


def recognises(head: bytes, path: Path) -> bool:
    """Whether a file that begins like this is one of these: a line of eight numbers or more, parted by commas."""
    first = head.splitlines()[0] if head.splitlines() else b""
    try:
        return len([float(cell) for cell in first.split(b",")]) >= 8
    except ValueError:
        return False


def read(path: Path, told: Told) -> list[MotionClip]:
    """The one clip of a file.

    Raises:
        MotionError: it is damaged, of another robot, or robot or rate are not told.
    """
    if told.robot is None:
        raise MotionError(f"{path} does not say which robot it is of; give --robot")
    skeleton = skeleton_of(told.robot)
    rate = told.rate_of(path, None)
    if path.stat().st_size > LARGEST:
        raise MotionError(f"{path} is larger than {LARGEST:,} bytes")
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [[float(cell) for cell in row] for row in csv.reader(file) if row]
    except (ValueError, csv.Error) as error:
        raise MotionError(f"{path} is damaged: {error}") from None
    joints = len(skeleton.joint_names)
    if rows and len(rows[0]) != 7 + joints:
        raise MotionError(
            f"{path} has {len(rows[0])} columns; one of {told.robot} has 7 for the root, {joints} for its joints"
        )
    frames = matrix(path, rows, 7 + joints)
    return [
        MotionClip.from_poses(
            path.stem,
            skeleton.name,
            rate,
            frames[:, :3],
            from_xyzw(frames[:, 3:7]),
            skeleton.joint_names,
            frames[:, 7:],
            licence=told.licence or "unknown",
            source=path.name,
        )
    ]


def write(path: Path, clip: MotionClip) -> None:
    """Writes poses exactly; rate, velocities, contacts and loops are not part of the format."""
    frames = np.concatenate((clip.root_pos, to_xyzw(clip.root_quat), clip.joint_pos), axis=1)
    lines = [",".join(map(repr, row)) for row in frames.tolist()]
    write_atomically(path, "\n".join(lines) + "\n")
