"""The batched Gymnasium door: a ``gymnasium.vector.VectorEnv`` without a loop over worlds."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from embodied.envs.doors.unit_actions import UnitActions
from embodied.envs.env import Env
from embodied.envs.make import bodies_of
from embodied.envs.vector import AutoresetEnv
from embodied.physics.camera import Camera
from embodied.tasks import Task, find_task
from embodied.vector_env import Observation
from morphologies import Body, Genome

PICTURES = 16
"""Worlds that are drawn at most: each costs as much as the next."""

Array = np.ndarray
Groups = dict[str, np.ndarray]


class GymnasiumVectorEnv(gymnasium.vector.VectorEnv[Groups, Array, Array]):
    """W worlds, each reset within the step that ends its episode: ``AutoresetMode.SAME_STEP``.

    All worlds draw from one generator, so one seed makes all of them repeatable, and a world's start depends on how
    many there are. One world is the one-world door, bit for bit; of more, each goes on from its start as the one-world
    door would.
    """

    def __init__(
        self,
        task: str | Task,
        body: str | Path | Genome | Body | None = None,
        num_envs: int = 1,
        render_mode: str | None = None,
        max_episode_steps: int | None = None,
        threads: int | None = None,
    ) -> None:
        """Makes the worlds.

        Args:
            task, body: as in `embodied.make`.
            num_envs: W.
            render_mode: ``rgb_array`` or None.
            max_episode_steps: control steps after which an episode is truncated; the task's own by default, -1 for
                never.
            threads: for the physics; by default all usable cores.
        """
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode must be rgb_array or None, not {render_mode!r}")
        if max_episode_steps is not None and max_episode_steps < 1 and max_episode_steps != -1:
            raise ValueError(f"max_episode_steps must be at least 1, or -1 for no limit, not {max_episode_steps}")
        found = find_task(task)
        seed = int(self.np_random.integers(2**63))
        self.env = AutoresetEnv(Env(found, bodies_of(found, body), num_envs, seed, threads))
        if max_episode_steps is not None:
            self.env.episode_steps = max_episode_steps if max_episode_steps > 0 else np.iinfo(np.int64).max
        self.num_envs = num_envs
        self.single_observation_space = self.env.observation_space
        self._task_actions = UnitActions(self.env.action_space)
        self.single_action_space = self._task_actions.space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.render_mode = render_mode
        self.metadata = {
            "render_modes": ["rgb_array"],
            "render_fps": round(1 / self.env.control_dt),
            "autoreset_mode": AutoresetMode.SAME_STEP,
        }
        self._began = np.full(num_envs, time.perf_counter())
        self._camera: Camera | None = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Groups, dict[str, Any]]:
        """Begins an episode in every world.

        Raises:
            TypeError: a seed per world.
            ValueError: an option ``reset_mask``.
        """
        if not (seed is None or isinstance(seed, int | np.integer)):
            raise TypeError(f"the worlds share one generator: give one seed for all of them, not {seed!r}")
        if options and "reset_mask" in options:
            raise ValueError("worlds are reset within the step that ends their episode; reset_mask is not for them")
        super().reset(seed=seed)
        self._began[:] = time.perf_counter()
        observation, _ = self.env.reset(None if seed is None else int(seed))
        return _out(observation), {}

    def step(self, actions: Array) -> tuple[Groups, Array, Array, Array, dict[str, Any]]:
        """One control step with actions (W, n).

        ``info`` is as Gymnasium's own vector environments give it, each entry with a mask beside it under an
        underscore: ``terms`` and ``unhealthy`` where an episode goes on; where one ended, ``final_obs`` and, within
        ``final_info``, ``terms``, ``unhealthy``, ``metrics`` and ``episode``: its return ``r``, length ``l`` and
        duration ``t`` in s. ``gymnasium.wrappers.vector.RecordEpisodeStatistics`` adds the last to ``info`` itself.
        """
        given = self._task_actions(actions)
        observation, _, terminated, truncated, now = self.env.step(torch.from_numpy(given))
        terms = {name: term.numpy() for name, term in now["terms"].items()}
        done = (terminated | truncated).numpy()
        unhealthy = now["unhealthy"].numpy()
        info = _masked({"terms": _masked(terms, ~done), "unhealthy": unhealthy}, ~done)
        if done.any():
            final = {"terms": _masked(terms, done), "unhealthy": unhealthy, **self._episode(now["episode"], done)}
            info |= _masked({"final_obs": _rows(now["final_obs"], done), "final_info": _masked(final, done)}, done)
        # From the terms: in float64, as the one-world door adds them up.
        reward = np.zeros(self.num_envs)
        for term in terms.values():
            reward += term
        return _out(observation), reward, terminated.numpy(), truncated.numpy(), info

    def _episode(self, episode: dict[str, Any], done: Array) -> dict[str, Any]:
        """Figures of the episodes that ended, in rows of all worlds."""
        now = time.perf_counter()

        def spread(values: Any) -> Array:
            values = np.asarray(values)
            rows = np.zeros((self.num_envs, *values.shape[1:]), dtype=values.dtype)
            rows[done] = values
            return rows

        figures = {
            "r": spread(episode["return"]),
            "l": spread(episode["length"]),
            "t": spread(np.round(now - self._began[done], 6)),
        }
        self._began[done] = now
        metrics = {name: spread(values) for name, values in episode["metrics"].items()}
        return {"metrics": _masked(metrics, done), "episode": _masked(figures, done)}

    def render(self) -> tuple[Array, ...] | None:  # type: ignore[override]
        """A picture of each world, of the first 16 where there are more; see the one-world door's."""
        if self.render_mode is None:
            return None
        if self._camera is None:
            agent = self.env.env.scene.entities[self.env.env.task.agents[0]]
            self._camera = Camera(self.env.world, agent.bodies[0])
        return tuple(self._camera.frame(world).copy() for world in range(min(self.num_envs, PICTURES)))

    def close_extras(self, **kwargs: Any) -> None:
        """Frees worlds and camera."""
        if self._camera is not None:
            self._camera.close()
            self._camera = None
        self.env.close()


def _masked(entries: dict[str, Any], mask: Array) -> dict[str, Any]:
    """Entries for some of the worlds, 0 in the rows of others, each with the mask of those it is for beside it."""
    out: dict[str, Any] = {}
    for name, rows in entries.items():
        if isinstance(rows, np.ndarray) and rows.dtype != object:
            rows = np.where(mask.reshape(-1, *[1] * (rows.ndim - 1)), rows, np.zeros((), dtype=rows.dtype))
        out |= {name: rows, f"_{name}": mask.copy()}
    return out


def _rows(observation: Observation, mask: Array) -> Array:
    """(W,) An object array with one world's groups where the mask holds, None elsewhere."""
    rows = np.full(len(mask), None, dtype=object)
    for world in mask.nonzero()[0]:
        rows[world] = {name: group[world].numpy().copy() for name, group in observation.items()}
    return rows


def _out(observation: Observation) -> Groups:
    return {name: group.numpy().copy() for name, group in observation.items()}
