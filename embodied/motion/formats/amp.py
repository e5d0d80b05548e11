"""The JSON of AMP_for_hardware: motion of a quadruped that the file does not name, 61 numbers a frame.

Position (m), quaternion x, y, z, w, 12 joints (rad), 4 feet seen from the root (m), velocities of the root in its own
frame (m/s, rad/s), of the joints (rad/s) and of the feet (m/s); legs in the order FR, FL, RR, RL (Escontrela and
others, "Adversarial Motion Priors Make Good Substitutes for Complex Reward Functions", 2022, and its code). Velocities
are computed anew; where the feet are tells whether the motion is of the robot that it is said to be of.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from embodied.motion.clip import MotionClip, MotionError
from embodied.motion.formats.motion_imitation import columns_of, from_looped_file
from embodied.motion.formats.reading import Told, frames_of, json_object
from embodied.motion.legs import LEGS, joints_by_leg, legs_of
from embodied.motion.quaternions import from_xyzw
from embodied.motion.skeleton import skeleton_of

NAME = "amp"
LICENCE = "unknown; AMP_for_hardware's own clips: CC BY-NC 4.0"
FEET = slice(19, 31)
APART = 0.02
"""m: how far the median foot may be from where the robot has it."""


def recognises(head: bytes, path: Path) -> bool:
    """Whether a file that begins like this is one of these."""
    return head.lstrip().startswith(b"{") and b'"LegOrder"' not in head and columns_of(head) == 61


def read(path: Path, told: Told) -> list[MotionClip]:
    """The one clip of a file.

    Raises:
        MotionError: it is damaged, of another robot or format, or nobody says of which robot it is.
    """
    data = json_object(path)
    frames = frames_of(path, data, 61)
    if told.robot is None:
        raise MotionError(f"{path} does not say which robot it is of; give --robot")
    skeleton = skeleton_of(told.robot)
    joints = np.empty((len(frames), 12))
    joints[:, joints_by_leg(skeleton)] = frames[:, 7:19]
    legs = legs_of(skeleton)
    still = np.zeros((len(frames), 3)), np.tile((1.0, 0.0, 0.0, 0.0), (len(frames), 1))
    feet = skeleton.feet(*still, joints)[:, [legs[leg].foot for leg in LEGS]]
    apart = float(np.median(np.linalg.norm(feet - frames[:, FEET].reshape(-1, 4, 3), axis=2)))
    if not apart <= APART:
        raise MotionError(
            f"{path} is a motion of another robot than {told.robot}: its feet are {apart:.2f} m from where the same "
            f"joints put those of {told.robot}"
        )
    quat = from_xyzw(frames[:, 3:7])
    return [
        from_looped_file(path, told, data, skeleton.name, frames[:, :3], quat, skeleton.joint_names, joints, LICENCE)
    ]
