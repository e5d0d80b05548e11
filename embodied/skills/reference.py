"""ReferenceTable: all clips sampled on one fine grid of times, so that a step of tracking only looks rows up.

The grid has `TICKS` moments in a second: every control step at 50 Hz, and 1/30, 1/15, 1/3 and 1 s after it, are among
them.
"""

from __future__ import annotations

import math

import torch

from embodied.motion.library import MotionLibrary
from embodied.runs.errors import UserError
from embodied.scenes.arrays import Array, Arrays
from embodied.skills.foot_kinematics import FootKinematics

TICKS = 150
"""In a second."""
LONGEST = 36_000
"""s: a table of ten hours takes a gigabyte."""


class ReferenceTable:
    """Rows of clip after clip; see `row`.

    A clip that ends stays in its last posture, a looped one goes on for as long as an episode lasts.
    """

    def __init__(
        self, library: MotionLibrary, kinematics: FootKinematics, arrays: Arrays, dt: float, seconds: float
    ) -> None:
        """Samples the library.

        Args:
            library: the clips, on the device that ``arrays`` works on.
            kinematics: of the robot's feet.
            arrays: of the World.
            dt: control step, s, a whole number of ticks.
            seconds: how long an episode lasts with what is looked at ahead of it.

        Raises:
            UserError: a control step that is no whole number of ticks, or more motion than a table holds.
        """
        self.stride = round(dt * TICKS)
        """Ticks of a control step."""
        if self.stride < 1 or abs(self.stride / TICKS - dt) > 1e-9:
            raise UserError(f"tracking takes control steps that are whole numbers of 1/{TICKS} s, not {dt:g} s")
        device = library.device
        durations = library.durations.tolist()
        rows = [math.ceil((duration + seconds) * TICKS) + 1 for duration in durations]
        if sum(rows) > LONGEST * TICKS:
            raise UserError(
                f"the clips with what is looked at beyond them are {sum(rows) / TICKS:,.0f} s; tracking takes at most "
                f"{LONGEST:,} s"
            )
        begins = torch.tensor([0, *rows], device=device).cumsum(0)[:-1]
        clips = torch.repeat_interleave(torch.arange(len(library)), torch.tensor(rows)).to(device)
        ticks = torch.cat([torch.arange(count) for count in rows]).to(device)
        state = library.sample(clips, ticks.double() / TICKS)
        joints, feet = len(library.joint_names), kinematics(state.joint_pos)
        root = torch.cat((state.root_pos, state.root_quat, state.root_velocity), dim=-1)
        self._table = arrays.of(torch.cat((root, state.joint_pos, state.joint_vel, feet.flatten(-2)), dim=-1))
        self.root_pos, self.root_quat, self.root_velocity = slice(0, 3), slice(3, 7), slice(7, 13)
        """Columns of a row, as of a `MotionState`."""
        self.joint_pos, self.joint_vel = slice(13, 13 + joints), slice(13 + joints, 13 + 2 * joints)
        """The same."""
        self.feet = slice(13 + 2 * joints, None)
        """(F, 3) In the root link's frame, m."""
        self._begins = arrays.of(begins)
        # A looped clip never ends; whole steps that fit into any other.
        steps = [
            2**31 if loop else int(d / dt + 1e-6) for d, loop in zip(durations, library.looped.tolist(), strict=True)
        ]
        self.steps = arrays.indices(steps)
        """(C,) Control steps from a clip's beginning to its end; without bound for a looped one."""

    def rows(self, clips: Array, ticks: Array) -> Array:
        """(…, n) What clips (…) do so many ticks (…) after their beginning."""
        return self._table[self._begins[clips] + ticks]
