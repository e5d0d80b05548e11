"""Training: collect, update, repeat, and everything about it in one state that can be stored and taken up again."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from embodied.learning.collect import Episodes, Position, collect
from embodied.learning.experience import Experience
from embodied.learning.ppo import PPO, PPOConfig
from embodied.learning.symmetry import SymmetricLearning
from embodied.networks import ActorCritic, PolicyConfig, PolicyShape
from embodied.runs.seeds import generator_seed, stream, torch_generator
from embodied.vector_env import VectorEnv

RECENT = 10
"""Episodes that running means are over. DERL."""
NETWORK, SAMPLING, ENVIRONMENT = range(3)
"""Streams of randomness below a training's seed."""


class Trainer:
    """Trains one policy in one environment.

    Killed between two calls of `iterate` and restored by `load_state` in a new process, it goes on bit for bit.
    """

    def __init__(
        self,
        env: VectorEnv,
        config: PPOConfig,
        steps: int,
        seed: int,
        policy: PolicyConfig = PolicyConfig(),  # noqa: B008 - frozen
        threads: int = 1,
        symmetry: SymmetricLearning | None = None,
    ) -> None:
        """Begins; everything random follows from the seed.

        Args:
            env: is reset.
            config: of PPO.
            steps: environment steps in all; rounded up to whole rollouts.
            seed: of networks, actions, shuffles and the environment.
            policy: what is chosen of the networks.
            threads: of torch during updates.
            symmetry: what is made of mirror images; None for nothing.
        """
        self.env = env
        self.policy = ActorCritic(
            PolicyShape.for_spaces(env.observation_space, env.action_space, policy),
            torch_generator(stream(seed, NETWORK)),
        )
        self.ppo = PPO(self.policy, config, threads, symmetry)
        self.generator = torch_generator(stream(seed, SAMPLING))
        self.experience = Experience(config.rollout_steps, env.num_worlds, env.observation_space, env.action_space)
        self.samples = config.rollout_steps * env.num_worlds * getattr(env, "hold", 1)
        """Control steps of one iteration, of each latent all that it may be held for."""
        self.iterations = math.ceil(steps / self.samples)
        self.iteration = 0
        self.episodes = 0
        self.unhealthy_episodes = 0
        self._recent: dict[str, deque[float]] = {}
        observation, _ = env.reset(generator_seed(stream(seed, ENVIRONMENT)))
        self._position = Position(observation, self.policy.initial_memory(env.num_worlds))

    @property
    def steps(self) -> int:
        """Environment steps made."""
        return self.iteration * self.samples

    @property
    def finished(self) -> bool:
        """Whether all steps are made."""
        return self.iteration >= self.iterations

    def iterate(self) -> dict[str, float]:
        """One rollout and what is learned from it; returns its metrics."""
        episodes = collect(self.env, self.policy, self.experience, self._position, self.generator)
        remaining = 1.0 - self.iteration / self.iterations
        metrics = self.ppo.update([self.experience], remaining, self.generator)
        self.iteration += 1
        self._note(episodes)
        recent = {f"episode/{name}": sum(last) / len(last) for name, last in self._recent.items()}
        return {**recent, **metrics, "episodes": self.episodes, "unhealthy_episodes": self.unhealthy_episodes}

    def _note(self, episodes: Episodes) -> None:
        self.episodes += len(episodes.returns)
        self.unhealthy_episodes += episodes.unhealthy
        for name, values in {"return": episodes.returns, "length": episodes.lengths, **episodes.terms}.items():
            if values:
                self._recent.setdefault(name, deque(maxlen=RECENT)).extend(values)

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Tensors and plain facts that hold the whole training."""
        parts = {
            "policy": self.policy.state_dict(),
            "ppo": self.ppo.state_dict(),
            "env": self.env.state_dict(),
            "observation": self._position.observation,
            "learner": {
                "generator": self.generator.get_state(),
                "discounted_return": self.experience.discounted_return,
                **{f"memory/{i}": tensor for i, tensor in enumerate(self._position.memory)},
            },
        }
        tensors = {f"{part}/{name}": t.detach().clone() for part, named in parts.items() for name, t in named.items()}
        facts = {
            "iteration": self.iteration,
            "steps": self.steps,
            "episodes": self.episodes,
            "unhealthy_episodes": self.unhealthy_episodes,
            "recent": {name: list(values) for name, values in self._recent.items()},
            "policy": self.policy.shape.as_dict(),
        }
        return tensors, facts

    def load_state(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Takes up what `state` gave."""

        def part(name: str) -> dict[str, Tensor]:
            return {key.removeprefix(f"{name}/"): t for key, t in tensors.items() if key.startswith(f"{name}/")}

        self.policy.load_state_dict(part("policy"))
        self.ppo.load_state_dict(part("ppo"))
        observation = self.env.load_state_dict(part("env"))
        learner = part("learner")
        self.generator.set_state(learner["generator"])
        self.experience.discounted_return.copy_(learner["discounted_return"])
        memory = tuple(learner[f"memory/{i}"] for i in range(len(self._position.memory)))
        self._position = Position(observation, memory)
        self.iteration = int(facts["iteration"])
        self.episodes = int(facts["episodes"])
        self.unhealthy_episodes = int(facts["unhealthy_episodes"])
        self._recent = {name: deque(values, maxlen=RECENT) for name, values in facts["recent"].items()}
