"""Gymnasium's Ant-v5 as a task of ours: same model, observation, reward, end and start, to compare speeds on.

The model is read from the installed gymnasium package. One thing differs, the moment at which two quantities are read.
Gymnasium asks for the contact forces and the torso's position where the last stage of the last RK4 step left them, at a
state that is never shown. Here, as in all tasks, positions are those of the state that is shown, and forces those of
the last substep. Read at the same moments, Gymnasium's own environment gives the same numbers (tests/bench).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import gymnasium
import mujoco
import numpy as np
import torch
from torch import Tensor

from embodied.envs import AutoresetEnv, make
from embodied.physics.world import World
from embodied.scenes import Scene
from embodied.scenes.ground import Ground, LevelGround
from embodied.senses import Sense
from embodied.senses.sense import Term
from embodied.tasks import Task
from morphologies import Body

TIMESTEP = 0.01
"""s, by RK4."""
FRAME_SKIP = 5
"""Physics steps per control step: 20 Hz."""
EPISODE_STEPS = 1000
"""Control steps."""
TORSO_HEIGHT = 0.75
"""At the start, m."""
HEALTHY_HEIGHT = (0.2, 1.0)
"""Of the torso, m; outside, an episode ends."""
HEALTHY_REWARD = 1.0
CONTROL_COST = 0.5
"""Per squared unit of action."""
CONTACT_COST = 5e-4
"""Per squared unit of contact force, cut."""
FORCE_RANGE = 1.0
"""Contact forces and torques are cut at ± so many N or N m."""
RESET_NOISE = 0.1
"""Half-width of the uniform noise on positions, standard deviation of the normal noise on velocities."""
LIMIT = 1e6
"""Of positions and velocities, in any unit; Gymnasium has none."""


def gymnasium_ant(num_worlds: int, seed: int, threads: int, contact_forces: bool = True) -> AutoresetEnv:
    """The environment: Ant-v5 with its 105 numbers, or without contact forces the 27 of EnvPool's Ant-v4."""
    return make(GymnasiumAnt(contact_forces), ant_body(contact_forces), num_worlds, seed=seed, threads=threads)


def ant_body(contact_forces: bool = True) -> Body:
    """Gymnasium's ant as a Body."""

    def spec() -> mujoco.MjSpec:
        own = _model()
        for thing in (*own.worldbody.geoms, *own.worldbody.lights):
            own.delete(thing)
        own.body("torso").pos = [0.0, 0.0, 0.0]
        for actuator in own.actuators:
            actuator.name = actuator.target
        if (
            contact_forces
        ):  # the engine works contact forces out only where a sensor of acceleration or force wants them
            own.add_sensor(
                name="acceleration",
                type=mujoco.mjtSensor.mjSENS_FRAMELINACC,
                objtype=mujoco.mjtObj.mjOBJ_BODY,
                objname="torso",
            )
        return own

    return Body("gymnasium_ant", spec, "free", spawn_height=TORSO_HEIGHT, clearance=0.0)


@dataclass(frozen=True)
class GymnasiumFloor:
    """The floor, light and options of Gymnasium's model: all of it but the ant."""

    ahead: float = 40.0
    behind: float = 40.0
    half_width: float = 40.0

    @property
    def varying(self) -> tuple[str, ...]:
        """Nothing."""
        return ()

    def spec(self) -> mujoco.MjSpec:
        """A fresh spec."""
        spec = _model()
        spec.delete(spec.body("torso"))
        return spec

    def finish(self, model: mujoco.MjModel) -> None:
        """Nothing is left to be written."""

    def ground(self, world: World) -> Ground:
        """Level."""
        return LevelGround()


