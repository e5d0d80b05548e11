"""A motion clip: what a robot's root, joints and feet did, frame by frame, with where it came from.

The frames are evenly spaced. A looped clip goes on with its first frame one frame after its last, displaced and turned
by what a cycle travels. Velocities follow MuJoCo's convention for a free joint: linear in the world's frame, angular
in the root's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embodied.motion.quaternions import hemisphere_continuous, sign_flips
from embodied.motion.velocities import STANDING, Cycle, estimated_cycle, linear_velocity, root_velocity
from embodied.runs.errors import UserError

Array = NDArray[np.float64]

UNIT = 1e-6
"""How far a clip's quaternions may be from unit length."""
NEARLY_UNIT = 0.02
"""How far those of a file may be, which has a few digits only; they are normalised."""
SLOWEST, FASTEST = 0.1, 10_000.0
"""Frames in a second."""
LARGEST = 1e9
"""Of any number in a clip: single precision squares it without loss of range."""


class MotionError(UserError, ValueError):
    """A clip or motion file that cannot be used; the message says which, and what is wrong with it."""


@dataclass(frozen=True, eq=False)
class MotionClip:
    """T ≥ 2 frames of one robot's motion; J joints, F feet. Arrays are float64 and read-only.

    Raises:
        MotionError: something does not fit together, is not finite, or no rotation; it names clip, field and frame.
    """

    name: str
    robot: str
    """Name of a registered robot, or what its file calls it."""
    frame_rate: float
    """Frames in a second."""
    root_pos: Array
    """(T, 3) m, world frame, z up."""
    root_quat: Array
    """(T, 4) w, x, y, z, root to world; no neighbours on opposite hemispheres."""
    root_velocity: Array
    """(T, 6) Linear in the world's frame, m/s; angular in the root's own frame, rad/s."""
    joint_names: tuple[str, ...]
    """In the robot's own order."""
    joint_pos: Array
    """(T, J) rad, or m for a slide."""
    joint_vel: Array
    """(T, J) rad/s, or m/s."""
    foot_names: tuple[str, ...] = ()
    contacts: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0), bool))
    """(T, F) Which feet bear on the ground; may be left out where there are no feet."""
    loop: bool = False
    """Whether the last frame is followed by the first, moved by ``cycle``."""
    cycle: Cycle = STANDING
    """What a cycle of a looped clip adds to the root's place and heading; nothing for others."""
    licence: str = "unknown"
    source: str = ""
    """Where it came from; empty for what this package made."""
    notes: tuple[str, ...] = ()
    """What was done to it on its way, a sentence each."""

    def __post_init__(self) -> None:
        """Takes its own read-only arrays and holds everything against its shape."""
        for name in ("joint_names", "foot_names", "notes"):
            object.__setattr__(self, name, tuple(map(str, getattr(self, name))))
        if not (isinstance(self.name, str) and self.name and self.name.isprintable()):
            raise MotionError("a motion clip needs a name, of letters and signs that can be printed")
        for name in ("robot", "licence", "source"):
            if not isinstance(text := getattr(self, name), str):
                raise self._wrong(f"{name} must be text, not {text!r:.60}")
        if not (self.robot and self.robot.isprintable()):
            raise self._wrong(f"robot must be a name that can be printed, not {self.robot!r:.60}")
        if not isinstance(self.loop, bool | np.bool_):
            raise self._wrong(f"loop is true or false, not {self.loop!r:.60}")
        try:
            object.__setattr__(self, "frame_rate", float(self.frame_rate))
            object.__setattr__(self, "cycle", Cycle(*map(float, self.cycle)))
        except (TypeError, ValueError):
            raise self._wrong(f"frame_rate and cycle are numbers, not {self.frame_rate!r} and {self.cycle!r}") from None
        if not SLOWEST <= self.frame_rate <= FASTEST:
            expected = f"a positive number of frames in a second, {SLOWEST:g} to {FASTEST:,.0f}"
            raise self._wrong(f"frame_rate must be {expected}; not {self.frame_rate:g}")
        if not all(abs(each) <= LARGEST for each in self.cycle):
            raise self._wrong(f"cycle is not finite, or beyond all bounds: {self.cycle}")
        if not self.loop and any(self.cycle):
            raise self._wrong("only a looped clip has a cycle that travels")
        for name, singular in (("joint_names", "joint"), ("foot_names", "foot")):
            names = getattr(self, name)
            if len(set(names)) < len(names):
                twice = next(each for each in names if names.count(each) > 1)
                raise self._wrong(f"the {singular} {twice!r} is named twice")
        frames = len(np.atleast_1d(np.asarray(self.root_pos)))
        if frames < 2:
            raise self._wrong(f"a motion has two frames or more, not {frames}")
        joints, feet = len(self.joint_names), len(self.foot_names)
        shapes = {"root_pos": 3, "root_quat": 4, "root_velocity": 6, "joint_pos": joints, "joint_vel": joints}
        for name, columns in shapes.items():
            self._take(name, np.float64, (frames, columns))
        if feet == 0 and np.size(self.contacts) == 0:
            object.__setattr__(self, "contacts", np.zeros((frames, 0), bool))
        self._take("contacts", np.bool_, (frames, feet))
        self._refuse_no_rotations()

    @property
    def num_frames(self) -> int:
        """T."""
        return len(self.root_pos)

    @property
    def duration(self) -> float:
        """From the first frame to the last, s; of a looped clip, to the first again."""
        return (self.num_frames if self.loop else self.num_frames - 1) / self.frame_rate

    @classmethod
    def from_poses(
        cls,
        name: str,
        robot: str,
        frame_rate: float,
        root_pos: ArrayLike,
        root_quat: ArrayLike,
        joint_names: Sequence[str],
        joint_pos: ArrayLike,
        *,
        foot_names: Sequence[str] = (),
        contacts: ArrayLike | None = None,
        loop: bool = False,
        cycle: Cycle | tuple[float, float, float] | None = None,
        licence: str = "unknown",
        source: str = "",
        notes: Sequence[str] = (),
    ) -> MotionClip:
        """A clip from positions alone: velocities are differences over both neighbours, across the seam of a loop too.

        Args:
            name: and the others are the clip's fields.
            robot: ditto.
            frame_rate: ditto.
            root_pos: (T, 3) ditto.
            root_quat: (T, 4) w, x, y, z; signs and rounding of the length are put right.
            joint_names: ditto.
            joint_pos: (T, J) ditto.
            foot_names: ditto.
            contacts: (T, F) ditto.
            loop: ditto.
            cycle: what a cycle adds; where it is not given, the seam's step is taken to be the mean of the steps
                before and after it.
            licence: ditto.
            source: ditto.
            notes: ditto.

        Raises:
            MotionError: as the class.
        """
        pos, quat, joints = (np.array(each, dtype=np.float64) for each in (root_pos, root_quat, joint_pos))
        if flips := _flips(quat):
            times = "once" if flips == 1 else f"{flips} times"
            notes = (*notes, f"The sign of the root's quaternion, which flipped {times}, was made continuous.")
        shared: dict[str, Any] = {
            "name": name,
            "robot": robot,
            "frame_rate": frame_rate,
            "joint_names": tuple(joint_names),
            "foot_names": tuple(foot_names),
            "contacts": np.zeros((0, 0), bool) if contacts is None else contacts,
            "licence": licence,
            "source": source,
            "notes": tuple(notes),
        }
        quat = _normalised(name, quat)
        # Held against its shape before anything is computed from it, so that what is wrong is said of what was given.
        still = {"root_velocity": np.zeros((len(pos), 6)), "joint_vel": np.zeros_like(joints)}
        checked = cls(root_pos=pos, root_quat=quat, joint_pos=joints, **shared, **still)
        if loop and cycle is None:
            cycle = estimated_cycle(checked.root_pos, checked.root_quat)
        seam = Cycle(*(cycle or (0.0, 0.0, 0.0))) if loop else None
        return cls(
            root_pos=pos,
            root_quat=quat,
            root_velocity=root_velocity(pos, quat, checked.frame_rate, seam),
            joint_pos=joints,
            joint_vel=linear_velocity(joints, checked.frame_rate, (joints[-1:], joints[:1]) if loop else None),
            loop=loop,
            cycle=seam or STANDING,
            **shared,
        )

    def same_as(self, other: MotionClip) -> bool:
        """Whether every field is equal, to the last bit."""
        for each in fields(self):
            mine, theirs = getattr(self, each.name), getattr(other, each.name)
            equal = np.array_equal(mine, theirs) if isinstance(mine, np.ndarray) else mine == theirs
            if not equal:
                return False
        return True

    def _take(self, name: str, kind: type, shape: tuple[int, int]) -> None:
        try:
            given = np.asarray(getattr(self, name))
        except (TypeError, ValueError):
            given = np.asarray("")
        if given.dtype.kind not in "biuf":
            raise self._wrong(f"{name} is no array of {np.dtype(kind)} numbers")
        values = np.array(given, dtype=kind)
        if values.shape != shape:
            raise self._wrong(f"{name} has shape {values.shape}, where {shape} was expected")
        if kind is np.float64 and not np.isfinite(values).all():
            raise self._wrong(f"{name} is not finite in frame {_first(~np.isfinite(values).all(axis=1))}")
        if kind is np.float64 and (np.abs(values) > LARGEST).any():
            raise self._wrong(f"{name} is beyond all bounds in frame {_first((np.abs(values) > LARGEST).any(axis=1))}")
        values.setflags(write=False)
        object.__setattr__(self, name, values)

    def _refuse_no_rotations(self) -> None:
        lengths = np.linalg.norm(self.root_quat, axis=1)
        if (off := np.abs(lengths - 1.0) > UNIT).any():
            frame = _first(off)
            raise self._wrong(f"root_quat has length {lengths[frame]:.6f} in frame {frame}, where 1 was expected")
        if (flips := sign_flips(self.root_quat)).any():
            raise self._wrong(f"root_quat changes its sign after frame {_first(flips)}; from_poses puts that right")

    def _wrong(self, what: str) -> MotionError:
        return MotionError(f"motion clip {self.name!r}: {what}")


def _normalised(name: str, quat: Array) -> Array:
    """Unit quaternions with continuous signs, of nearly unit ones; what has not their shape is left to be refused."""
    if quat.ndim != 2 or quat.shape[1] != 4 or not np.isfinite(quat).all():
        return quat
    with np.errstate(over="ignore"):  # a length beyond all bounds is none of 1
        lengths = np.linalg.norm(quat, axis=1, keepdims=True)
    if (off := np.abs(lengths[:, 0] - 1.0) > NEARLY_UNIT).any():
        frame = _first(off)
        raise MotionError(
            f"motion clip {name!r}: root_quat is no rotation in frame {frame}: its length is {lengths[frame, 0]:.3g}"
        )
    # Again and again normalised, a quaternion would change in its last bit each time.
    exact = np.abs(lengths - 1.0) <= 4e-16
    return hemisphere_continuous(np.where(exact, quat, quat / lengths))


def _flips(quat: Array) -> int:
    fits = quat.ndim == 2 and quat.shape[1] == 4 and len(quat) > 1
    return int(sign_flips(quat).sum()) if fits and np.isfinite(quat).all() else 0


def _first(where: Any) -> int:
    return int(np.flatnonzero(where)[0])
