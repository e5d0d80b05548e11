"""Proprioception: what a body feels of itself, in the order of DERL's observation."""

from __future__ import annotations

from embodied.scenes import EntityView
from embodied.senses.imu import Imu
from embodied.senses.joints import JointPositions, JointVelocities
from embodied.senses.limb_ends import LimbEnds
from embodied.senses.root_velocity import RootVelocity
from embodied.senses.sense import Sense
from embodied.senses.touch import Touch


def proprioception(robot: EntityView) -> tuple[Sense, ...]:
    """Joints, root velocity, inertial unit, touch, and where the limbs end: 2 D + 3 L + 16 numbers.

    D hinges, L limbs besides the head.
    """
    return (
        JointPositions(robot),
        RootVelocity(robot),
        JointVelocities(robot),
        Imu(robot),
        Touch(robot),
        LimbEnds(robot),
    )
