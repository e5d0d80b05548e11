"""The Gymnasium door: one world as a ``gymnasium.Env``, under ids like ``embodied/Flat-v0``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch

from embodied.envs.env import Env
from embodied.envs.make import bodies_of
from embodied.physics.camera import Camera
from embodied.tasks import find_task
from morphologies import Body, Genome


class GymnasiumEnv(gymnasium.Env[dict[str, np.ndarray], np.ndarray]):
    """One world. Observations are dictionaries of float32 arrays by group."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 50}  # noqa: RUF012 - Gymnasium's own form

    def __init__(
        self, task: str, body: str | Path | Genome | Body | None = None, render_mode: str | None = None
    ) -> None:
        """Makes the world; ``body`` as in `embodied.make`."""
        found = find_task(task)
        self._env = Env(found, bodies_of(found, body), num_worlds=1, seed=0)
        self._one = torch.ones(1, dtype=torch.bool)
        self._steps = 0
        self._camera: Camera | None = None
        self.observation_space = self._env.spec.space  # type: ignore[assignment]
        self.action_space = self._env.action_space
        self.render_mode = render_mode
        self.metadata = {**self.metadata, "render_fps": round(1 / self._env.scene.control_dt)}

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Begins an episode."""
        super().reset(seed=seed)
        if seed is not None:
            self._env.generator.manual_seed(seed)
        self._steps = 0
        return self._out(self._env.reset(self._one)), {}

    def step(self, action: np.ndarray) -> tuple[dict[str, np.ndarray], float, bool, bool, dict[str, Any]]:
        """One control step; ``info`` holds the reward's terms and whether the physics failed."""
        now = self._env.advance(torch.as_tensor(np.asarray(action, dtype=np.float32))[None])
        terms = {name: float(term) for name, term in zip(self._env.term_names, now.terms[:, 0], strict=True)}
        info = {"terms": terms, "unhealthy": bool(now.unhealthy)}
        self._steps += 1
        terminated = bool(now.terminated)
        truncated = self._steps >= self._env.task.episode_steps and not terminated
        return self._out(now.observation), sum(terms.values()), terminated, truncated, info

    def render(self) -> np.ndarray | None:  # type: ignore[override]
        """(height, width, 3) uint8 picture that follows the body, in the mode ``rgb_array``."""
        if self.render_mode != "rgb_array":
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

    @staticmethod
    def _out(observation: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
        return {name: group[0].numpy().copy() for name, group in observation.items()}
