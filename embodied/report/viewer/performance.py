"""A body that moves: one world of its task, a policy, and how far it has come."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from embodied.envs import make
from embodied.learning.evaluate import Actor, mean_actor, random_actor, zero_actor
from embodied.learning.load import load
from embodied.report.viewer.shapes import Shape, shapes_of
from embodied.runs.errors import UserError
from embodied.scenes.arenas.obstacles import BoxGround
from embodied.scenes.ground import LevelGround
from morphologies import Body

Source = Literal["trained", "zero", "random"]
"""Of the actions."""
SOURCES: tuple[Source, ...] = ("trained", "zero", "random")


@dataclass(frozen=True)
class Role:
    """Who is shown: a body in its task, and where its policy lies."""

    title: str
    task: str
    body: Body
    policy: Path | None
    """A run's or a lifetime's folder; None where there can be no policy."""


class Performance:
    """A role being played. Driven from one thread."""

    def __init__(self, role: Role, source: Source, seed: int = 0) -> None:
        """Places the body and chooses who acts; see `take_actions_from`."""
        self.role = role
        self._seed = seed
        self._env = make(role.task, role.body, num_worlds=1, threads=1, seed=seed)
        self._entity = self._env.env.scene.entities[self._env.env.task.agents[0]]
        self._view = self._entity.view(self._env.world)
        self._links = self._view.link_pos, self._view.link_quat
        scene, world = self._env.env.scene, self._env.world
        ground = scene.arena.ground(world)
        self._ground = LevelGround() if isinstance(ground, BoxGround) else ground  # boxes are things, not hills
        self._things = [entity for name, entity in scene.entities.items() if name not in self._env.env.task.agents]
        moving = {body for entity in scene.entities.values() for body in entity.bodies}
        self._fixed = [body for body in range(scene.model.nbody) if body not in moving]
        self._places = [(view.link_pos, view.link_quat) for view in (thing.view(world) for thing in self._things)]
        self.control_dt = self._env.control_dt
        self.note = ""
        """Why what acts is not what was asked for; empty where it is."""
        self.take_actions_from(source)
        self.episodes = 0
        """Begun so far."""
        self.falls = 0
        """Episodes that ended before their time."""
        self.restart()

    @property
    def shapes(self) -> list[Shape]:
        """What the body is drawn with."""
        return shapes_of(self._entity.model, self._entity.bodies)

    @property
    def things(self) -> list[Shape]:
        """What else there is but the ground: what belongs to the arena, things to push, marks."""
        own = {name: values[0].numpy() for name, values in self._env.world.parameters.items()}
        bodies = [*self._fixed, *(body for thing in self._things for body in thing.bodies)]
        return shapes_of(self._entity.model, bodies, own)

    @property
    def thing_places(self) -> tuple[np.ndarray, np.ndarray]:
        """Positions (links, 3), m, and orientations (links, 4) in the world of what `things` are fixed to."""
        model = self._entity.model
        fixed = model.body_pos[self._fixed], model.body_quat[self._fixed]
        positions, quats = (
            np.concatenate([fixed[part], *(place[part][0].numpy() for place in self._places)]) for part in (0, 1)
        )
        return positions, quats

    def heights(self, points: np.ndarray) -> np.ndarray:
        """(n,) Of the ground, m, under (n, 2) places in the world."""
        return self._ground.height(torch.from_numpy(points)[None].double())[0].numpy()

    def take_actions_from(self, source: Source) -> None:
        """Changes who acts, without a restart. A body without a policy is left to do nothing, and `note` says so."""
        self.note = ""
        if source == "random":
            self._actor: Actor = random_actor(self._env.action_space, self._seed)
            return
        self._actor = zero_actor(self._env.action_space)
        if source == "trained":
            try:
                self._actor = self._trained()
            except UserError as error:
                self.note = f"It has no policy to act with, so it is shown with zero action ({error})."

    def _trained(self) -> Actor:
        if self.role.policy is None:
            raise UserError("no run was named")
        policy = load(self.role.policy)
        if not policy.shape.fits(self._env.observation_space, self._env.action_space):
            raise UserError(f"the policy in {self.role.policy} was trained on another body")
        return mean_actor(policy)

    def restart(self) -> None:
        """A new episode."""
        self._observation, _ = self._env.reset(self._seed)
        self._begin()

    def _begin(self) -> None:
        self.episodes += 1
        self.seconds = 0.0
        self._start = self.position[0]

    @torch.no_grad()
    def step(self) -> None:
        """One control step; where the episode ends, the next begins."""
        self._observation, _, terminated, truncated, _ = self._env.step(self._actor(self._observation))
        self.seconds += self.control_dt
        if bool(terminated[0]) or bool(truncated[0]):
            self.falls += bool(terminated[0])
            self._begin()

    @property
    def position(self) -> np.ndarray:
        """(3,) Of the root link, m."""
        return self._view.root_pos[0].numpy().copy()

    @property
    def distance(self) -> float:
        """Forward since the episode began, m."""
        return float(self.position[0] - self._start)

    @property
    def links(self) -> tuple[np.ndarray, np.ndarray]:
        """Positions (links, 3), m, and orientations (links, 4) in the world."""
        return self._links[0][0].numpy(), self._links[1][0].numpy()

    def close(self) -> None:
        """Frees the world."""
        self._env.close()
