"""Velocity: walk as a joystick asks. The standard experiment before a controller goes to hardware.

After legged_gym (Rudin et al. 2021) with what later work made customary; ``docs/velocity.md`` has all sources.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import gymnasium
import numpy as np
import torch
from torch import Tensor

from embodied.physics.world import World
from embodied.runs.errors import UserError
from embodied.scenes import Scene
from embodied.scenes.arenas.flat import FlatArena
from embodied.scenes.arenas.legged import LeggedArena
from embodied.scenes.arrays import Array, Write, arrays_of, library_of, whole
from embodied.scenes.frames import from_yaw
from embodied.scenes.ground import FieldGround
from embodied.scenes.randomise import VARYING, Randomiser, Ranges, randomisable
from embodied.senses import Sense
from embodied.senses.foot_contacts import STANDING_FORCE
from embodied.senses.gravity import ProjectedGravity
from embodied.tasks.task import Task
from embodied.tasks.velocity_commands import RESAMPLING_TIME, commands_of
from embodied.tasks.velocity_curriculum import first_levels, next_levels
from embodied.tasks.velocity_figures import SIZE, Figures
from embodied.tasks.velocity_rewards import SOFT_LIMIT, SWING, TILT_LEVEL, TILT_UNEVEN, Motion, reward_terms
from embodied.tasks.velocity_senses import ENCODER_OFFSET, MAX_ACTION, velocity_senses
from morphologies import Body

TIMESTEP = 0.005
"""s. legged_gym, Isaac Lab, mjlab."""
DECIMATION = 4
"""Physics steps per control step: 50 Hz. All of them."""
EPISODE_STEPS = 1000
"""Control steps, 20 s. All of them."""
MAX_TILT = math.radians(70.0)
"""Of the root link's z axis from the vertical, beyond which an episode ends. mjlab."""
ROUGH = ("rough", "slopes_up", "slopes_down", "stairs_up", "stairs_down")
"""Kinds of ground that ``terrain="rough"`` means: those that can be crossed without being seen, as legged_gym's."""
START_JOINTS = 0.1
"""Uniform ± on joint angles at the start, rad. Isaac Lab scales the default pose by 0.5 to 1.5."""
START_VELOCITY = 0.2
"""Uniform ± on each of the root's velocities at the start, m/s and rad/s. Playground has 0.5."""
PUSH = 0.5
"""Change of the horizontal velocity by a push, in a random direction, m/s. mjlab 0.5; legged_gym up to 1."""
PUSH_INTERVAL = 8.0
"""s, the first at a random time within it. mjlab has 1 to 3, Isaac Lab 10 to 15, legged_gym 15."""


