"""The Stable-Baselines3 door: a batched environment as its ``VecEnv``, without a Python loop over worlds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
import torch
from stable_baselines3.common.vec_env import VecEnv

from embodied.envs.doors.unit_actions import UnitActions
from embodied.vector_env import Observation, VectorEnv


class StableBaselines3Env(VecEnv):
    """W worlds. The observation is an array where there is one group, a dictionary of arrays where there are more.

    The one goes with ``MlpPolicy``, the other with ``MultiInputPolicy``. Environments from elsewhere go through it too.
    """

    def __init__(self, env: VectorEnv) -> None:
        """Takes the environment over."""
        self.env = env
        groups = env.observation_space.spaces
        self._single = next(iter(groups)) if len(groups) == 1 else None
        space = groups[self._single] if self._single else env.observation_space
        self._actions: torch.Tensor | None = None
        self._seed: int | None = None
        self._task_actions = UnitActions(env.action_space)
        super().__init__(env.num_worlds, space, self._task_actions.space)

    def _out(self, observation: Observation) -> Any:
        if self._single:
            return observation[self._single].cpu().numpy()
        return {name: group.cpu().numpy() for name, group in observation.items()}

    def reset(self) -> Any:
        """Begins an episode in every world."""
        observation, _ = self.env.reset(self._seed)
        self._seed = None
        return self._out(observation)

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Takes effect at the next reset."""
        self._seed = seed
        return [seed] * self.num_envs

    def step_async(self, actions: np.ndarray) -> None:
        """Notes the actions."""
        self._actions = torch.from_numpy(self._task_actions(actions))

    def step_wait(self) -> tuple[Any, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Steps; only worlds whose episode ended are visited one by one, to give them their ``info``."""
        assert self._actions is not None, "step_async comes before step_wait"
        observation, reward, terminated, truncated, info = self.env.step(self._actions)
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        episode = info["episode"]
        if len(episode["world"]):
            final = self._out(info["final_obs"])
            for row, world in enumerate(episode["world"].tolist()):
                last = final[world] if self._single else {name: group[world] for name, group in final.items()}
                infos[world] = {
                    "terminal_observation": last,
                    "TimeLimit.truncated": bool(truncated[world]),
                    "episode": {"r": float(episode["return"][row]), "l": int(episode["length"][row]), "t": 0.0},
                    "metrics": {name: float(values[row]) for name, values in episode["metrics"].items()},
                }
        return self._out(observation), reward.cpu().numpy(), (terminated | truncated).cpu().numpy(), infos

    def close(self) -> None:
        """Frees the worlds."""
        self.env.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """The attribute of the batched environment, once per world asked for."""
        # The library asks every environment how it renders; a batched one does not.
        value = None if attr_name == "render_mode" else getattr(self.env, attr_name)
        return [value] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Not supported: the worlds share one environment."""
        raise NotImplementedError("worlds of a batched environment have no attributes of their own")

    def env_method(self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any) -> list[Any]:
        """Not supported: the worlds share one environment."""
        raise NotImplementedError("worlds of a batched environment have no methods of their own")

    def env_is_wrapped(self, wrapper_class: type[gymnasium.Wrapper], indices: Any = None) -> list[bool]:
        """Never wrapped."""
        return [False] * len(list(self._get_indices(indices)))
