"""The JSON of motion_imitation: a dog's or an artist's motion on the quadruped Laikago, 19 numbers a frame.

Position (m), quaternion x, y, z, w, and abduction, hip, knee of the legs FR, FL, RR, RL. The robot's model there lies
on its side where it is not turned: the quaternion holds that rotation, by whose inverse it is multiplied here from the
right. Its joints have other zeros and senses than the manufacturer's, which a clip has: abduction about x, hip and knee
about y, straight down at 0 (Peng and others, "Learning Agile Robotic Locomotion Skills by Imitating Animals", 2020,
and its code).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from embodied.motion.clip import MotionClip, MotionError
from embodied.motion.formats.loops import EndsApart, closed
from embodied.motion.formats.reading import Told, frame_rate_of, frames_of, json_object
from embodied.motion.quaternions import conjugate, from_xyzw, multiply
from embodied.motion.velocities import Cycle

NAME = "motion_imitation"
ROBOT = "laikago"
JOINTS = tuple(f"{leg}_{part}_joint" for leg in ("FR", "FL", "RR", "RL") for part in ("hip", "thigh", "calf"))
INITIAL = from_xyzw((0.5, 0.5, 0.5, 0.5))
"""The rotation that stands the model on its feet."""
OFFSETS = np.tile((0.0, -0.6, 0.66), 4)
"""rad: what the file has where the manufacturer's joints are at 0."""
SENSES = np.array((-1.0, 1.0, 1.0, 1.0, 1.0, 1.0, -1.0, 1.0, 1.0, 1.0, 1.0, 1.0))
"""Abduction on the right turns the other way round."""
LICENCE, OF_DOGS = "Apache-2.0", "CC BY-NC 4.0 (AI4Animation)"
"""The artist's clips are their authors' own; those of dogs were made from motion capture of others."""


def recognises(head: bytes, path: Path) -> bool:
    """Whether a file that begins like this is one of these."""
    if not (head.lstrip().startswith(b"{") and b'"LoopMode"' in head and b'"LegOrder"' not in head):
        return False
    return columns_of(head) == 19


def columns_of(head: bytes) -> int:
    """How many numbers the first frame has, in a file of this format or of AMP's, which looks alike."""
    _, _, frames = head.partition(b'"Frames"')
    _, _, first = frames.partition(b"[")
    _, _, first = first.partition(b"[")
    row, end, _ = first.partition(b"]")
    return row.count(b",") + 1 if end else 0


def read(path: Path, told: Told) -> list[MotionClip]:
    """The one clip of a file.

    Raises:
        MotionError: it is damaged, of another robot, or of another format.
    """
    data = json_object(path)
    robot = told.robot_of(path, ROBOT)
    frames = frames_of(path, data, 19)
    pos, joints = frames[:, :3], (frames[:, 7:] - OFFSETS) * SENSES
    quat = multiply(from_xyzw(frames[:, 3:7]), conjugate(INITIAL))
    licence = OF_DOGS if path.stem.startswith("dog") else LICENCE
    return [from_looped_file(path, told, data, robot, pos, quat, JOINTS, joints, licence)]


def from_looped_file(
    path: Path,
    told: Told,
    data: dict,
    robot: str,
    pos: np.ndarray,
    quat: np.ndarray,
    names: tuple[str, ...],
    joints: np.ndarray,
    licence: str,
) -> MotionClip:
    """A clip from poses whose file says by ``LoopMode`` and ``EnableCycleOffset…`` how it goes on."""
    mode = data.get("LoopMode", "Clamp")
    if mode not in ("Wrap", "Clamp"):
        raise MotionError(f"{path} has the LoopMode {mode!r}, where Wrap or Clamp was expected")
    travels, turns = (data.get(f"EnableCycleOffset{what}", False) is True for what in ("Position", "Rotation"))
    cycle: Cycle | None = None
    notes: list[str] = []
    if mode == "Wrap":
        try:
            pos, quat, joints, cycle, notes = closed(pos, quat, joints, travels, turns)
        except EndsApart as reason:
            notes = [f"The file loops it, but {reason}: it plays once."]
    return MotionClip.from_poses(
        path.stem,
        robot,
        told.rate_of(path, frame_rate_of(path, data)),
        pos,
        quat,
        names,
        joints,
        loop=cycle is not None,
        cycle=cycle,
        licence=told.licence or licence,
        source=path.name,
        notes=notes,
    )