class Velocity(Task):
    """One body with a free root follows commanded velocities; its physics and instruments are uncertain."""

    name = "velocity"
    default_body = "go1"
    episode_steps = EPISODE_STEPS

    def __init__(self, terrain: str | Sequence[str] = "flat", curriculum: bool = True, randomise: bool = True) -> None:
        """Chooses the ground and what is uncertain.

        Args:
            terrain: ``flat``; ``rough`` for `ROUGH`; or kinds of ground of a `LeggedArena`.
            curriculum: whether a world's level of difficulty follows what is done there; else it is drawn for every
                episode. Nothing on flat ground.
            randomise: whether physics are drawn for every episode, robots are pushed, and instruments err.
        """
        super().__init__()
        kinds = {"flat": (), "rough": ROUGH}.get(terrain, (terrain,)) if isinstance(terrain, str) else tuple(terrain)
        self.arena = LeggedArena(kinds=kinds) if kinds else FlatArena()
        self.uneven = bool(kinds)
        self.curriculum = curriculum
        self.ranges = Ranges() if randomise else None
        self.starts_alike, self.refreshes_constants = not kinds, randomise

    def scene(self, bodies: Mapping[str, Body]) -> Scene:
        """The ground with the robot on it; see `Task.scene`."""
        robot = bodies["robot"]
        if robot.root != "free":
            raise UserError(f"velocity needs a body that can go anywhere; the root of {robot.name} is {robot.root}")
        if self.ranges is None:
            return Scene(self.arena, bodies, TIMESTEP, DECIMATION)
        uncertain = {**bodies, "robot": randomisable(robot, self.ranges, TIMESTEP)}
        return Scene(self.arena, uncertain, TIMESTEP, DECIMATION, varying=VARYING)

    def start(self, scene: Scene, world: World, generator: torch.Generator) -> None:
        """Takes the World; see `Task.start`."""
        self.world, self.generator, self.dt = world, generator, scene.control_dt
        self.arrays = arrays_of(world)
        self.ground = self.arena.ground(world)
        self.robot = scene.entities["robot"].view(world)
        entity = self.robot.entity
        self.randomiser = Randomiser(entity, world, self.ranges) if self.ranges else None
        feet, links = entity.body.feet, entity.link_names
        self._touch = tuple(f"touch/{link}" for link in links)
        self._feet = self.arrays.indices([links.index(foot) for foot in feet])
        self._others = self.arrays.indices([n for n, link in enumerate(links) if n and link not in feet])
        self._lowest, self._highest = (self.arrays.of(self.robot.constant(e)) for e in entity.soft_limits(SOFT_LIMIT))
        self._command_steps, self._push_steps = round(RESAMPLING_TIME / self.dt), round(PUSH_INTERVAL / self.dt)
        joints, actuators = len(entity.joints), len(entity.actuators)
        self._command = self._remember("command", 3)
        self._action = self._remember("action", actuators)
        self._joint_velocity = self._remember("joint_velocity", joints)
        self._encoder_offsets = self._remember("encoder_offsets", joints)
        self._air_time = self._remember("air_time", len(feet))
        self._was_down = self._remember("was_down", len(feet), kind=torch.bool)
        self._steps = self._remember("steps", kind=torch.int64)
        self._push_at = self._remember("push_at", kind=torch.int64)
        self.figures = Figures(self._remember("figures", SIZE))
        self._fell = self._remember("fell", kind=torch.bool)
        self._of_an_episode = [self.arrays.of(value) for value in self.memory.values()]
        if isinstance(self.arena, LeggedArena):
            self._level = self._remember("level", kind=torch.int64)
            self._played = self._remember("played", kind=torch.bool)
            self._kinds = self.arrays.indices([w % len(self.arena.kinds) for w in range(world.num_worlds)])
        self._asked = self.arrays.zeros(world.num_worlds, 3)
        self._action_change = self.arrays.zeros(world.num_worlds, actuators)
        self._gravity = ProjectedGravity(self.robot)
        self._linear, self._angular = (self.arrays.of(self.robot.sensor(name)) for name in ("velocimeter", "gyro"))

    def _remember(self, name: str, *shape: int, kind: torch.dtype | None = None) -> Array:
        """Registers memory and gives the array it lives in; of the engine's precision by default."""
        world = self.world
        self.memory[name] = torch.zeros(world.num_worlds, *shape, dtype=kind or self.arrays.real, device=world.device)
        return self.arrays.of(self.memory[name])

    def senses(self) -> Mapping[str, Sequence[Sense]]:
        """See `velocity_senses`."""
        return velocity_senses(self.robot, self.ground, self.memory, self.generator if self.ranges else None)

    def action_space(self) -> gymnasium.spaces.Box:
        """Position actuators: about the default pose, in units of the body's action scale. Motors: part of a torque."""
        low, high = self.robot.entity.action_range.T.astype(np.float32)
        return gymnasium.spaces.Box(low, high)

    def restart(self) -> None:
        """Forgets the levels that worlds had reached."""
        if self.uneven:
            self._played[...] = False

    def reset(self, mask: Tensor) -> None:
        """Draws ground, physics, command and heading, and joints and velocities about those of the default state."""
        write, robot, joints = self.arrays.writer(mask), self.robot, len(self.robot.entity.joints)
        chance = self.arrays.chance(self.generator, len(mask), 13 + 2 * joints)
        signed = 2.0 * chance - 1.0
        if self.uneven:
            self._choose_ground(mask, write, chance[:, 0])
        for values in self._of_an_episode:
            write(values, 0)
        position = robot.origin.repeat(len(mask), 1)
        position[:, 2] += self.ground.height(position[:, None, :2])[:, 0]
        heading = from_yaw(self.arrays.tensor(math.pi * signed[:, 1]))
        robot.set_root_pose(torch.cat((position, heading), dim=-1), mask)
        write(self.arrays.of(robot.root_velocity), START_VELOCITY * signed[:, 3:9])
        joint_pos = self.arrays.of(robot.joint_pos)
        write(joint_pos, joint_pos + START_JOINTS * signed[:, 13 : 13 + joints])
        write(self._command, commands_of(chance[:, 9:13]))
        if self.randomiser is not None:
            self.randomiser.draw(mask, self.generator)
            write(self._encoder_offsets, ENCODER_OFFSET * signed[:, 13 + joints :])
            write(self._push_at, whole(self._push_steps * chance[:, 2]))

    def _choose_ground(self, mask: Tensor, write: Write, chance: Array) -> None:
        """Puts worlds on tiles: a world keeps its kind of ground for good, its level changes. ``chance``: (W,)."""
        assert isinstance(self.ground, FieldGround)
        assert isinstance(self.arena, LeggedArena)
        figures, count = self.figures, self.arena.levels
        if self.curriculum:
            asked = figures.asked * (self.episode_steps / self._steps.clip(min=1))
            levels = next_levels(self._level, asked, figures.followed, figures.reached, count, self.arena.size, chance)
            write(self._level, library_of(chance).where(self._played, levels, first_levels(count, chance)))
            write(self._played, True)
        else:
            write(self._level, whole(chance * count))
        self.ground.choose(mask, self.arrays.tensor(self._kinds * count + self._level))

    def begin(self, mask: Tensor) -> None:
        """Remembers the joints' speeds at the start."""
        self.arrays.writer(mask)(self._joint_velocity, self.arrays.of(self.robot.joint_vel))

    def act(self, actions: Tensor) -> None:
        """Targets about the default pose, or torques; and what befalls a robot at this time.

        A new command is drawn here, so that the observation after this step already shows it. What this step is
        rewarded for is how the command was followed that its action was chosen for.
        """
        arrays = self.arrays
        taken = arrays.of(actions).clip(-MAX_ACTION, MAX_ACTION)
        self._action_change[...] = taken - self._action
        self._action[...] = taken
        self._asked[...] = self._command
        chance = arrays.chance(self.generator, len(taken), 5)
        if self.randomiser is not None:
            self._push(self._steps % self._push_steps == self._push_at, chance[:, 0])
        self._steps += 1
        if arrays.possibly(due := self._steps % self._command_steps == 0):
            arrays.writer(arrays.tensor(due))(self._command, commands_of(chance[:, 1:]))
        self.robot.act(self.memory["action"])

    def _push(self, worlds: Array, chance: Array) -> None:
        """Adds a horizontal velocity in a random direction where ``worlds`` (W,) holds."""
        if self.arrays.possibly(worlds):
            library, angle = library_of(chance), 2.0 * math.pi * chance
            push = PUSH * library.stack([library.cos(angle), library.sin(angle)], 1)
            velocity = self.arrays.of(self.robot.root_velocity)[:, :2]
            self.arrays.writer(self.arrays.tensor(worlds))(velocity, velocity + push)

    def rewards(self) -> dict[str, Tensor]:
        """See `velocity_rewards`."""
        robot, of = self.robot, self.arrays.of
        touching = of(robot.sensor(*self._touch)) > STANDING_FORCE
        joint_pos, joint_velocity = of(robot.joint_pos), of(robot.joint_vel)
        down = of(self._gravity.read())
        motion = Motion(
            asked=self._asked,
            linear=self._linear,
            angular=self._angular,
            gravity=down,
            joint_torque=of(robot.joint_torque),
            joint_acceleration=(joint_velocity - self._joint_velocity) / self.dt,
            action_change=self._action_change,
            beyond_limits=(self._lowest - joint_pos).clip(min=0.0) + (joint_pos - self._highest).clip(min=0.0),
            other_contacts=touching[:, self._others].sum(1),
            landed_after=self._landings(touching[:, self._feet]),
        )
        self._joint_velocity[...] = joint_velocity
        self.figures.note(motion, joint_velocity, of(robot.root_pos)[:, :2], self.dt)
        self._fell[...] = touching[:, 0] | (down[:, 2] > -math.cos(MAX_TILT))
        terms = reward_terms(motion, self.dt, robot.entity.mass, TILT_UNEVEN if self.uneven else TILT_LEVEL)
        return {name: self.arrays.tensor(term) for name, term in terms.items()}

    def _landings(self, down: Array) -> Array:
        """(W, feet) See `Motion.landed_after`. A foot counts as down if it was in this step or the one before.

        So a foot that bounces has not taken a step. legged_gym.
        """
        settled = down | self._was_down
        self._was_down[...] = down
        landed = (self._air_time > 0.0) & settled
        self._air_time += self.dt
        library = library_of(down)
        landed_after = library.where(landed, self._air_time, SWING)
        self._air_time[...] = library.where(settled, 0.0, self._air_time)
        return landed_after

    def terminated(self) -> Tensor:
        """The root link touches something, or leans more than 70°."""
        return self.memory["fell"].clone()

    def metrics(self) -> dict[str, Tensor]:
        """Of the episode so far, (W,) each.

        ``velocity_error``, ``yaw_rate_error`` and ``cost_of_transport``: see `Figures.metrics`. ``fall``: 1 where it
        fell, and ``seconds``: how long it lasted; see `falls_per_minute`. ``terrain_level``: on uneven ground.
        """
        steps = self._steps.clip(min=1)
        mass = self.robot.entity.mass if self.randomiser is None else self.randomiser.mass()
        found = {
            **self.figures.metrics(steps, mass * float(-self.world.model.opt.gravity[2])),
            "fall": self._fell * 1.0,
            "seconds": steps * self.dt,
        }
        if self.uneven:
            found["terrain_level"] = self._level * 1.0
        return {name: self.arrays.tensor(values) for name, values in found.items()}


def falls_per_minute(fall: Tensor, seconds: Tensor) -> float:
    """Of many episodes, (k,) each, from their metrics of these names.

    All falls over all time: the mean of the episodes' own rates would count a short episode as much as a long one.
    """
    return 60.0 * float(fall.sum() / seconds.sum())
