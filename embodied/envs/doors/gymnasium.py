"""The Gymnasium door: one world as a ``gymnasium.Env``, under ids like ``embodied/Flat-v0``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch

from embodied.envs.doors.unit_actions import UnitActions
from embodied.envs.env import Env
from embodied.envs.make import bodies_of
from embodied.physics.camera import Camera
from embodied.tasks import Task, find_task
from embodied.vector_env import Observation
from morphologies import Body, Genome


class GymnasiumEnv(gymnasium.Env[dict[str, np.ndarray], np.ndarray]):
    """One world. Observations are dictionaries of float32 arrays by group.

    An environment begins with a random seed of its own; ``reset(seed=…)`` makes all that follows repeatable.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 50}  # noqa: RUF012 - Gymnasium's own form
    _truncates = True

    def __init__(
        self, task: str | Task, body: str | Path | Genome | Body | None = None, render_mode: str | None = None
    ) -> None:
        """Makes the world; ``task`` and ``body`` as in `embodied.make`."""
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"render_mode must be rgb_array or None, not {render_mode!r}")
        found = find_task(task)
        self._env = Env(found, bodies_of(found, body), num_worlds=1, seed=int(self.np_random.integers(2**63)))
        self._one = torch.ones(1, dtype=torch.bool)
        self._steps = 0
        self._limit = found.episode_steps
        self._camera: Camera | None = None
        self.observation_space = self._env.spec.space  # type: ignore[assignment]
        self._task_actions = UnitActions(self._env.action_space)
        self.action_space = self._task_actions.space
        self.render_mode = render_mode
        self.metadata = {**self.metadata, "render_fps": round(1 / self.control_dt)}

    @property
    def control_dt(self) -> float:
        """Time between two steps, s."""
        return self._env.scene.control_dt

    @property
    def actuator_names(self) -> list[str]:
        """Of all agents, in the order of actions."""
        return [name for agent in self._env.task.agents for name in self._env.scene.entities[agent].actuator_names]

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Begins an episode. There are no options."""
        super().reset(seed=seed)
        if seed is not None:
            self._env.generator.manual_seed(seed)
            self._env.task.restart()
        self._steps = 0
        return _out(self._env.reset(self._one)), {}

    def step(self, action: np.ndarray) -> tuple[dict[str, np.ndarray], float, bool, bool, dict[str, Any]]:
        """One control step.

        ``info`` holds the reward's ``terms``, ``unhealthy``, whether the physics failed, and where an episode ends
        what the task measured of it as ``metrics``.
        """
        # In numpy where there is a choice: behind a physics step caches are cold, and torch then costs the most.
        now = self._env.advance(torch.from_numpy(self._task_actions(action)[None]))
        values = now.terms.numpy()[:, 0].tolist()
        info: dict[str, Any] = {
            "terms": dict(zip(self._env.term_names, values, strict=True)),
            "unhealthy": now.any_unhealthy,
        }
        self._steps += 1
        terminated = now.terminated.item() is True
        timed_out = self._steps >= self._limit
        if terminated or timed_out:
            info["metrics"] = {name: float(value) for name, value in self._env.task.metrics().items()}
        return _out(now.observation), sum(values), terminated, timed_out and self._truncates and not terminated, info

    def render(self) -> np.ndarray | None:  # type: ignore[override]
        """(height, width, 3) uint8 picture that follows the body, in the mode ``rgb_array``."""
        if self.render_mode is None:
            return None
        if self._camera is None:
            self._camera = Camera(self._env.world, self._env.scene.entities[self._env.task.agents[0]].bodies[0])
        return self._camera.frame(0)

    def close(self) -> None:
        """Frees the world and the camera."""
        if self._camera is not None:
            self._camera.close()
            self._camera = None
        self._env.close()


class UntimedGymnasiumEnv(GymnasiumEnv):
    """The same behind ids that declare a time limit: ``gymnasium.make`` puts its own ``TimeLimit`` around it."""

    _truncates = False


def _out(observation: Observation) -> dict[str, np.ndarray]:
    return {name: group.numpy()[0].copy() for name, group in observation.items()}
