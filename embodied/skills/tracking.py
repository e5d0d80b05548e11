"""TrackingTask: do what a clip does, as closely as physics allow. The imitation of Han et al. (2024), section PMC.

Deviations from the released code, each because that is wrong: see `clip_scores`; nothing sleeps in a step. Others: the
end of a clip is shown to the critic, the action moves the target about the clip's own joint angles rather than the
robot's, and future references beyond a clip's end are its last posture instead of being left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import gymnasium
import numpy as np
import torch
from torch import Tensor

from embodied.motion.library import MotionLibrary
from embodied.physics.world import World
from embodied.scenes import Scene
from embodied.scenes.arrays import Array, library_of
from embodied.senses import Sense
from embodied.senses.joints import MAX_ANGLE
from embodied.senses.remembered import Remembered
from embodied.senses.sense import Term
from embodied.senses.style import MAX_REACH, axes_of
from embodied.skills.clip_scores import ClipScores
from embodied.skills.motion_task import MotionTask
from embodied.skills.reference import TICKS, ReferenceTable
from embodied.skills.tracking_errors import (
    Errors,
    TrackingRewards,
    conjugate_product,
    reward_terms,
    rotation_vector,
    squares,
    turn_between,
)
from embodied.tasks.skilled import MAX_ACTION

FUTURES = (5, 10, 50, 150)
"""Ticks ahead that the goal shows: 1/30, 1/15, 1/3 and 1 s. Han et al. (2024)."""
LAST_STEPS = 10
"""Control steps before a clip's end in which no episode begins."""


@dataclass(frozen=True)
class TrackingConfig:
    """What can be chosen of the task."""

    about: Literal["reference", "pose"] = "reference"
    """What an action of 0 aims at: the clip's joint angles at the step's end, or the default pose."""
    action_scale: float = 0.1
    """Target per unit of action, rad: small, since the clip's joint angles are nearly what is to be aimed at."""
    max_root_error: float = 0.5
    """Distance from the clip's root beyond which an episode ends, m. Han et al. have 1."""
    max_root_turn: float = 1.0
    """Angle from the clip's root orientation beyond which an episode ends, rad. Han et al."""
    max_joint_error: float = 0.6
    """Mean |Δq| beyond which an episode ends, rad."""
    rewards: TrackingRewards = field(default_factory=TrackingRewards)
    """Their weights and scales."""


