"""Pre-training: rollouts under latents, updates, and everything about them in one state that can be taken up again."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from embodied.envs import AutoresetEnv
from embodied.runs.seeds import generator_seed, stream, torch_generator
from embodied.skills.ase.config import ASEConfig
from embodied.skills.ase.greedy import noise_probabilities, noisy_mask
from embodied.skills.ase.latents import LatentSchedule
from embodied.skills.ase.learner import ASELearner
from embodied.skills.ase.policy import STYLE, SkillPolicy, SkillShape
from embodied.skills.ase.prior import ASEPrior, Origin
from embodied.skills.ase.repertoire import Repertoire
from embodied.skills.ase.rollout import SkillRollout, Standing, collect_skills
from embodied.skills.ase.sightings import Sightings
from embodied.skills.ase.windows import ClipWindows, LatestWindows, Past
from embodied.skills.motion_task import MotionTask

NETWORK, SAMPLING, ENVIRONMENT, CLIPS, TEACHING = range(5)
"""Streams of randomness below a training's seed."""


class ASETrainer:
    """Learns one robot's repertoire.

    Killed between two calls of `iterate` and restored by `load_state` in a new process, it goes on bit for bit.
    """

    def __init__(self, env: AutoresetEnv, config: ASEConfig, steps: int, seed: int, threads: int = 1) -> None:
        """Begins; everything random follows from the seed.

        Args:
            env: plays a `MotionTask`; is reset.
            config: hyperparameters.
            steps: environment steps in all; rounded up to whole rollouts.
            seed: of networks, latents, actions, shuffles, the clips' windows and the environment.
            threads: of torch during updates.
        """
        assert isinstance(env.env.task, MotionTask)
        self.env, self.config = env, config
        self._memory = env.env.task.memory
        bounds = torch.from_numpy(env.action_space.low.copy()), torch.from_numpy(env.action_space.high.copy())
        shape = SkillShape.for_spaces(env.observation_space, env.action_space, config)
        self.policy = SkillPolicy(shape, torch_generator(stream(seed, NETWORK)), bounds, _spread(env.env.task))
        task, spec = env.env.task, env.observation_spec
        read = {name: spec.groups[name] for name in shape.actor_groups}
        self.origin = Origin(task.library.robot, env.control_dt, read)
        self.clips = ClipWindows(task, config.window, env.control_dt)
        real = self.clips.draw(config.clip_windows, torch_generator(stream(seed, CLIPS)))
        self.learner = ASELearner(self.policy, config, real, threads)
        self.sightings = Sightings(Repertoire.of(self.clips, spec))
        self.generator = torch_generator(stream(seed, SAMPLING))
        self.rollout = SkillRollout(config.rollout_steps, env, self.policy)
        self.samples = config.rollout_steps * env.num_worlds
        """Environment steps of one iteration."""
        self.resting = 0
        """Rollouts at the beginning from which the actor does not learn."""
        self.iterations = math.ceil(steps / self.samples)
        self.iteration = 0
        self.episodes = 0
        self.unhealthy_episodes = 0
        self.told = ""
        """A few words about the latest iteration."""
        self._length = 0.0
        self._noisy = noise_probabilities(env.num_worlds) if config.greedy_share else torch.ones(env.num_worlds)
        observation, _ = env.reset(generator_seed(stream(seed, ENVIRONMENT)))
        everywhere = torch.arange(env.num_worlds)
        self._standing = Standing(
            observation,
            LatestWindows(self.clips, observation[STYLE], self._past(everywhere)),
            LatentSchedule(env.num_worlds, config.latent, config.longest_skill, self.generator),
        )

    @property
    def steps(self) -> int:
        """Environment steps made."""
        return self.iteration * self.samples

    @property
    def finished(self) -> bool:
        """Whether all steps are made."""
        return self.iteration >= self.iterations

    def _past(self, worlds: Tensor) -> Past:
        return self._memory["clip"][worlds], self._memory["clip_time"][worlds]

    def prior(self) -> ASEPrior:
        """What was learned so far, frozen: a copy."""
        return ASEPrior(copy.deepcopy(self.policy), self.origin)

    def iterate(self) -> dict[str, float]:
        """One rollout and what is learned from it; returns its metrics."""
        rollout = self.rollout
        rollout.noisy.copy_(noisy_mask(self.config.rollout_steps, self._noisy, self.generator))
        noise = torch.randn(rollout.experience.actions.shape, generator=self.generator)
        episodes = collect_skills(
            self.env, self.policy, rollout, self._standing, self._past, noise, self.config.action_std
        )
        metrics = self.learner.update(rollout, self.generator, self.iteration >= self.resting)
        metrics |= self.sightings.note(rollout)
        self.iteration += 1
        self.episodes += len(episodes.returns)
        self.unhealthy_episodes += episodes.unhealthy
        if episodes.lengths:
            self._length = sum(episodes.lengths) / len(episodes.lengths)
        if "discriminator/agreement" in metrics:
            self.told = (
                f"style {metrics['reward/style']:.2f}, agreement {metrics['discriminator/agreement']:.2f}, "
                f"{metrics['clips/effective']:.1f} clips"
            )
        counts = {"episodes": self.episodes, "unhealthy_episodes": self.unhealthy_episodes}
        return {"episode/length": self._length, **metrics, **counts}

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Tensors and plain facts that hold the whole training."""
        parts = {
            "policy": self.policy.state_dict(),
            "learner": self.learner.state_dict(),
            "env": self.env.state_dict(),
            "observation": self._standing.observation,
            "schedule": self._standing.schedule.state_dict(),
            "sightings": self.sightings.state_dict(),
            "own": {"generator": self.generator.get_state(), "windows": self._standing.windows.frames},
        }
        tensors = {f"{part}/{name}": t.detach().clone() for part, named in parts.items() for name, t in named.items()}
        facts = {
            "iteration": self.iteration,
            "steps": self.steps,
            "episodes": self.episodes,
            "unhealthy_episodes": self.unhealthy_episodes,
            "length": self._length,
            "skills": self.policy.shape.as_dict(),
            "origin": self.origin.as_dict(),
        }
        return tensors, facts

    def load_state(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Takes up what `state` gave."""

        def part(name: str) -> dict[str, Tensor]:
            return {key.removeprefix(f"{name}/"): t for key, t in tensors.items() if key.startswith(f"{name}/")}

        self.policy.load_state_dict(part("policy"))
        self.learner.load_state_dict(part("learner"))
        self._standing.observation = self.env.load_state_dict(part("env"))
        self._standing.schedule.load_state_dict(part("schedule"))
        self.sightings.load_state_dict(part("sightings"))
        own = part("own")
        self._standing.windows.frames.copy_(own["windows"])
        self.generator.set_state(own["generator"])
        self.iteration = int(facts["iteration"])
        self.episodes = int(facts["episodes"])
        self.unhealthy_episodes = int(facts["unhealthy_episodes"])
        self._length = float(facts["length"])


def _spread(task: MotionTask) -> Tensor:
    """(n,) Standard deviation over the clips of the actions that would hold their joints."""
    entity = task.robot.entity
    joints = np.concatenate([clip.joint_pos for clip in task.library.clips])[:, entity.driven]
    return torch.from_numpy(np.maximum(joints.std(axis=0) / entity.action_map[1], 1e-3)).float()
