"""Clips with closed forms: a root on a circle, joints swinging in sines, feet bearing by turns."""

from __future__ import annotations

import numpy as np

from embodied.motion.clip import MotionClip
from embodied.motion.quaternions import from_rotation_vector, from_yaw, multiply
from embodied.motion.velocities import Cycle

GO1_JOINTS = tuple(f"{leg}_{part}_joint" for leg in ("FR", "FL", "RR", "RL") for part in ("hip", "thigh", "calf"))
GO1_FEET = ("FR_foot", "FL_foot", "RR_foot", "RL_foot")
SPEED, TURN, RADIUS = 0.8, 0.5, 1.6
"""m/s, rad/s, m: a circle."""


def circle(time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(T, 3) and (T, 4) A root that runs along a circle, heading along it, rolled by a constant tenth."""
    heading = TURN * time + 0.3
    pos = np.stack((RADIUS * np.sin(heading), -RADIUS * np.cos(heading), np.full_like(time, 0.3)), axis=1)
    roll = from_rotation_vector(np.array((0.1, 0.0, 0.0)))
    return pos, multiply(from_yaw(heading), roll)


def swinging(time: np.ndarray, period: float) -> np.ndarray:
    """(T, 12) Joints of a Go1 around its stance."""
    stance = np.tile((0.0, 0.9, -1.8), 4)
    phase = 2.0 * np.pi * (time[:, None] / period + np.arange(12) / 12.0)
    return stance + 0.1 * np.sin(phase)


def walk(frames: int = 100, frame_rate: float = 50.0, loop: bool = True, name: str = "walk") -> MotionClip:
    """A clip of a Go1 on the circle, looped over one period of its joints."""
    time = np.arange(frames) / frame_rate
    period = frames / frame_rate
    pos, quat = circle(time)
    end, _ = circle(np.array((period,)))
    travel = end[0] - pos[0]
    return MotionClip.from_poses(
        name,
        "go1",
        frame_rate,
        pos,
        quat,
        GO1_JOINTS,
        swinging(time, period),
        foot_names=GO1_FEET,
        contacts=(np.arange(frames)[:, None] // 5 + np.arange(4)) % 2 == 0,
        loop=loop,
        cycle=Cycle(travel[0], travel[1], TURN * period) if loop else None,
        licence="CC0-1.0",
        notes=("made up for a test",),
    )
