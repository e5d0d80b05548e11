"""MotionTask: a robot that is to move as clips of a library do. What imitation and skill priors are trained in.

It rewards nothing itself: learners do, or tasks built on it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from embodied.motion.clip import MotionError
from embodied.motion.library import MotionLibrary, MotionState
from embodied.physics.world import World
from embodied.runs.errors import UserError
from embodied.scenes import Scene
from embodied.scenes.arrays import Array
from embodied.senses.style import axes_of, style_frame
from embodied.skills.foot_kinematics import FootKinematics
from embodied.tasks.skilled import SkilledTask
from morphologies import Body

TILT_MARGIN = math.radians(30.0)
"""How much further than in any clip a robot may lean before it has fallen, rad."""
GROUND_MARGIN = 0.02
"""m. Where the root link of a clip comes as near to the ground as this, its touching the ground is no fall."""
DROP_HEIGHT = 0.45
"""Of the root link where a robot is dropped, m."""
DROP_RANGE = 0.9
"""Part of each joint's range that a dropped robot's posture lies in."""
GRACE = 150
"""Control steps that a dropped robot has to get up, in which no fall ends its episode: 3 s."""


class MotionTask(SkilledTask):
    """Episodes begin in the midst of clips, in the default pose, or with a drop in any posture.

    A robot has fallen when it leans much further than it does in any clip, or when its root link touches the ground
    though it never does in a clip.
    """

    name = "motion"

    def __init__(
        self,
        motions: MotionLibrary | str | Path | Sequence[str | Path] | None = None,
        reference_starts: float = 0.8,
        dropped_starts: float = 0.0,
    ) -> None:
        """Chooses clips and starts.

        Args:
            motions: a library on the CPU, or what `MotionLibrary.load` takes; by default the clips that ship for the
                robot.
            reference_starts: share of episodes that begin as a clip is at a random moment, velocities too.
            dropped_starts: share of episodes that begin with a drop in a random posture. All others begin in the
                default pose.

        Raises:
            MotionError: clips that cannot be read, or are of different robots.
            UserError: shares that are no shares.
        """
        super().__init__()
        if min(reference_starts, dropped_starts) < 0.0 or not reference_starts + dropped_starts <= 1.0:
            raise UserError(
                f"shares of starts lie between 0 and 1 and are at most 1 together, not {reference_starts} in clips "
                f"and {dropped_starts} dropped"
            )
        self._motions = motions
        self.reference_starts, self.dropped_starts = reference_starts, dropped_starts

    def load(self, robot: Body) -> MotionLibrary:
        """The clips for a robot.

        Raises:
            MotionError: there are none, or they are for another robot.
        """
        motions = self._motions if self._motions is not None else robot.name
        library = motions if isinstance(motions, MotionLibrary) else MotionLibrary.load(motions, robot=robot.name)
        if library.robot != robot.name:
            raise MotionError(
                f"the clips are for {library.robot}, not for {robot.name}; embodied motion import --retarget "
                f"{robot.name} fits them to {robot.name}"
            )
        return library

    def scene(self, bodies: Mapping[str, Body]) -> Scene:
        """Level ground with the robot on it; refuses clips that are not for it."""
        robot = bodies["robot"]
        self.library = self.load(robot)
        """Of all clips, on the CPU until `start` and on the World's device then."""
        scene = super().scene(bodies)
        entity = scene.entities["robot"]
        for what, mine, theirs in (
            ("joints", tuple(entity.joint_names), self.library.joint_names),
            ("feet", tuple(entity.body.feet), self.library.foot_names),
        ):
            if set(mine) != set(theirs) or (what == "joints" and mine != theirs):
                raise MotionError(
                    f"the clips' {what} are {', '.join(theirs)}; those of {robot.name} are {', '.join(mine)}"
                )
        return scene

    def start(self, scene: Scene, world: World, generator: torch.Generator) -> None:
        """Takes the World; see `Task.start`."""
        super().start(scene, world, generator)
        if self.library.device != world.device:
            self.library = MotionLibrary(self.library.clips, world.device, self.library.dtype)
        entity = self.robot.entity
        if not entity.actuators or -1 in entity.driven:
            raise UserError(
                f"{self.name} needs a robot whose actuators hold joints' positions, as {entity.body.name}'s do not"
            )
        self.kinematics = FootKinematics(entity, world.device, self.arrays.real)
        offset, scale = entity.action_map
        self._hold = self.arrays.of(self.robot.constant(offset)), self.arrays.of(self.robot.constant(scale))
        self._driven = self.arrays.indices(entity.driven)
        low, high = entity.soft_limits(DROP_RANGE).clip(-math.pi, math.pi)
        self._middle = self.arrays.of(self.robot.constant(0.5 * (low + high)))
        self._half = self.arrays.of(self.robot.constant(0.5 * (high - low)))
        self._clip = self.remember("clip", kind=torch.int64)
        self._clip_time = self.remember("clip_time", kind=torch.float64)
        self._grace = self.remember("grace", kind=torch.int64)
        lean, lies = extremes(self.library, scene)
        self._upright = math.cos(min(lean + TILT_MARGIN, math.pi))
        self._may_lie = lies

    def draw_clips(self, count: int) -> tuple[Tensor, Tensor]:
        """Clips (count,) and moments (count,), s, that episodes begin in: by the library's weights, evenly in each."""
        clips = self.library.draw(count, self.generator)
        return clips, self.library.draw_times(clips, self.generator)

    def reset(self, mask: Tensor) -> None:
        """Begins in a clip, in the default pose, or with a drop; always above the origin."""
        super().reset(mask)
        arrays, robot, worlds = self.arrays, self.robot, len(mask)
        joints = len(robot.entity.joints)
        chance = arrays.chance(self.generator, worlds, 4 + joints)
        clips, times = self.draw_clips(worlds)
        write = arrays.writer(mask)
        write(self._clip, arrays.of(clips))
        write(self._clip_time, arrays.of(times))
        write(self._grace, 0)
        kind = arrays.tensor(chance[:, 0])
        self._begin_in_clips(mask & (kind < self.reference_starts), clips, times)
        dropped = mask & (kind >= 1.0 - self.dropped_starts)
        if arrays.possibly(arrays.of(dropped)):
            self._drop(dropped, chance[:, 1:4], 2.0 * chance[:, 4:] - 1.0)

    def _begin_in_clips(self, mask: Tensor, clips: Tensor, times: Tensor) -> None:
        """Robots move as in these clips at these moments, (W,) each; their last action held the joints there."""
        arrays, robot = self.arrays, self.robot
        state = self.library.sample(clips, times)
        write = arrays.writer(mask)
        place = torch.cat((torch.zeros_like(state.root_pos[:, :2]), state.root_pos[:, 2:]), dim=-1)
        robot.set_root_pose(torch.cat((place, state.root_quat), dim=-1), mask)
        write(arrays.of(robot.root_velocity), arrays.of(state.root_velocity))
        write(arrays.of(robot.joint_pos), arrays.of(state.joint_pos))
        write(arrays.of(robot.joint_vel), arrays.of(state.joint_vel))
        offset, scale = self._hold
        write(self._action, (arrays.of(state.joint_pos)[:, self._driven] - offset) / scale)

    def _drop(self, mask: Tensor, chance: Array, posture: Array) -> None:
        """Robots hang in the air: ``chance`` (W, 3) gives orientations, ``posture`` (W, J) in ±1 the joints."""
        arrays, robot = self.arrays, self.robot
        pose = torch.cat((robot.origin.repeat(len(mask), 1), any_orientation(arrays.tensor(chance))), dim=-1)
        pose[:, 2] = DROP_HEIGHT
        robot.set_root_pose(pose, mask)
        write = arrays.writer(mask)
        write(arrays.of(robot.joint_pos), self._middle + self._half * posture)
        write(self._grace, GRACE)

    def style_of(self, state: MotionState) -> Tensor:
        """(…, n) What the group ``style`` would show of a robot that does this."""
        axes = axes_of(state.root_quat)
        feet = (axes[..., None, :, :] @ self.kinematics(state.joint_pos)[..., None])[..., 0]
        return style_frame(state.root_pos[..., 2], axes, state.root_velocity, state.joint_pos, state.joint_vel, feet)

    def note_step(self) -> None:
        """See `SkilledTask.note_step`; a dropped robot's time to get up runs."""
        super().note_step()
        self._fell &= self._grace <= self._steps

    def rewards(self) -> dict[str, Tensor]:
        """``alive``: 0. What is rewarded is up to whoever learns here."""
        self.note_step()
        return {"alive": self.arrays.tensor(self.arrays.zeros(self.world.num_worlds))}

    def fallen(self) -> Array:
        """(W,) bool: the root link leans further than in any clip, or touches the ground as in none."""
        leans = self.arrays.of(self._gravity.read())[:, 2] > -self._upright
        return leans if self._may_lie else leans | self.touching()[:, 0]


