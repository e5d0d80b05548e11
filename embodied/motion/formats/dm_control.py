"""dm_control's HDF5: motion of the CMU humanoid, many clips a file; h5py reads it.

Each clip has one walker: ``position`` (3, T) m, ``quaternion`` (4, T) as w, x, y, z, ``joints`` (56, T) rad, in the
order of dm_control's walker (dm_control/locomotion/walkers/cmu_humanoid.py), and the length of a frame, ``dt``, in s.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from embodied.motion.clip import MotionClip, MotionError
from embodied.motion.formats.reading import Told

NAME = "dm_control"
ROBOT = "humanoid_cmu"
MAGIC = b"\x89HDF\r\n\x1a\n"
LICENCE = "CMU Graphics Lab Motion Capture Database; free for all uses"
LARGEST = 1 << 24
"""Numbers that one array of a clip may have."""


def _joints() -> tuple[str, ...]:
    """Each part's hinges; the walker turns about z, then y, then x."""
    leg = "femur:zyx tibia:x foot:zx toes:x"
    spine = "lowerback:zyx upperback:zyx thorax:zyx lowerneck:zyx upperneck:zyx head:zyx"
    arm = "clavicle:zy humerus:zyx radius:x wrist:y hand:zx fingers:x thumb:zx"
    names = []
    for side, parts in (("l", leg), ("r", leg), ("", spine), ("l", arm), ("r", arm)):
        for part in parts.split():
            link, axes = part.split(":")
            names += [f"{side}{link}r{axis}" for axis in axes]
    return tuple(names)


JOINTS = _joints()


def recognises(head: bytes, path: Path) -> bool:
    """Whether a file that begins like this is one of these."""
    return head.startswith(MAGIC)


def read(path: Path, told: Told) -> list[MotionClip]:
    """All clips of a file.

    Raises:
        MotionError: it is damaged, of another robot or format, or h5py is not installed.
    """
    try:
        import h5py
    except ImportError:
        raise MotionError(f"{path} is HDF5, which h5py reads: pip install 'embodied[motion]'") from None
    told.robot_of(path, ROBOT)
    try:
        with h5py.File(path, "r") as file:
            return [_clip(path, name, file[name], told) for name in sorted(file)]
    except MotionError:
        raise
    except (OSError, KeyError, RuntimeError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise MotionError(f"{path} is damaged, or no motion of dm_control's: {error}") from None


def _clip(path: Path, name: str, group: Any, told: Told) -> MotionClip:
    walkers = group["walkers"]
    if len(walkers) != 1:
        raise MotionError(f"{path} has {len(walkers)} walkers in {name}, where one was expected")
    walker = walkers["walker_0"]
    rows = {"position": 3, "quaternion": 4, "joints": len(JOINTS)}
    for field, expected in rows.items():
        shape = walker[field].shape
        if len(shape) != 2 or shape[0] != expected or np.prod(shape) > LARGEST:
            raise MotionError(f"{path} has {field} of shape {shape} in {name}, where ({expected}, frames) was expected")
    position, quaternion, joints = (np.asarray(walker[field][:], dtype=np.float64).T for field in rows)
    return MotionClip.from_poses(
        name,
        ROBOT,
        told.rate_of(path, 1.0 / float(group.attrs["dt"])),
        position,
        quaternion,
        JOINTS,
        joints,
        licence=told.licence or LICENCE,
        source=f"{path.name}:{name}",
    )
