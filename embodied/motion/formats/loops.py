"""Loops as files have them: the last frame is the first again, a cycle later; a `MotionClip` leaves it out.

In real files the two are not quite the same. What they differ by is shared out over the cycle, so that nothing jumps.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embodied.motion.quaternions import (
    conjugate,
    from_rotation_vector,
    from_yaw,
    hemisphere_continuous,
    multiply,
    rotation_vector,
    yaw_of,
)
from embodied.motion.velocities import Cycle

Array = NDArray[np.float64]

FAR_JOINTS = 0.3
"""rad: how far joints may be apart at the two ends of a loop."""
FAR_TILT = 0.2
"""rad: ditto of the root, heading apart where that adds up."""
FAR_HEIGHT = 0.03
"""m."""
WORTH_TELLING = 0.01
"""rad: what is shared out and is less goes unsaid."""


class EndsApart(ValueError):
    """Why a clip is no loop."""


def closed(
    pos: Array, quat: Array, joints: Array, travels: bool, turns: bool
) -> tuple[Array, Array, Array, Cycle, list[str]]:
    """The frames but the last, with ends that meet, what a cycle adds, and what was done.

    Args:
        pos: (T, 3) m.
        quat: (T, 4).
        joints: (T, J) rad.
        travels: whether places add up over cycles.
        turns: whether headings do.

    Raises:
        EndsApart: they are too far apart for that.
    """
    if len(pos) < 4:
        raise EndsApart("it is too short")
    quat = hemisphere_continuous(quat)
    yaw = np.unwrap(yaw_of(quat))
    heading = float(yaw[-1] - yaw[0]) if turns else 0.0
    tilt = rotation_vector(multiply(conjugate(multiply(from_yaw(heading), quat[0])), quat[-1]))
    apart, rise = joints[-1] - joints[0], float(pos[-1, 2] - pos[0, 2])
    far, lean = float(np.abs(apart).max(initial=0.0)), float(np.linalg.norm(tilt))
    if far > FAR_JOINTS:
        raise EndsApart(f"joints are {far:.2f} rad apart at its ends")
    if lean > FAR_TILT:
        raise EndsApart(f"the root is turned by {lean:.2f} rad between its ends")
    if abs(rise) > FAR_HEIGHT:
        raise EndsApart(f"the root is {abs(rise):.2f} m apart in height at its ends")
    x, y = pos[-1, :2] - pos[0, :2] if travels else (0.0, 0.0)
    share = (0.5 - np.arange(len(pos)) / (len(pos) - 1))[:, None]
    joints = joints + share * apart
    quat = multiply(quat, from_rotation_vector(share * tilt))
    pos = pos + share * (0.0, 0.0, rise)
    notes = []
    if far > WORTH_TELLING:
        notes = [f"The two ends of the loop, up to {far:.2f} rad apart, were made to meet."]
    return pos[:-1], quat[:-1], joints[:-1], Cycle(float(x), float(y), heading), notes
