"""The dm_env door: one world as a ``dm_env.Environment``. Needs the extra ``foreign``."""

from __future__ import annotations

from pathlib import Path

import dm_env
import gymnasium
import numpy as np
from dm_env import specs

from embodied.envs.doors.gymnasium import GymnasiumEnv
from embodied.tasks import Task
from morphologies import Body, Genome


class DmEnv(dm_env.Environment):
    """One world. Observations are dictionaries of float32 arrays by group.

    The last step of an episode has discount 0 where the task ended it, and 1 where its time was up.
    """

    def __init__(
        self, task: str | Task, body: str | Path | Genome | Body | None = None, seed: int | None = None
    ) -> None:
        """Makes the world.

        Args:
            task, body: as in `embodied.make`.
            seed: of all episodes; a random one by default.
        """
        self._door = GymnasiumEnv(task, body)
        self._seed = seed
        self._begun = False

    def reset(self) -> dm_env.TimeStep:
        """Begins an episode."""
        observation, _ = self._door.reset(seed=self._seed)
        self._seed = None
        self._begun = True
        return dm_env.restart(observation)

    def step(self, action: np.ndarray) -> dm_env.TimeStep:
        """One control step; behind the last step of an episode, or before any, the action is ignored: one begins."""
        if not self._begun:
            return self.reset()
        observation, reward, terminated, truncated, _ = self._door.step(action)
        self._begun = not (terminated or truncated)
        if terminated:
            return dm_env.termination(reward, observation)
        if truncated:
            return dm_env.truncation(reward, observation)
        return dm_env.transition(reward, observation)

    def observation_spec(self) -> dict[str, specs.BoundedArray]:  # type: ignore[override]
        """By group."""
        groups: gymnasium.spaces.Dict = self._door.observation_space  # type: ignore[assignment]
        return {name: _bounded(space, name) for name, space in groups.spaces.items()}

    def action_spec(self) -> specs.BoundedArray:  # type: ignore[override]
        """Named after the actuators, tabs between them, as dm_control does."""
        return _bounded(self._door.action_space, "\t".join(self._door.actuator_names))

    def control_timestep(self) -> float:
        """Time between two steps, s."""
        return self._door.control_dt

    def close(self) -> None:
        """Frees the world."""
        self._door.close()


def _bounded(space: gymnasium.Space, name: str) -> specs.BoundedArray:
    assert isinstance(space, gymnasium.spaces.Box), f"{name} is no Box space but {space}"
    return specs.BoundedArray(space.shape, space.dtype, space.low, space.high, name)
