"""The rsl_rl door: a batched environment as its ``VecEnv``."""

from __future__ import annotations

from typing import Any

import torch
from rsl_rl.env import VecEnv
from tensordict import TensorDict

from embodied.runs.errors import UserError
from embodied.vector_env import Observation, VectorEnv, WaitlessEnv

LOOK_EVERY = 24
"""Control steps between two looks at the figures of episodes that ended on a device: each waits for it."""


class RslRlEnv(VecEnv):
    """W worlds. Observation groups keep their names; name them in the runner's ``obs_groups``.

    For an asymmetric critic, name the group ``privileged`` among the critic's and not among the actor's.
    """

    def __init__(self, env: VectorEnv) -> None:
        """Takes the environment over and begins its episodes.

        Raises:
            UserError: its time limit is not known, which rsl_rl must be told.
        """
        if env.episode_steps is None:
            raise UserError("rsl_rl must be told a time limit, and that of this environment is not known")
        self.env = env
        self.num_envs = env.num_worlds
        self.num_actions = int(env.action_space.shape[0])
        self.max_episode_length = env.episode_steps
        self.device = env.device
        self.cfg = {}
        self._ended = _EndedOnDevice() if isinstance(env, WaitlessEnv) else None
        self._observation, _ = env.reset()

    @property
    def episode_length_buf(self) -> torch.Tensor:
        """(W,) The age of each episode; the runner writes it to begin episodes at different ages."""
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
        the sums of their reward's terms and of the task's metrics, which rsl_rl writes down. On a device they come
        every 24 steps, of all that ended in these.
        """
        self._observation, reward, terminated, truncated, info = self.env.step(actions)
        extras: dict[str, Any] = {"time_outs": truncated}
        if self._ended is not None:
            if figures := self._ended.note(info):
                extras["log"] = figures
            return self._out(self._observation), reward, (terminated | truncated).long(), extras
        episode = info["episode"]
        if len(episode["world"]):
            named = {"Terms": episode["terms"], "Metrics": episode["metrics"]}
            extras["log"] = {
                f"{kind}/{name}": values.float().mean() for kind, of in named.items() for name, values in of.items()
            }
        return self._out(self._observation), reward, (terminated | truncated).long(), extras


class _EndedOnDevice:
    """Means over the episodes that ended on a device within a number of steps; the host looks at their end alone."""

    def __init__(self) -> None:
        self._steps = 0
        self._count: torch.Tensor | int = 0
        self._sums: dict[str, torch.Tensor] = {}

    def note(self, info: dict[str, Any]) -> dict[str, torch.Tensor]:
        """Takes a step in; gives the means every so many steps, and nothing at the others or where none ended."""
        finished = info["finished"]
        named = {"Terms": info["episode_terms"], "Metrics": info["episode_metrics"]}
        for kind, of in named.items():
            for name, values in of.items():
                ended = torch.where(finished, values, 0.0).sum()
                self._sums[f"{kind}/{name}"] = self._sums.get(f"{kind}/{name}", 0) + ended
        self._count = self._count + finished.sum()
        self._steps += 1
        if self._steps % LOOK_EVERY:
            return {}
        sums, count = self._sums, self._count
        self._sums, self._count = {}, 0
        return {name: total / count for name, total in sums.items()} if int(count) else {}
