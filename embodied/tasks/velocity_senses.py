"""What the velocity task's policy and critic sense, and how far a robot's instruments are off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from embodied.scenes import EntityView, Ground
from embodied.scenes.ground import FieldGround
from embodied.senses import Sense
from embodied.senses.body_velocity import Gyro, Velocimeter
from embodied.senses.foot_contacts import FootContacts
from embodied.senses.gravity import ProjectedGravity
from embodied.senses.height_map import HeightMap, regular_grid
from embodied.senses.joint_deviations import JointDeviations
from embodied.senses.joints import JointVelocities
from embodied.senses.noise import Noisy
from embodied.senses.remembered import Remembered
from embodied.senses.sense import Term
from embodied.tasks.velocity_commands import MAX_COMMAND

MAX_ACTION = 100.0
"""Magnitude to which actions are cut. legged_gym."""
SCAN = {"behind": 0.8, "ahead": 0.8, "aside": 0.5, "spacing": 0.1}
"""Of the critic's height scan, m: 17 x 11 heights. legged_gym."""
GYRO_NOISE = 0.2
"""Uniform ±, rad/s. legged_gym, Isaac Lab, mjlab, Playground."""
GRAVITY_NOISE = 0.05
"""Uniform ±. All four."""
JOINT_NOISE = 0.01
"""Uniform ±, rad. legged_gym, Isaac Lab, mjlab; Playground has 0.03."""
JOINT_VELOCITY_NOISE = 1.5
"""Uniform ±, rad/s. All four."""
ENCODER_OFFSET = 0.015
"""Uniform ±, rad: what an encoder reads too much all through an episode. mjlab."""


def velocity_senses(
    robot: EntityView, ground: Ground, memory: Mapping[str, Tensor], noise: torch.Generator | None
) -> dict[str, Sequence[Sense]]:
    """``policy``: what a robot measures. ``privileged``: the same without errors, and what only a simulation knows.

    Args:
        robot: the body.
        ground: scanned for the critic where it is uneven.
        memory: the task's: ``command``, ``action`` and ``encoder_offsets``.
        noise: where the instruments' noise comes from; None for perfect ones.
    """
    command = Remembered(Term("command", 3, "m/s, rad/s", max(MAX_COMMAND), "root link"), memory["command"])
    action = Remembered(Term("last_action", memory["action"].shape[1], "1", MAX_ACTION), memory["action"])
    gyro, gravity, velocities = Gyro(robot), ProjectedGravity(robot), JointVelocities(robot)
    perfect: tuple[Sense, ...] = (gyro, gravity, command, JointDeviations(robot), velocities, action)
    measured = perfect
    if noise is not None:
        deviations = JointDeviations(robot, memory["encoder_offsets"])
        instruments = [(gyro, GYRO_NOISE), (gravity, GRAVITY_NOISE), (command, 0.0)]
        instruments += [(deviations, JOINT_NOISE), (velocities, JOINT_VELOCITY_NOISE)]
        measured = (Noisy(instruments, noise), action)
    known: tuple[Sense, ...] = (Velocimeter(robot), *perfect, FootContacts(robot))
    if isinstance(ground, FieldGround):
        known += (HeightMap(robot, ground, regular_grid(**SCAN)),)
    return {"policy": measured, "privileged": known}
