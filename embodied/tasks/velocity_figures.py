"""Figures of an episode of the velocity task: what its metrics and its curriculum go by."""

from __future__ import annotations

from embodied.scenes.arrays import Array, library_of
from embodied.tasks.velocity_rewards import Motion, squares

SIZE = 7
SHORT_WAY = 1.0
"""m. The cost of transport of a way shorter than this is that of this: standing still has none."""


class Figures:
    """Sums over the episode under way, kept in a task's memory."""

    def __init__(self, memory: Array) -> None:
        """``memory``: (W, `SIZE`), live."""
        columns = memory.T
        self._velocity_error, self._yaw_rate_error = columns[0], columns[1]
        self.work = columns[2]
        """(W,) Positive mechanical work of the joints, J."""
        self.way = columns[3]
        """(W,) Length of the horizontal way gone, m."""
        self.asked = columns[4]
        """(W,) Length of the way commanded, m."""
        self.followed = columns[5]
        """(W,) Way gone along the commanded direction, m."""
        self.reached = columns[6]
        """(W,) Farthest horizontal distance from the origin at any time, m."""

    def note(self, motion: Motion, joint_velocity: Array, position: Array, dt: float) -> None:
        """Adds a step.

        Args:
            motion: of the step.
            joint_velocity: (W, joints) rad/s.
            position: (W, 2) horizontal, of the root link in the world, m.
            dt: control step, s.
        """
        library = library_of(position)
        asked, velocity = motion.asked[:, :2], motion.linear[:, :2]
        length = library.sqrt(squares(asked))
        self._velocity_error += library.sqrt(squares(asked - velocity))
        self._yaw_rate_error += abs(motion.asked[:, 2] - motion.angular[:, 2])
        self.work += (motion.joint_torque * joint_velocity).clip(min=0.0).sum(1) * dt
        self.way += library.sqrt(squares(velocity)) * dt
        self.asked += length * dt
        self.followed += library.linalg.vecdot(asked, velocity) / length.clip(min=1e-9) * dt
        library.maximum(self.reached, library.sqrt(squares(position)), out=self.reached)

    def metrics(self, steps: Array, weight: Array | float) -> dict[str, Array]:
        """(W,) each: mean |Δv_xy|, m/s, mean |Δω|, rad/s, and the cost of transport.

        The last is work over weight times way (Collins et al. 2005), the way being `SHORT_WAY` at least.

        Args:
            steps: (W,) made so far, at least 1.
            weight: of the body, N.
        """
        return {
            "velocity_error": self._velocity_error / steps,
            "yaw_rate_error": self._yaw_rate_error / steps,
            "cost_of_transport": self.work / (weight * self.way.clip(min=SHORT_WAY)),
        }
