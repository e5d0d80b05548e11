"""The floor under a clip: at which height it lies, which feet are under it, and when they bear on it.

Clips are of motion on level ground, which is at height 0 when they leave here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embodied.motion.reach import reach
from embodied.motion.skeleton import Skeleton

Array = NDArray[np.float64]

LEVEL = 0.005
"""m: a floor that is further from 0 is moved there."""
OFF = 0.02
"""m: how far anything may be under the floor, as soft parts are."""
DEEP = 0.06
"""m: what is so far under it stands, sits or lies as the robot cannot."""
SUNK = 0.005
"""m: feet may be that much under the floor, as they are in contact."""
TOLERATED = 1e-3
"""m: so little more is nobody's concern."""
NEAR = 0.02
"""m: a foot that bears on the ground is no higher."""
STILL = 0.6
"""m/s: nor faster, along the ground. Motion capture has feet that slide."""
SPREAD = 0.1
"""s: within which the root is raised and let down where something is under the floor."""


def floor_height(foot_bottoms: Array) -> float:
    """Where the floor is, m: the median, over frames, of the lowest foot.

    Args:
        foot_bottoms: (T, F) m.
    """
    return float(np.median(foot_bottoms.min(axis=1)))


def above(bottom: Array, frame_rate: float) -> tuple[int, int]:
    """First frame, and frame after the last, of what is left where stretches at a clip's ends are deep under the floor.

    Such a stretch has a frame that is `DEEP` under it, and goes on to where nothing is under it for a quarter second.

    Args:
        bottom: (T,) height of the robot's lowest point, feet apart, m.
        frame_rate: frames in a second.
    """
    pause = max(1, round(0.25 * frame_rate))
    start, stop = _clear(bottom, pause), len(bottom) - _clear(bottom[::-1], pause)
    deep = bottom < -DEEP
    return (start if deep[:start].any() else 0), (stop if deep[stop:].any() else len(bottom))


def _clear(bottom: Array, pause: int) -> int:
    """Where the first stretch of ``pause`` frames begins in which nothing is under the floor."""
    free = np.convolve(bottom < -OFF, np.ones(pause), "valid") == 0
    return int(np.argmax(free)) if free.any() else len(bottom)


def feet_lifted(
    skeleton: Skeleton, root_pos: Array, root_quat: Array, joint_pos: Array, bottoms: Array
) -> tuple[Array, NDArray[np.bool_]]:
    """Joints (T, J) that put no foot further than `SUNK` under the floor, as far as they reach, and which (T, F) feet
    that took.

    Args:
        skeleton: the robot's.
        root_pos: (T, 3) m.
        root_quat: (T, 4).
        joint_pos: (T, J) rad.
        bottoms: (T, F) heights of the feet's lowest points, m.
    """
    under = bottoms < -SUNK - TOLERATED
    if not under.any():
        return joint_pos, under
    targets = skeleton.feet(root_pos, root_quat, joint_pos)
    targets[..., 2] += np.maximum(-SUNK - bottoms, 0.0)
    return reach(skeleton, root_pos, root_quat, joint_pos, targets, under)[0], under


def raising(bottom: Array, frame_rate: float) -> Array:
    """(T,) How much the root must rise, smoothly, for nothing to be further than `OFF` under the floor, m.

    Args:
        bottom: (T,) height of the robot's lowest point, m.
        frame_rate: frames in a second.
    """
    need = np.maximum(0.0, -OFF - bottom)
    if not need.any():
        return need
    half = max(1, round(SPREAD * frame_rate))
    window = 2 * half + 1
    # The largest need within the window, averaged over the window: smooth, and nowhere less than needed.
    padded = np.pad(need, 2 * half)
    highest = np.lib.stride_tricks.sliding_window_view(padded, window).max(axis=1)
    return np.lib.stride_tricks.sliding_window_view(highest, window).mean(axis=1)


def bearing(feet: Array, foot_bottoms: Array, frame_rate: float) -> NDArray[np.bool_]:
    """(T, F) Which feet bear on the ground: near it, and slow along it.

    Args:
        feet: (T, F, 3) world positions, m.
        foot_bottoms: (T, F) m.
        frame_rate: frames in a second.
    """
    speed = np.linalg.norm(np.gradient(feet[..., :2], 1.0 / frame_rate, axis=0), axis=-1)
    return (foot_bottoms < NEAR) & (speed < STILL)