class TrackingTask(MotionTask):
    """Episodes begin in the midst of clips, in the clip's state, and end with the clip or when it is lost.

    Metrics, of an episode: ``clip`` its number, ``tracked`` 1 where the clip was tracked to its end, ``score`` the part
    earned of what could be, ``joint_error`` mean |Δq|, rad, ``root_error`` mean |Δp|, m.
    """

    name = "tracking"

    def __init__(
        self,
        motions: MotionLibrary | str | Path | Sequence[str | Path] | None = None,
        config: TrackingConfig = TrackingConfig(),
        each: bool = False,
    ) -> None:
        """Chooses clips.

        Args:
            motions: as `MotionTask`.
            config: what can be chosen.
            each: world w tracks clip w from its beginning, again and again, a looped clip for one cycle: for
                evaluations. Otherwise clips and moments are drawn.
        """
        super().__init__(motions, reference_starts=1.0)
        self.config, self.each = config, each

    def start(self, scene: Scene, world: World, generator: torch.Generator) -> None:
        """Takes the World; see `Task.start`."""
        super().start(scene, world, generator)
        arrays, entity = self.arrays, self.robot.entity
        seconds = self.episode_steps * self.dt + (max(FUTURES) + 1) / TICKS
        self.table = ReferenceTable(self.library, self.kinematics, arrays, self.dt, seconds)
        self._ahead = arrays.indices(FUTURES)
        self._ends = self.table.steps
        if self.each:
            whole = [int(duration / self.dt + 1e-6) for duration in self.library.durations.tolist()]
            self._ends = arrays.indices(whole)
        self._tick = self.remember("tick", kind=torch.int64)
        self._shift = self.remember("shift", 2)
        self._sums = self.remember("sums", 3)
        self._goal = self.remember("goal", len(FUTURES), 6 + len(entity.joints), kind=torch.float32)
        self._remaining = self.remember("remaining", 1, kind=torch.float32)
        self._ended = self.remember("ended", kind=torch.bool)
        self.memory["tallies"] = torch.zeros(
            world.num_worlds, len(self.library), 5, dtype=arrays.real, device=world.device
        )
        self.scores = ClipScores(self.memory["tallies"], arrays)
        """How well each clip is tracked."""
        self._default = arrays.of(self.robot.constant(entity.pose))
        self._worlds = arrays.indices(range(world.num_worlds))
        self._change = arrays.zeros(world.num_worlds)

    def senses(self) -> Mapping[str, Sequence[Sense]]:
        """``proprio`` and ``goal``, and for the critic ``privileged``, with the time that is left of a clip."""
        groups = super().senses()
        goal = self.memory["goal"]
        shown = [Remembered(term, goal[:, :, place]) for term, place in goal_terms(goal.shape[-1] - 6)]
        left = Remembered(Term("time_left", 1, "s", 1.0), self.memory["remaining"])
        return {"proprio": groups["proprio"], "goal": shown, "privileged": (*groups["privileged"], left)}

    def action_space(self) -> gymnasium.spaces.Box:
        """Targets of joints about the clip's, or about the default pose, in units of ``action_scale``."""
        bound = np.full(len(self.robot.entity.actuators), math.pi / self.config.action_scale, dtype=np.float32)
        return gymnasium.spaces.Box(-bound, bound)

    def restart(self) -> None:
        """Forgets how well clips were tracked, and the episodes under way."""
        self.scores.clear()
        self._steps[...] = 0

    def draw_clips(self, count: int) -> tuple[Tensor, Tensor]:
        """Clips by how badly they are tracked, and moments evenly in each, on the table's grid."""
        arrays = self.arrays
        if self.each:
            return arrays.tensor(self._worlds % len(self.library)), arrays.tensor(arrays.zeros(count))
        clips = self.library.draw(count, self.generator, arrays.tensor(self.scores.weights()))
        times = self.library.draw_times(clips, self.generator, margin=LAST_STEPS * self.dt)
        return clips, torch.floor(times * TICKS) / TICKS

    def reset(self, mask: Tensor) -> None:
        """Takes the episodes that ended into account, and begins others."""
        arrays = self.arrays
        self._note_episodes(arrays.of(mask))
        super().reset(mask)
        write = arrays.writer(mask)
        ticks = library_of(self._clip_time).asarray(self._clip_time * TICKS + 0.5, dtype=self._tick.dtype)
        write(self._tick, ticks)
        row = self.table.rows(self._clip, ticks)
        write(self._shift, -row[:, :2])
        for memory in (self._sums, self._ended):
            write(memory, 0)

    def begin(self, mask: Tensor) -> None:
        """Shows what is to come."""
        super().begin(mask)
        self._look_ahead(mask)

    def act(self, actions: Tensor) -> None:
        """Targets of the joints about where the clip has them at the end of this step, or about the default pose."""
        taken = self.arrays.of(actions).clip(-MAX_ACTION, MAX_ACTION)
        self._change[...] = squares(taken - self._action) * self.config.action_scale**2
        self._action[...] = taken
        self._steps += 1
        about = self._hold[0]
        if self.config.about == "reference":
            about = self.table.rows(self._clip, self._now())[:, self.table.joint_pos][:, self._driven]
        self.robot.controls = self.arrays.tensor(about + self.config.action_scale * taken)

    def _now(self) -> Array:
        """(W,) Ticks since the clips' beginnings."""
        return self._tick + self.table.stride * self._steps

    def rewards(self) -> dict[str, Tensor]:
        """See `TrackingRewards`; and, against jerky targets, ``action_rate``."""
        self.note_step()
        errors, chosen = self._errors(), self.config.rewards
        terms = reward_terms(errors, chosen)
        total: Array = sum(terms.values())
        library = library_of(total)
        self._sums += library.stack((total, errors.joint_mean, library.sqrt(errors.root_pos)), -1)
        config = self.config
        self._fell |= (
            (errors.root_pos > config.max_root_error**2)
            | (errors.root_turn > config.max_root_turn)
            | (errors.joint_mean > config.max_joint_error)
        )
        over = self._steps + self._tick // self.table.stride >= self._ends[self._clip]
        self._ended[...] = over & ~self._fell
        self._look_ahead(None)
        if chosen.action_rate:
            terms["action_rate"] = -chosen.action_rate * self._change
        return {name: self.arrays.tensor(term) for name, term in terms.items()}

    def fallen(self) -> Array:
        """(W,) bool: nowhere; an episode ends when the clip is lost."""
        return self._fell & False

    def terminated(self) -> Tensor:
        """The clip is lost, or over."""
        return self.memory["fell"] | self.memory["ended"]

    def _errors(self) -> Errors:
        of, robot, table = self.arrays.of, self.robot, self.table
        wanted = table.rows(self._clip, self._now())
        place = of(robot.root_pos)
        off = place - wanted[:, :3]
        off[:, :2] -= self._shift
        joints = of(robot.joint_pos) - wanted[:, table.joint_pos]
        feet = of(robot.link_pos)[:, self._feet] - place[:, None]
        feet = feet - (axes_of(wanted[:, table.root_quat])[:, None] @ _points(wanted[:, table.feet])[..., None])[..., 0]
        velocity = of(robot.root_velocity) - wanted[:, table.root_velocity]
        return Errors(
            joint_pos=squares(joints),
            joint_mean=abs(joints).sum(1) / joints.shape[1],
            joint_vel=squares(of(robot.joint_vel) - wanted[:, table.joint_vel]),
            feet=squares(feet + off[:, None]).sum(1),
            root_pos=squares(off),
            root_turn=turn_between(of(robot.root_quat), wanted[:, table.root_quat]),
            linear=squares(velocity[:, :3]),
            angular=squares(velocity[:, 3:]),
        )

    def _look_ahead(self, mask: Tensor | None) -> None:
        """Renews the goal and the time left, everywhere or where the mask holds."""
        of, robot, table = self.arrays.of, self.robot, self.table
        ahead = table.rows(self._clip[:, None], self._now()[:, None] + self._ahead)
        off = ahead[..., :3] - of(robot.root_pos)[:, None]
        off[..., :2] += self._shift[:, None]
        joints = ahead[..., table.joint_pos] - self._default
        goal = goal_of(off, of(robot.root_quat), of(robot.root_axes), ahead[..., table.root_quat], joints)
        left = (self._ends[self._clip] - self._steps - self._tick // table.stride) * self.dt
        if mask is None:
            self._goal[...], self._remaining[:, 0] = goal, left.clip(0.0, 1.0)
            return
        write = self.arrays.writer(mask)
        write(self._goal, goal)
        write(self._remaining, left.clip(0.0, 1.0)[:, None])

    def _note_episodes(self, mask: Array) -> None:
        figures = self._figures()
        self.scores.note(mask & (self._steps > 0), self._clip, figures)

    def _figures(self) -> Array:
        """(W, 4) Of the episode so far: score, whether the clip was tracked to its end, joint error, and root error."""
        library = library_of(self._sums)
        steps = self._steps.clip(min=1)
        possible = (self._ends[self._clip] - self._tick // self.table.stride).clip(1, self.episode_steps)
        whole = self._ended | ((self._steps >= self.episode_steps) & ~self._fell)
        score = self._sums[:, 0] / (possible * self.config.rewards.best)
        return library.stack((score, whole * 1.0, self._sums[:, 1] / steps, self._sums[:, 2] / steps), -1)

    def metrics(self) -> dict[str, Tensor]:
        """See the class."""
        score, tracked, joints, root = (self._figures()[:, i] for i in range(4))
        found = {"clip": self._clip * 1.0, "score": score, "tracked": tracked}
        found |= {"joint_error": joints, "root_error": root}
        return {name: self.arrays.tensor(values) for name, values in found.items()}


def goal_terms(joints: int) -> list[tuple[Term, slice]]:
    """The goal's terms for a robot of so many joints, and where of a future's row each lies."""
    futures = len(FUTURES)
    return [
        (Term("reference_position", 3 * futures, "m", 20 * MAX_REACH, "root link", (futures, 3)), slice(0, 3)),
        (Term("reference_rotation", 3 * futures, "rad", 3.2, "root link", (futures, 3)), slice(3, 6)),
        (Term("reference_joints", joints * futures, "rad", MAX_ANGLE, "", (futures, joints)), slice(6, None)),
    ]


def goal_of(off: Array, quat: Array, axes: Array, ahead: Array, joints: Array) -> Array:
    """(W, F, 6 + J) What the goal shows of F moments to come.

    Args:
        off: (W, F, 3) the clip's root link from the robot's, in the world's frame, m.
        quat: (W, 4) the robot's orientation.
        axes: (W, 3, 3) the same as a matrix, root to world.
        ahead: (W, F, 4) the clip's orientations.
        joints: (W, F, J) the clip's joints less the default pose, rad.
    """
    turn = rotation_vector(conjugate_product(quat[:, None], ahead))
    return library_of(joints).concatenate((off @ axes, turn, joints), -1)


def _points(flat: Array) -> Array:
    """(…, F, 3) of (…, 3 F)."""
    return flat.reshape(*flat.shape[:-1], -1, 3)