class GymnasiumAnt(Task):
    """Run forward along x. On the CPU alone: it is there to be compared with what runs there."""

    name = "gymnasium_ant"
    episode_steps = EPISODE_STEPS
    starts_alike = True

    def __init__(self, contact_forces: bool = True) -> None:
        """``contact_forces``: whether they are seen and cost something."""
        super().__init__()
        self._with_forces = contact_forces

    def scene(self, bodies: Mapping[str, Body]) -> Scene:
        """Gymnasium's floor with its ant."""
        return Scene(GymnasiumFloor(), bodies, TIMESTEP, FRAME_SKIP)

    def start(self, scene: Scene, world: World, generator: torch.Generator) -> None:
        """Takes the World; see `Task.start`."""
        self.robot = scene.entities["robot"].view(world)
        self.generator = generator
        self.dt = scene.control_dt
        self.positions, self.velocities = world.field("qpos"), world.field("qvel")
        self.forces = world.field("cfrc_ext").numpy() if self._with_forces else None
        self._x, self._z = (self.positions[:, column].numpy() for column in (0, 2))
        self._previous_x = self.memory["previous_x"] = self.positions[:, 0].clone()
        self.actions = torch.zeros(world.num_worlds, len(scene.entities["robot"].actuators))

    def senses(self) -> Mapping[str, Sequence[Sense]]:
        """Positions but x and y, velocities, and contact forces where they are wanted."""
        state = (Shown("positions", self.positions[:, 2:]), Shown("velocities", self.velocities))
        return {"proprio": state if self.forces is None else (*state, CutForces(self.forces[:, 1:]))}

    def action_space(self) -> gymnasium.spaces.Box:
        """One number per motor, a fraction of its torque."""
        low, high = self.robot.entity.action_range.T.astype(np.float32)
        return gymnasium.spaces.Box(low, high)

    def reset(self, mask: Tensor) -> None:
        """Adds noise to the default state; the quaternion is not normalised, as it is not there."""
        worlds = mask.numpy().nonzero()[0]
        shape = (len(worlds), self.positions.shape[1])
        noise = torch.rand(shape, dtype=torch.float64, generator=self.generator).numpy()
        self.positions.numpy()[worlds] += RESET_NOISE * (2.0 * noise - 1.0)
        shape = (len(worlds), self.velocities.shape[1])
        noise = torch.randn(shape, dtype=torch.float64, generator=self.generator).numpy()
        self.velocities.numpy()[worlds] += RESET_NOISE * noise

    def begin(self, mask: Tensor) -> None:
        """Measures the first step's progress from where the noise put the torso."""
        torch.where(mask, self.positions[:, 0], self._previous_x, out=self._previous_x)

    def act(self, actions: Tensor) -> None:
        """Torques."""
        self.actions = actions
        self.robot.act(actions)

    def rewards(self) -> dict[str, Tensor]:
        """``forward``: m/s. ``survive``: 1 while healthy. ``control_cost`` and ``contact_cost``: negative."""
        before = self._previous_x.numpy()
        terms = {
            "forward": (self._x - before) / self.dt,
            "survive": HEALTHY_REWARD * self._healthy(),
            "control_cost": -CONTROL_COST * np.square(self.actions.numpy()).sum(axis=1),
        }
        before[:] = self._x
        if self.forces is not None:
            cut = np.clip(self.forces, -FORCE_RANGE, FORCE_RANGE).reshape(len(before), -1)
            terms["contact_cost"] = -CONTACT_COST * np.einsum("wi,wi->w", cut, cut)
        return {name: torch.from_numpy(term) for name, term in terms.items()}

    def terminated(self) -> Tensor:
        """The torso is too low or too high."""
        return torch.from_numpy(~self._healthy())

    def _healthy(self) -> np.ndarray:
        low, high = HEALTHY_HEIGHT
        return (self._z >= low) & (self._z <= high)


class Shown:
    """A part of the state as it is."""

    def __init__(self, name: str, values: Tensor) -> None:
        self._values = values
        self.terms = (Term(name, values.shape[1], "m, rad, m/s or rad/s", LIMIT),)

    def read(self) -> Tensor:
        """(W, n) A live view."""
        return self._values


class CutForces:
    """External forces and torques on each link, cut."""

    def __init__(self, forces: np.ndarray) -> None:
        self._forces = forces
        self.terms = (Term("contact_forces", forces[0].size, "N m, N", FORCE_RANGE, "world", forces[0].shape),)

    def read(self) -> Tensor:
        """(W, links, 6)."""
        return torch.from_numpy(np.clip(self._forces, -FORCE_RANGE, FORCE_RANGE))


def _model() -> mujoco.MjSpec:
    return mujoco.MjSpec.from_file(str(Path(gymnasium.__file__).parent / "envs" / "mujoco" / "assets" / "ant.xml"))