def any_orientation(chance: Tensor) -> Tensor:
    """(…, 4) Orientations evenly over all there are, from (…, 3) numbers in [0, 1). Shoemake (1992)."""
    first, second, third = chance.unbind(-1)
    short, long = torch.sqrt(1.0 - first), torch.sqrt(first)
    a, b = math.tau * second, math.tau * third
    return torch.stack((long * torch.cos(b), short * torch.sin(a), short * torch.cos(a), long * torch.sin(b)), dim=-1)


def extremes(library: MotionLibrary, scene: Scene) -> tuple[float, bool]:
    """How far the root link leans at most in any clip, rad, and whether it ever comes down to the ground."""
    entity = scene.entities["robot"]
    model, root = entity.model, entity.bodies[0]
    solid = [g for g in range(model.ngeom) if model.geom_bodyid[g] == root and model.geom_contype[g]]
    quat = np.concatenate([clip.root_quat for clip in library.clips])
    height = np.concatenate([clip.root_pos[:, 2] for clip in library.clips])
    axes = axes_of(quat)
    lean = float(np.arccos(np.clip(axes[:, 2, 2].min(), -1.0, 1.0)))
    for geom in solid:
        turn = axes_of(model.geom_quat[geom])
        centre = model.geom_pos[geom] + turn @ model.geom_aabb[geom, :3]
        bottom = height + axes[:, 2] @ centre - np.abs(axes[:, 2] @ turn) @ model.geom_aabb[geom, 3:]
        if (bottom < GROUND_MARGIN).any():
            return lean, True
    return lean, False
