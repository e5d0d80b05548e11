"""How far a robot is from what it tracks, and what that is worth. Han et al. (2024), in their units.

Errors of place are in the world's frame: who drifts away from the clip is not tracking it.
"""

from __future__ import annotations

from dataclasses import dataclass

from embodied.scenes.arrays import Array, library_of


@dataclass(frozen=True)
class TrackingRewards:
    """Weights, and how fast the terms fall with the errors. Defaults: the released code's."""

    joint_pos: float = 0.30
    """Of joint angles."""
    joint_vel: float = 0.05
    """Of joint speeds."""
    feet: float = 0.10
    """Of the feet's places."""
    root_pose: float = 0.50
    """Of the root link's place and orientation."""
    root_velocity: float = 0.05
    """Of the root link's velocities."""
    joint_pos_scale: float = 1.0
    """Per rad², of Σ Δq²."""
    joint_vel_scale: float = 0.1
    """Per rad²/s², of Σ Δq̇²."""
    feet_scale: float = 40.0
    """Per m², of Σ |Δp|²."""
    root_pos_scale: float = 20.0
    """Per m², of |Δp|²."""
    root_turn_scale: float = 10.0
    """Per rad², of Δθ²."""
    linear_scale: float = 2.0
    """Per m²/s², of |Δv|²."""
    angular_scale: float = 0.2
    """Per rad²/s², of |Δω|²."""
    action_rate: float = 0.0
    """What is taken off per Σ (Δa)², rad². The released code has none."""

    @property
    def best(self) -> float:
        """The reward of a step without any error."""
        return self.joint_pos + self.joint_vel + self.feet + self.root_pose + self.root_velocity


@dataclass(frozen=True)
class Errors:
    """Of all worlds, (W,) each."""

    joint_pos: Array
    """Σ Δq², rad²."""
    joint_mean: Array
    """Mean |Δq|, rad."""
    joint_vel: Array
    """Σ Δq̇², rad²/s²."""
    feet: Array
    """Σ |Δp|² over the feet, m²."""
    root_pos: Array
    """|Δp|², m²."""
    root_turn: Array
    """Δθ, the angle between the orientations, rad."""
    linear: Array
    """|Δv|², m²/s²."""
    angular: Array
    """|Δω|², rad²/s²."""


def squares(values: Array) -> Array:
    """(…) Sums of squares over the last axis."""
    return library_of(values).linalg.vecdot(values, values)


def conjugate_product(left: Array, right: Array) -> Array:
    """(…, 4) The rotation from the orientation ``left`` to ``right``, in the frame of ``left``."""
    library = library_of(left)
    w, x, y, z = (left[..., i] for i in range(4))
    a, b, c, d = (right[..., i] for i in range(4))
    return library.stack(
        (
            w * a + x * b + y * c + z * d,
            w * b - x * a - y * d + z * c,
            w * c - y * a - z * b + x * d,
            w * d - z * a - x * c + y * b,
        ),
        -1,
    )


def rotation_vector(quat: Array) -> Array:
    """(…, 3) Axis times angle, rad, the shorter way round."""
    library = library_of(quat)
    scalar, axis = quat[..., 0], quat[..., 1:]
    sign = library.where(scalar < 0.0, -1.0, 1.0)
    sine = library.sqrt(squares(axis)).clip(min=1e-12)
    angle = 2.0 * library.arctan2(sine, sign * scalar)
    return axis * (sign * angle / sine)[..., None]


def turn_between(left: Array, right: Array) -> Array:
    """(…) Angle between orientations, rad."""
    library = library_of(left)
    turn = conjugate_product(left, right)
    return 2.0 * library.arctan2(library.sqrt(squares(turn[..., 1:])), abs(turn[..., 0]))


def reward_terms(errors: Errors, chosen: TrackingRewards) -> dict[str, Array]:
    """The terms, (W,) each."""
    exp = library_of(errors.joint_pos).exp
    return {
        "joint_pos": chosen.joint_pos * exp(-chosen.joint_pos_scale * errors.joint_pos),
        "joint_vel": chosen.joint_vel * exp(-chosen.joint_vel_scale * errors.joint_vel),
        "feet": chosen.feet * exp(-chosen.feet_scale * errors.feet),
        "root_pose": chosen.root_pose
        * exp(-chosen.root_pos_scale * errors.root_pos - chosen.root_turn_scale * errors.root_turn**2),
        "root_velocity": chosen.root_velocity
        * exp(-chosen.linear_scale * errors.linear - chosen.angular_scale * errors.angular),
    }
