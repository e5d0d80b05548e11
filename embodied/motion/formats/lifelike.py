"""The JSON of lifelike-agility-and-play: a Labrador's motion on the quadruped MAX, 19 numbers a frame.

Position (m), quaternion x, y, z, w, and abduction, hip, knee of each leg (rad) in the order that ``LegOrder``
says, H for hind. Angles are in MAX's own sense. Nothing is looped.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from embodied.motion.clip import MotionClip, MotionError
from embodied.motion.formats.reading import Told, frame_rate_of, frames_of, json_object
from embodied.motion.quaternions import from_xyzw, to_xyzw
from embodied.runs.files import write_atomically

NAME = "lifelike"
SUFFIX = ".txt"
ROBOT = "max"
LEGS = ("FR", "FL", "HR", "HL")
PARTS = ("hip", "thigh", "calf")
LICENCE = "research purposes only (Tencent Robotics X)"


def recognises(head: bytes, path: Path) -> bool:
    """Whether a file that begins like this is one of these."""
    return head.lstrip().startswith(b"{") and b'"LegOrder"' in head


def read(path: Path, told: Told) -> list[MotionClip]:
    """The one clip of a file.

    Raises:
        MotionError: it is damaged, of another robot, or of another format.
    """
    data = json_object(path)
    robot = told.robot_of(path, ROBOT)
    order = data.get("LegOrder")
    if not isinstance(order, list) or sorted(map(str, order)) != sorted(LEGS):
        raise MotionError(f"{path} has the LegOrder {order!r}, where {', '.join(LEGS)} in some order were expected")
    frames = frames_of(path, data, 19)
    columns = [7 + 3 * order.index(leg) + part for leg in LEGS for part in range(3)]
    return [
        MotionClip.from_poses(
            path.stem,
            robot,
            told.rate_of(path, frame_rate_of(path, data)),
            frames[:, :3],
            from_xyzw(frames[:, 3:7]),
            tuple(f"{leg.replace('H', 'R', 1)}_{part}_joint" for leg in LEGS for part in PARTS),
            frames[:, columns],
            licence=told.licence or LICENCE,
            source=path.name,
        )
    ]


def write(path: Path, clip: MotionClip) -> None:
    """Writes poses and rate exactly; velocities and contacts are not part of the format.

    Raises:
        MotionError: it is a clip of another robot, or one that is looped, which the format cannot say.
    """
    if clip.robot != ROBOT or clip.loop:
        what = "looped" if clip.loop else f"of {clip.robot}"
        raise MotionError(f"motion clip {clip.name!r} is {what}; files of {NAME} are of {ROBOT} and not looped")
    frames = np.concatenate((clip.root_pos, to_xyzw(clip.root_quat), clip.joint_pos), axis=1)
    rate = {"FrameDuration": 1.0 / clip.frame_rate, "FrameRate": clip.frame_rate}
    content = {**rate, "LegOrder": list(LEGS), "Frames": frames.tolist()}
    write_atomically(path, json.dumps(content))
