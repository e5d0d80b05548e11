"""RehearsalTask: a prior's policy plays clips while one that tracks them looks on and says what it would do.

The prior acts about the default pose and sees no clip, the tracking policy about the clip's joints and with the clip
before its eyes. So that what is said depends on nothing but what the prior may know - the clip that it is asked for,
and what the robot measures - the clip follows the robot: where the robot is, turned as it is, and in each step at that
of its moments which is most like what the robot does. That alone would let a robot wait for ever in a posture that the
clip passes through; so a moment counts as the more unlike, the further it lies from the one that is due.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from embodied.motion.library import MotionLibrary
from embodied.physics.world import World
from embodied.runs.errors import UserError
from embodied.scenes import Scene
from embodied.scenes.arrays import Array
from embodied.scenes.frames import from_yaw, yaw_of
from embodied.senses import Sense
from embodied.senses.remembered import Remembered
from embodied.senses.style import axes_of
from embodied.skills.motion_task import MotionTask
from embodied.skills.reference import ReferenceTable
from embodied.skills.tracking import FUTURES, TrackingConfig, goal_of, goal_terms
from embodied.skills.tracking_errors import conjugate_product
from embodied.tasks.skilled import MAX_ACTION

TEACHER = "teacher"
"""The observation group that is the tracking policy's ``proprio``: with its own last actions."""
EPISODE_STEPS = 150
"""Control steps, 3 s."""
KNOWN_ACTION = 2.0
"""Magnitude to which last actions are cut that the teacher is shown: it hardly saw larger ones of its own."""
SPEED_WEIGHT = 0.05
"""s. A joint's speed, and the root link's turning, beside a joint's angle where moments of a clip are compared."""
LEAN_WEIGHT = 1.0
"""rad. Of the direction of gravity beside a joint's angle."""
OFF_PACE = 0.1
"""rad². Added to squared differences where a moment is a control step early or late; it grows with the square."""
LATEST = 6
"""Control steps early or late beyond which all moments are alike: a robot pushed off its way is found again."""


