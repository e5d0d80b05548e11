"""Reward terms of the velocity task: the customary ones for legged robots, for all worlds at once.

Weights are per second: each term is multiplied by the control step, so that a return does not depend on the control
rate. legged_gym, Isaac Lab and MuJoCo Playground do the same. Sources, where values are taken from:

- legged_gym: Rudin et al. (2021), "Learning to walk in minutes using massively parallel deep reinforcement learning",
  and the released ``legged_robot_config.py``; ``a1_config.py`` for robots of the Go1's size.
- Isaac Lab: ``UnitreeGo1FlatEnvCfg`` and ``UnitreeGo1RoughEnvCfg``.
"""

from __future__ import annotations

from dataclasses import dataclass

from embodied.scenes.arrays import Array, library_of

TRACKING_LINEAR = 1.0
"""1/s, of exp(-|Δv|²/σ). legged_gym 1.0; Isaac Lab has 1.5 for the Go1."""
TRACKING_ANGULAR = 0.5
"""1/s, of exp(-Δω²/σ). legged_gym 0.5; Isaac Lab has 0.75 for the Go1."""
TRACKING_SIGMA = 0.25
"""σ, m²/s² and rad²/s². legged_gym, Isaac Lab, Playground."""
VERTICAL = -2.0
"""Per m²/s² and s, of v_z². legged_gym, Isaac Lab; Playground has -0.5."""
ROLL_PITCH = -0.05
"""Per rad²/s² and s, of ω_x² + ω_y². All three."""
TILT_LEVEL = -2.5
"""1/s, of the squared horizontal part of the gravity direction, on level ground. Isaac Lab's flat Go1."""
TILT_UNEVEN = -0.5
"""The same where the ground itself is tilted. legged_gym and Isaac Lab have 0 there, Playground -5 everywhere."""
TORQUE = -2e-4
"""Per (N m)² and s, of Σ τ², of a robot of `TORQUE_MASS`. legged_gym's A1, Isaac Lab's Go1, Playground."""
TORQUE_MASS = 12.0
"""kg, of the A1 and the Go1. Torques count in proportion to a body's mass, so that heavier bodies are held to the same:
of the 50 kg of an ANYmal that gives -1.15e-5 per (N m)², where legged_gym has -1e-5."""
ACCELERATION = -2.5e-7
"""Per (rad/s²)² and s, of Σ (Δq̇/dt)². legged_gym, Isaac Lab."""
ACTION_RATE = -0.01
"""1/s, of Σ (Δa)². All three."""
LIMITS = -10.0
"""Per rad and s beyond the soft limits. legged_gym's A1; Playground has -1."""
SOFT_LIMIT = 0.9
"""Part of a joint's range, about its middle, that costs nothing. legged_gym's A1."""
CONTACT = -1.0
"""Per link that is no foot and touches something, 1/s. legged_gym, Isaac Lab."""
AIR_TIME = 0.25
"""Per second that a step stayed in the air beyond `SWING`, and s. Isaac Lab's flat Go1; legged_gym has 1."""
SWING = 0.5
"""Time in the air from which on a step is rewarded, s. legged_gym, Isaac Lab."""
TOLD_TO_MOVE = 0.1
"""Length of the command, m/s and rad/s together, from which on steps are asked for. legged_gym has 0.1 m/s."""


@dataclass(frozen=True)
class Motion:
    """What happened in a control step, (W, …) each."""

    asked: Array
    """(W, 3) Commanded v_x, v_y, m/s, and yaw rate, rad/s, of the body."""
    linear: Array
    """(W, 3) Velocity in the body's frame, m/s."""
    angular: Array
    """(W, 3) Angular velocity in the body's frame, rad/s."""
    gravity: Array
    """(W, 3) Unit vector that points down, in the body's frame."""
    joint_torque: Array
    """(W, joints) N m."""
    joint_acceleration: Array
    """(W, joints) Mean over the step, rad/s²."""
    action_change: Array
    """(W, actuators) Since the step before."""
    beyond_limits: Array
    """(W, joints) How far a joint is beyond its soft limits, rad."""
    other_contacts: Array
    """(W,) Number of links that touch something and should not."""
    landed_after: Array
    """(W, feet) Time in the air of feet that landed in this step, s; `SWING` for all others."""


def squares(values: Array) -> Array:
    """(W,) Sums of squares over the last axis of (W, n)."""
    return library_of(values).linalg.vecdot(values, values)


def reward_terms(motion: Motion, dt: float, mass: float, tilt: float) -> dict[str, Array]:
    """The terms, (W,) each.

    The last of them, ``floor``, makes up for what the others lack to 0: a step is never worth less. Otherwise a policy
    that knows nothing yet would learn to fall, to be done with penalties. legged_gym, Playground.

    Args:
        motion: of the step.
        dt: control step, s.
        mass: of the body, kg.
        tilt: `TILT_LEVEL` or `TILT_UNEVEN`.
    """
    exp = library_of(motion.asked).exp
    yaw_error = motion.asked[:, 2] - motion.angular[:, 2]
    told_to_move = squares(motion.asked) > TOLD_TO_MOVE**2
    terms = {
        "tracking_linear": TRACKING_LINEAR
        * dt
        * exp(squares(motion.asked[:, :2] - motion.linear[:, :2]) / -TRACKING_SIGMA),
        "tracking_angular": TRACKING_ANGULAR * dt * exp(yaw_error * yaw_error / -TRACKING_SIGMA),
        "vertical": VERTICAL * dt * motion.linear[:, 2] ** 2,
        "roll_pitch": ROLL_PITCH * dt * squares(motion.angular[:, :2]),
        "tilt": tilt * dt * squares(motion.gravity[:, :2]),
        "torque": TORQUE * (TORQUE_MASS / mass) ** 2 * dt * squares(motion.joint_torque),
        "acceleration": ACCELERATION * dt * squares(motion.joint_acceleration),
        "action_rate": ACTION_RATE * dt * squares(motion.action_change),
        "limits": LIMITS * dt * motion.beyond_limits.sum(1),
        "contact": CONTACT * dt * motion.other_contacts,
        "air_time": AIR_TIME * dt * (motion.landed_after - SWING).sum(1) * told_to_move,
    }
    total: Array = sum(terms.values())
    terms["floor"] = (-total).clip(min=0.0)
    return terms
