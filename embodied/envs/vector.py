"""AutoresetEnv: an Env as learners see it, with time limits, episode figures and resets within the step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from embodied.envs.env import Env
from embodied.envs.start_pool import Starts
from embodied.senses import ObservationSpec
from embodied.vector_env import Observation

POOL_SIZE = 64
"""Starts drawn at once, at most."""


class EndedEpisodes(Mapping[str, Any]):
    """``info["episode"]``: figures laid out when they are looked at, which costs as much as computing them."""

    def __init__(
        self,
        worlds: np.ndarray,
        lengths: np.ndarray,
        sums: np.ndarray,
        term_names: tuple[str, ...],
        metrics: dict[str, np.ndarray],
    ) -> None:
        """Of k episodes: worlds (k,), lengths (k,), sums of the reward's terms (terms, k), and metrics (k,) each."""
        self._worlds, self._lengths, self._sums = worlds, lengths, sums
        self._term_names, self._metrics = term_names, metrics

    def __getitem__(self, name: str) -> Any:
        """See `VectorEnv.step`."""
        if name == "world":
            return torch.from_numpy(self._worlds)
        if name == "return":
            return torch.from_numpy(self._sums.sum(axis=0))
        if name == "length":
            return torch.from_numpy(self._lengths)
        if name == "terms":
            return {term: torch.from_numpy(row) for term, row in zip(self._term_names, self._sums, strict=True)}
        if name == "metrics":
            return {metric: torch.from_numpy(values) for metric, values in self._metrics.items()}
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(("world", "return", "length", "terms", "metrics"))

    def __len__(self) -> int:
        return 5


class AutoresetEnv:
    """The `VectorEnv` over an `Env`; see there for what `step` returns."""

    def __init__(self, env: Env) -> None:
        self.env = env
        self.num_worlds = env.num_worlds
        self.observation_space = env.spec.space
        self.action_space = env.action_space
        self.control_dt = env.scene.control_dt
        self.decimation = env.scene.decimation
        self.world = env.world
        self.device = env.world.device
        self.episode_steps = env.task.episode_steps
        self.unhealthy_worlds = 0
        """How many episodes ended because their physics failed, since the environment was made."""
        self._all = torch.ones(self.num_worlds, dtype=torch.bool, device=self.device)
        # Episode figures are kept in numpy; see ObservationSpec.read for why.
        self._steps = np.zeros((2, self.num_worlds), dtype=np.int64)
        self._age, self._length = self._steps
        self._sums = np.zeros((len(env.term_names), self.num_worlds))
        ahead = env.task.starts_alike and not env.task.refreshes_constants
        self._pool = env.start_pool(min(self.num_worlds, POOL_SIZE)) if ahead else None
        self._nothing_ended = self._ended(np.empty(0, dtype=np.int64))

    @property
    def observation_spec(self) -> ObservationSpec:
        """What the observation is made of; prints as a table."""
        return self.env.spec

    @property
    def episode_length(self) -> Tensor:
        """(W,) int64, live and writable: the age of each world's episode; see `VectorEnv.episode_length`."""
        return torch.from_numpy(self._age)

    def reset(self, seed: int | None = None) -> tuple[Observation, dict[str, Any]]:
        """Begins an episode in every world."""
        if seed is not None:
            self.env.generator.manual_seed(seed)
            self.env.task.restart()
            if self._pool is not None:
                self._pool.discard()
        self._steps[:] = 0
        self._sums[:] = 0.0
        return self.env.reset(self._all), {}

    def step(self, actions: Tensor) -> tuple[Observation, Tensor, Tensor, Tensor, dict[str, Any]]:
        """One control step; see `VectorEnv.step`."""
        now = self.env.advance(actions)
        terms, terminated = now.terms.numpy(), now.terminated.numpy()
        self._sums += terms
        self._steps += 1
        done = terminated | (self._age >= self.episode_steps)
        finished = done.nonzero()[0]
        info = {
            "terms": {name: torch.from_numpy(row) for name, row in zip(self.env.term_names, terms, strict=True)},
            "unhealthy": now.unhealthy,
            "final_obs": now.observation,
            "episode": self._ended(finished) if len(finished) else self._nothing_ended,
        }
        observation = now.observation
        reward, truncated = terms.sum(axis=0).astype(np.float32), done ^ terminated
        if len(finished):
            if now.any_unhealthy:
                self.unhealthy_worlds += int(now.unhealthy.sum())
            self._steps[:, finished] = 0
            self._sums[:, finished] = 0.0
            if self._pool is None:
                observation = self.env.reset(torch.from_numpy(done))
            else:
                observation = self.env.begin_at(finished, self._pool.take(len(finished)))
        return observation, torch.from_numpy(reward), now.terminated, torch.from_numpy(truncated), info

    def _ended(self, finished: np.ndarray) -> EndedEpisodes:
        """The episodes that ended in these worlds."""
        metrics = {name: value.numpy()[finished] for name, value in self.env.task.metrics().items()}
        return EndedEpisodes(finished, self._length[finished], self._sums[:, finished], self.env.term_names, metrics)

    def standing(self, worlds: np.ndarray) -> tuple[Starts, np.ndarray, np.ndarray]:
        """All that worlds with these numbers (k,) go on from, copied: for `put_back`."""
        return self.env.starts_of(worlds), self._steps[:, worlds], self._sums[:, worlds]

    def put_back(self, worlds: np.ndarray, standing: tuple[Starts, np.ndarray, np.ndarray]) -> Observation:
        """Puts these worlds where `standing` found them; returns the observation of all worlds.

        What happened to them since is as if it had not; but for the generator, which has drawn for it.
        """
        starts, self._steps[:, worlds], self._sums[:, worlds] = standing
        observation = self.env.begin_at(worlds, starts)
        if self.env.task.refreshes_constants:
            mask = torch.zeros_like(self._all)
            mask[torch.from_numpy(worlds)] = True
            self.world.refresh_constants(mask)
        return observation

    def state_dict(self) -> dict[str, Tensor]:
        """All that determines what follows."""
        own = {"steps": torch.from_numpy(self._steps.copy()), "sums": torch.from_numpy(self._sums.copy())}
        if self._pool is not None:
            own |= {f"pool/{name}": value for name, value in self._pool.state_dict().items()}
        return self.env.state_dict() | own

    def load_state_dict(self, state: dict[str, Tensor]) -> Observation:
        """Restores `state_dict` and returns the observation to go on from."""
        self._steps[:] = state["steps"].numpy()
        self._sums[:] = state["sums"].numpy()
        if self._pool is not None:
            self._pool.load_state_dict({name: state[f"pool/{name}"] for name in self._pool.state_dict()})
        return self.env.load_state_dict(state)

    def close(self) -> None:
        """Frees the worlds."""
        if self._pool is not None:
            self._pool.close()
        self.world.close()