class RehearsalTask(MotionTask):
    """``proprio`` is what `MotionTask` shows, ``teacher`` and ``goal`` are what the tracking policy reads.

    On CPU threads.
    """

    name = "rehearsal"
    episode_steps = EPISODE_STEPS

    def __init__(
        self, motions: MotionLibrary, config: TrackingConfig, reference_starts: float = 0.75, switched: float = 0.5
    ) -> None:
        """Chooses clips.

        Args:
            motions: the clips.
            config: that the tracking policy was trained with.
            reference_starts: share of episodes that begin in clips, others in the default pose.
            switched: part of those that begin in any clip, not the one that is asked for: who commands a prior goes
                from each skill to each other.
        """
        super().__init__(motions, reference_starts)
        self.config, self.switched = config, switched

    def start(self, scene: Scene, world: World, generator: torch.Generator) -> None:
        """Takes the World; see `Task.start`."""
        super().start(scene, world, generator)
        if world.device.type != "cpu":
            raise UserError("rehearsals are held on CPU threads")
        arrays, entity = self.arrays, self.robot.entity
        self.table = ReferenceTable(self.library, self.kinematics, arrays, self.dt, max(FUTURES) / 100)
        self._ahead = arrays.indices(FUTURES)
        self._ticks = [
            self.table.stride * np.arange(max(1, int(duration / self.dt + 1e-6)))
            for duration in self.library.durations.tolist()
        ]
        self._moments = [self._moment_rows(clip, ticks) for clip, ticks in enumerate(self._ticks)]
        self._looped = self.library.looped.numpy()
        self._tick = self.remember("tick", kind=torch.int64)
        self._goal = self.remember("goal", len(FUTURES), 6 + len(entity.joints), kind=torch.float32)
        self._taught = self.remember("taught", len(entity.actuators))
        self._teacher_history = self.history_with("taught")
        self.memory["teacher_history"] = self._teacher_history.memory
        self._default = arrays.of(self.robot.constant(entity.pose))

    def senses(self) -> Mapping[str, Sequence[Sense]]:
        """What both read."""
        goal = self.memory["goal"]
        terms = goal_terms(len(self.robot.entity.joints))
        shown = [Remembered(term, goal[:, :, place]) for term, place in terms]
        return {
            "proprio": super().senses()["proprio"],
            "goal": shown,
            TEACHER: tuple(self._teacher_history.senses),
        }

    def draw_clips(self, count: int) -> tuple[Tensor, Tensor]:
        """Where episodes begin: in the clip that is asked for, or in any. Moments evenly in each."""
        clips = self._asked_for(count)
        chance = torch.rand(2, count, generator=self.generator)
        clips = torch.where(chance[0] < self.switched, (chance[1] * len(self.library)).long(), clips)
        return clips, self.library.draw_times(clips, self.generator)

    def _asked_for(self, count: int) -> Tensor:
        """(count,) World w rehearses clip w, then from the first again: all have as many steps."""
        return torch.arange(count) % len(self.library)

    def reset(self, mask: Tensor) -> None:
        """Begins in clips, or in the default pose."""
        super().reset(mask)
        write = self.arrays.writer(mask)
        write(self._clip, self.arrays.of(self._asked_for(len(mask))))
        write(self._taught, 0.0)

    def begin(self, mask: Tensor) -> None:
        """Nothing has moved yet."""
        super().begin(mask)
        self._teacher_history.fill(mask)
        self._stand(mask.numpy().nonzero()[0], anywhere=True)

    def act(self, actions: Tensor) -> None:
        """Targets of the joints about the default pose; what the tracking policy would call them is noted."""
        offset, scale = self._hold
        taken = self.arrays.of(actions).clip(-MAX_ACTION, MAX_ACTION)
        taught = (offset + scale * taken - self._aimed()) / self.config.action_scale
        self._taught[...] = taught.clip(-KNOWN_ACTION, KNOWN_ACTION)
        super().act(actions)

    def note_step(self) -> None:
        """See `SkilledTask.note_step`; and the clip follows."""
        super().note_step()
        self._teacher_history.shift()
        self._stand(np.arange(self.world.num_worlds))

    def in_units_of_the_prior(self, taught: Tensor) -> Tensor:
        """(W, n) Actions of the tracking policy for the coming step as those of a prior that do the same."""
        offset, scale = self._hold
        return self.arrays.tensor((self._aimed() + self.config.action_scale * self.arrays.of(taught) - offset) / scale)

    def _aimed(self) -> Array:
        """(W, n) What the tracking policy's action of 0 aims at in the coming step, rad."""
        if self.config.about == "pose":
            return self._hold[0]
        rows = self.table.rows(self._clip, self._tick + self.table.stride)
        return rows[:, self.table.joint_pos][:, self._driven]

    def _stand(self, worlds: np.ndarray, anywhere: bool = False) -> None:
        """Finds the moment at which the clip stands in worlds with these numbers, and shows what comes after it.

        Args:
            worlds: (k,) others stay where they are.
            anywhere: no moment is due.
        """
        of, robot, table = self.arrays.of, self.robot, self.table
        quat, place = of(robot.root_quat), of(robot.root_pos)
        now = self._features(
            of(robot.joint_pos), of(robot.joint_vel), of(robot.root_velocity)[:, 3:], axes_of(quat)[:, 2]
        )
        for clip in np.unique(self._clip[worlds]):
            there = worlds[self._clip[worlds] == clip]
            points, squared = self._moments[clip]
            unlike = squared[:, None] - 2.0 * points @ now[there].T
            if not anywhere:
                unlike += OFF_PACE * np.minimum(self._off_pace(clip, self._tick[there]), LATEST) ** 2
            self._tick[there] = self._ticks[clip][unlike.argmin(axis=0)]
        here = table.rows(self._clip, self._tick)
        ahead = table.rows(self._clip[:, None], self._tick[:, None] + self._ahead)
        # Seen from where the clip stands, the robot is turned by as much as the clip would have to be to follow it.
        turn = yaw_of(torch.from_numpy(here[:, table.root_quat])) - yaw_of(torch.from_numpy(quat))
        seen = conjugate_product(from_yaw(-turn).numpy(), quat)
        off = ahead[..., :3] - here[:, None, :3]
        off[..., 2] += (here[:, 2] - place[:, 2])[:, None]
        self._goal[...] = goal_of(
            off, seen, axes_of(seen), ahead[..., table.root_quat], ahead[..., table.joint_pos] - self._default
        )

    def _off_pace(self, clip: int, ticks: np.ndarray) -> np.ndarray:
        """(M, k) Control steps by which each moment of a clip is early or late for worlds at these ticks, (k,)."""
        count = len(self._ticks[clip])
        due = ticks // self.table.stride + 1
        off = np.abs(np.arange(count)[:, None] - np.minimum(due, count - 1 + self._looped[clip]))
        return np.minimum(off, count - off) if self._looped[clip] else off

    def _moment_rows(self, clip: int, ticks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(M, n) Features of a clip's moments, and their squared lengths, (M,)."""
        table = self.table
        rows = table.rows(np.full(len(ticks), clip), ticks)
        points = self._features(
            rows[:, table.joint_pos],
            rows[:, table.joint_vel],
            rows[:, table.root_velocity][:, 3:],
            axes_of(rows[:, table.root_quat])[:, 2],
        )
        return points, np.square(points).sum(axis=1)

    def _features(self, joint_pos: Array, joint_vel: Array, turning: Array, up: Array) -> np.ndarray:
        """(…, n) What moments are compared by: only what a robot measures."""
        return np.concatenate((joint_pos, SPEED_WEIGHT * joint_vel, SPEED_WEIGHT * turning, LEAN_WEIGHT * up), axis=-1)
