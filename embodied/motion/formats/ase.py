"""The .npy of ASE: a humanoid's motion as local rotations of its 17 links (with sword and shield) or 15, 30 a second.

The file is a pickled dictionary, which `pickles` reads without running anything: ``rotation`` (T, links, 4) as x, y,
z, w, ``root_translation`` (T, 3) m, ``skeleton_tree`` with names and parents, ``is_local``, ``fps`` (Peng and others,
"ASE: Large-Scale Reusable Adversarial Skill Embeddings", 2022, and its code).

Elbows and knees are hinges about y. Every other moving link hangs on three, about x, y and z in turn: a clip has their
angles as MuJoCo turns them, one after another, where ASE has the components of the rotation vector. The pose is the
same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embodied.motion.clip import MotionClip, MotionError
from embodied.motion.formats.pickles import Refused, read_pickle
from embodied.motion.formats.reading import LARGEST, Told
from embodied.motion.quaternions import conjugate, from_xyzw, multiply

Array = NDArray[np.float64]

NAME = "ase"
LICENCE = "non-commercial (NVIDIA and Reallusion)"
MAGIC = b"\x93NUMPY"
ARMED, PLAIN = "ase_humanoid_sword_shield", "ase_humanoid"
THREE, ONE = ("_x", "_y", "_z"), ("",)
LINKS = {
    "torso": ("abdomen", THREE),
    "head": ("neck", THREE),
    "right_upper_arm": ("right_shoulder", THREE),
    "right_lower_arm": ("right_elbow", ONE),
    "left_upper_arm": ("left_shoulder", THREE),
    "left_lower_arm": ("left_elbow", ONE),
    "right_thigh": ("right_hip", THREE),
    "right_shin": ("right_knee", ONE),
    "right_foot": ("right_ankle", THREE),
    "left_thigh": ("left_hip", THREE),
    "left_shin": ("left_knee", ONE),
    "left_foot": ("left_ankle", THREE),
}
"""Joints by link."""
HELD = {"pelvis", "right_hand", "left_hand", "sword", "shield"}
"""Links without joints; the right hand has three where it holds a sword."""


def recognises(head: bytes, path: Path) -> bool:
    """Whether a file that begins like this is one of these."""
    return head.startswith(MAGIC) and b"'|O'" in head[:200]


def read(path: Path, told: Told) -> list[MotionClip]:
    """The one clip of a file.

    Raises:
        MotionError: it is damaged, of another robot, or holds anything that is no data.
    """
    data = _dictionary(path)
    names = data["skeleton_tree"]["node_names"]
    robot = told.robot_of(path, ARMED if "sword" in names else PLAIN)
    joints = {**LINKS, "right_hand": ("right_hand", THREE)} if robot == ARMED else LINKS
    if set(names) != set(joints) | HELD - (set() if robot == ARMED else {"sword", "shield"}):
        raise MotionError(f"{path} has the links {', '.join(map(str, names))}, which are not those of ASE's humanoid")
    quat = from_xyzw(data["rotation"]["arr"])
    with np.errstate(over="ignore"):  # a length beyond all bounds is none of 1
        lengths = np.linalg.norm(quat, axis=-1)
    if (off := ~(np.abs(lengths - 1.0) < 0.02)).any():
        frame, link = np.argwhere(off)[0]
        raise MotionError(f"{path} has no rotation for {names[link]} in frame {frame}")
    quat = quat / lengths[..., None]
    if not data["is_local"]:
        parents = data["skeleton_tree"]["parent_indices"]["arr"]
        quat[:, 1:] = multiply(conjugate(quat[:, parents[1:]]), quat[:, 1:])
    angles = [(about_y if axes is ONE else about_xyz)(quat[:, names.index(link)]) for link, (_, axes) in joints.items()]
    order = sorted(joints, key=names.index)
    columns = dict(zip(joints, angles, strict=True))
    return [
        MotionClip.from_poses(
            path.stem,
            robot,
            told.rate_of(path, float(data["fps"])),
            data["root_translation"]["arr"],
            quat[:, 0],
            [joints[link][0] + axis for link in order for axis in joints[link][1]],
            np.unwrap(np.concatenate([columns[link] for link in order], axis=1), axis=0),
            licence=told.licence or LICENCE,
            source=path.name,
        )
    ]


def about_y(quat: Array) -> Array:
    """(T, 1) Angles of rotations about y, rad; of others, of the part of them that is about y."""
    return 2.0 * np.arctan2(quat[:, 2:3], quat[:, :1])


def about_xyz(quat: Array) -> Array:
    """(T, 3) Angles of three hinges about x, y and z, each turned by those before it, rad."""
    w, x, y, z = quat.T
    sine = np.clip(2.0 * (w * y + x * z), -1.0, 1.0)
    first = np.arctan2(2.0 * (w * x - y * z), 1.0 - 2.0 * (x * x + y * y))
    third = np.arctan2(2.0 * (w * z - x * y), 1.0 - 2.0 * (y * y + z * z))
    return np.stack((first, np.arcsin(sine), third), axis=1)


def _dictionary(path: Path) -> dict[str, Any]:
    """The dictionary, with all that is needed in it and of the right shape."""
    if path.stat().st_size > LARGEST:
        raise MotionError(f"{path} is larger than {LARGEST:,} bytes")
    content = path.read_bytes()
    try:
        # The header of a .npy: magic, version, its length, and a line that says what follows.
        size = int.from_bytes(content[8:10], "little") + 10 if content[6:7] == b"\x01" else 0
        if not size or b"'|O'" not in content[:size]:
            raise Refused("its heading is not that of a pickled dictionary")
        data = read_pickle(content[size:])
    except Refused as error:
        raise MotionError(f"{path} is not read: {error}") from None
    try:
        rotation, names = data["rotation"]["arr"], data["skeleton_tree"]["node_names"]
        frames, links = rotation.shape[0], len(names)
        fine = (
            rotation.shape == (frames, links, 4)
            and rotation.dtype.kind == "f"
            and isinstance(names, list)
            and all(isinstance(name, str) for name in names)
            and data["root_translation"]["arr"].shape == (frames, 3)
            and isinstance(data["is_local"], bool)
            and 1.0 <= float(data["fps"]) <= 1000.0
            and (data["is_local"] or _are_parents(data["skeleton_tree"]["parent_indices"]["arr"], links))
        )
    except (KeyError, TypeError, AttributeError, IndexError, ValueError, OverflowError):
        fine = False
    if not fine:
        raise MotionError(f"{path} is a pickled dictionary, but no motion of ASE's humanoid")
    return data


def _are_parents(found: Any, links: int) -> bool:
    """Whether an array says of each link but the first which other it hangs on."""
    whole = isinstance(found, np.ndarray) and found.shape == (links,) and found.dtype.kind in "iu"
    return bool(whole and (found[1:] >= 0).all() and (found[1:] < links).all())
