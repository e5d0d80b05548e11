"""DeviceVectorEnv: a DeviceEnv as learners see it, with time limits, episode figures and resets within the step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from embodied.envs.contract import refuse_infinite_rewards
from embodied.envs.device_env import DeviceEnv
from embodied.envs.device_episodes import EpisodeFigures, LookedUpEpisodes
from embodied.senses import ObservationSpec
from embodied.vector_env import Observation

POOL_SIZE = 1024
"""Starts drawn at once, at most."""
DRAW_EVERY = 16
"""Control steps between two draws of starts: of as many starts as there are worlds, a draw costs a sixtieth of them."""


class DeviceVectorEnv:
    """The `WaitlessEnv` over a `DeviceEnv`; see there, and `VectorEnv`, for what `step` returns.

    Nothing that `step` does depends on data, so the host runs ahead of the device.

    Worlds whose task's starts are alike begin at ones drawn ahead, which are drawn anew every 16 control steps; see
    `DeviceStartPool`. Others are begun in place, at the price of a forward pass of all worlds in every control step.
    """

    def __init__(self, env: DeviceEnv) -> None:
        self.env = env
        self.num_worlds = env.num_worlds
        self.observation_space = env.spec.space
        self.action_space = env.action_space
        self.control_dt = env.scene.control_dt
        self.decimation = env.scene.decimation
        self.world = env.world
        self.device = env.device
        """Where all tensors lie."""
        self.episode_steps = env.task.episode_steps
        self._all = torch.ones(self.num_worlds, dtype=torch.bool, device=self.device)
        self._steps = torch.zeros(2, self.num_worlds, dtype=torch.int64, device=self.device)
        self._age, self._length = self._steps[0], self._steps[1]
        self._sums = torch.zeros(len(env.term_names), self.num_worlds, device=self.device)
        self._unhealthy = torch.zeros((), dtype=torch.int64, device=self.device)
        self._pool = env.start_pool(min(self.num_worlds, POOL_SIZE)) if env.task.starts_alike else None
        self._since_draw = 0
        self._draw()

    @property
    def observation_spec(self) -> ObservationSpec:
        """What the observation is made of; prints as a table."""
        return self.env.spec

    @property
    def episode_length(self) -> Tensor:
        """(W,) int64, live and writable: the age of each world's episode; see `VectorEnv.episode_length`."""
        return self._age

    @property
    def unhealthy_worlds(self) -> int:
        """How many episodes ended because their physics failed since the environment was made; waits for the device."""
        return int(self._unhealthy)

    @property
    def counters(self) -> dict[str, Tensor]:
        """The World's troubles, rewards that were not finite and starts used twice; see `WaitlessEnv.counters`."""
        counted = {**self.world.counters, "rewards_not_finite": self.env.not_finite.sum()}
        if self._pool is not None:
            counted["starts_reused"] = self._pool.reused
        return counted

    def judge(self, counts: Mapping[str, float] | None = None) -> None:
        """Raises for what must not go on, once `counters` have been read; without them it reads them itself.

        Raises:
            RewardNotFinite: a term of the task's reward was not finite in a healthy world.
        """
        if counts is None or counts["rewards_not_finite"]:
            often = self.env.not_finite.cpu().numpy()
            refuse_infinite_rewards(self.env.task, self.env.term_names, np.where(often, np.nan, 0.0)[:, None])

    def reset(self, seed: int | None = None) -> tuple[Observation, dict[str, Any]]:
        """Begins an episode in every world."""
        if seed is not None:
            self.env.generator.manual_seed(seed)
            self.env.task.restart()
        self._steps.zero_()
        self._sums = torch.zeros_like(self._sums)
        observation = self.env.reset(self._all)
        self._draw()
        return observation, {}

    def _draw(self) -> None:
        self._since_draw = 0
        if self._pool is not None:
            self._pool.draw()

    def step(self, actions: Tensor) -> tuple[Observation, Tensor, Tensor, Tensor, dict[str, Any]]:
        """One control step; see `VectorEnv.step`."""
        now = self.env.advance(actions.to(self.device))
        self._steps += 1
        finished = now.terminated | (self._age >= self.episode_steps)
        sums = self._sums + now.terms
        figures = EpisodeFigures(finished, sums.sum(dim=0), self._length.clone(), self._named(sums), self.env.metrics())
        self._sums = sums.masked_fill(finished, 0.0)
        self._steps.masked_fill_(finished, 0)
        self._unhealthy += now.unhealthy.sum()
        info = {
            "terms": self._named(now.terms),
            "unhealthy": now.unhealthy,
            "final_obs": now.observation,
            "episode": LookedUpEpisodes(figures, self.judge),
            **figures.entries(),
        }
        return self._begin(finished), now.terms.sum(dim=0), now.terminated, finished ^ now.terminated, info

    def _named(self, terms: Tensor) -> dict[str, Tensor]:
        return dict(zip(self.env.term_names, terms.unbind(), strict=True))

    def _begin(self, finished: Tensor) -> Observation:
        if self._pool is None:
            return self.env.reset(finished)
        observation = self.env.begin_at(finished, self._pool.take(finished))
        self._since_draw += 1
        if self._since_draw == DRAW_EVERY:
            self._draw()
        return observation

    def state_dict(self) -> dict[str, Tensor]:
        """All that determines what follows."""
        own = {"steps": self._steps, "sums": self._sums, "unhealthy": self._unhealthy}
        own |= {"not_finite": self.env.not_finite, "troubles": self.world.troubles}
        own = {name: value.clone() for name, value in own.items()}
        if self._pool is not None:
            own |= {f"pool/{name}": value for name, value in self._pool.state_dict().items()}
            own["pool/since"] = torch.tensor(self._since_draw)
        return self.env.state_dict() | own

    def load_state_dict(self, state: Mapping[str, Tensor]) -> Observation:
        """Restores `state_dict`, whose tensors may lie elsewhere, and returns the observation to go on from."""
        self._steps.copy_(state["steps"])
        self._unhealthy.copy_(state["unhealthy"])
        self.env.not_finite.copy_(state["not_finite"])
        self.world.troubles.copy_(state["troubles"])
        self._sums = state["sums"].to(self.device, copy=True)
        if self._pool is not None:
            self._pool.load_state_dict({name: state[f"pool/{name}"] for name in self._pool.state_dict()})
            self._since_draw = int(state["pool/since"])
        return self.env.load_state_dict(state)

    def close(self) -> None:
        """Frees the worlds."""
        if self._pool is not None:
            self._pool.close()
        self.env.close()
