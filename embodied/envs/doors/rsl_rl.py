"""The rsl_rl door: a batched environment as its ``VecEnv``."""

from __future__ import annotations

from typing import Any

import torch
from rsl_rl.env import VecEnv
from tensordict import TensorDict

from embodied.envs.vector import AutoresetEnv
from embodied.vector_env import Observation


class RslRlEnv(VecEnv):
    """W worlds. Observation groups keep their names; name them in the runner's ``obs_groups``.

    For an asymmetric critic, name the group ``privileged`` among the critic's and not among the actor's.
    """

    def __init__(self, env: AutoresetEnv) -> None:
        """Takes the environment over and begins its episodes."""
        self.env = env
        self.num_envs = env.num_worlds
        self.num_actions = int(env.action_space.shape[0])
        self.max_episode_length = env.episode_steps
        self.device = env.world.device
        self.cfg = {}
        self._observation, _ = env.reset()

    @property
    def episode_length_buf(self) -> torch.Tensor:
        """(W,) Steps made of each episode; the runner writes it to begin episodes at different ages."""
        return self.env.episode_length

    @episode_length_buf.setter
    def episode_length_buf(self, steps: torch.Tensor) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self.env.episode_length.copy_(steps)

    def _out(self, observation: Observation) -> TensorDict:
        return TensorDict(dict(observation), batch_size=[self.num_envs])

    def get_observations(self) -> TensorDict:
        """The current observation."""
        return self._out(self._observation)

    def reset(self) -> tuple[TensorDict, dict[str, Any]]:
        """Begins an episode in every world."""
        self._observation, _ = self.env.reset()
        return self._out(self._observation), {}

    def step(self, actions: torch.Tensor) -> tuple[TensorDict, torch.Tensor, torch.Tensor, dict[str, Any]]:
        """One control step.

        ``time_outs`` marks truncated worlds, which rsl_rl bootstraps; ``log`` has means over the episodes that ended of
        the sums of their reward's terms and of the task's metrics, which rsl_rl writes down.
        """
        self._observation, reward, terminated, truncated, info = self.env.step(actions)
        extras: dict[str, Any] = {"time_outs": truncated}
        episode = info["episode"]
        if len(episode["world"]):
            named = {"Terms": episode["terms"], "Metrics": episode["metrics"]}
            extras["log"] = {
                f"{kind}/{name}": values.float().mean() for kind, of in named.items() for name, values in of.items()
            }
        return self._out(self._observation), reward, (terminated | truncated).long(), extras
