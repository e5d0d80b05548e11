"""AutoresetEnv: an Env as learners see it, with time limits, episode figures and resets within the step."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from embodied.envs.env import Env
from embodied.senses import ObservationSpec
from embodied.vector_env import Observation


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
        self.episode_steps = env.task.episode_steps
        self.unhealthy_worlds = 0
        """How many episodes ended because their physics failed, since the environment was made."""
        device = env.world.device
        self._all = torch.ones(self.num_worlds, dtype=torch.bool, device=device)
        self._length = torch.zeros(self.num_worlds, dtype=torch.int64, device=device)
        self._sums: Tensor | None = None

    @property
    def observation_spec(self) -> ObservationSpec:
        """What the observation is made of; prints as a table."""
        return self.env.spec

    def reset(self, seed: int | None = None) -> tuple[Observation, dict[str, Any]]:
        """Begins an episode in every world."""
        if seed is not None:
            self.env.generator.manual_seed(seed)
        self._length.zero_()
        if self._sums is not None:
            self._sums.zero_()
        return self.env.reset(self._all), {}

    def step(self, actions: Tensor) -> tuple[Observation, Tensor, Tensor, Tensor, dict[str, Any]]:
        """One control step; see `VectorEnv.step`."""
        if actions.shape != (self.num_worlds, *self.action_space.shape):
            raise ValueError(
                f"actions have shape {tuple(actions.shape)}; expected {(self.num_worlds, *self.action_space.shape)}"
            )
        now = self.env.advance(actions)
        if self._sums is None:
            self._sums = torch.zeros_like(now.terms, dtype=torch.float64)
        self._sums += now.terms
        self._length += 1
        over_time = self._length >= self.episode_steps
        done = now.terminated | over_time
        finished = done.nonzero().squeeze(-1)
        names = self.env.term_names
        sums, length = self._sums[:, finished], self._length[finished]
        info = {
            "terms": dict(zip(names, now.terms, strict=True)),
            "unhealthy": now.unhealthy,
            "final_obs": now.observation,
            "episode": {
                "world": finished,
                "return": sums.sum(dim=0),
                "length": length,
                "terms": dict(zip(names, sums, strict=True)),
            },
        }
        observation = now.observation
        if len(finished):
            self.unhealthy_worlds += int(now.unhealthy.sum())
            self._length[finished] = 0
            self._sums[:, finished] = 0.0
            fresh = self.env.reset(done)
            observation = {name: torch.where(done[:, None], fresh[name], group) for name, group in observation.items()}
        return observation, now.terms.sum(dim=0).float(), now.terminated, over_time & ~now.terminated, info

    def state_dict(self) -> dict[str, Tensor]:
        """All that determines what follows."""
        state = self.env.state_dict() | {"length": self._length.clone()}
        return state if self._sums is None else state | {"sums": self._sums.clone()}

    def load_state_dict(self, state: dict[str, Tensor]) -> Observation:
        """Restores `state_dict` and returns the observation to go on from."""
        self._length.copy_(state["length"])
        self._sums = state["sums"].clone() if "sums" in state else None
        return self.env.load_state_dict(state)

    def close(self) -> None:
        """Frees the worlds."""
        self.world.close()
