"""Training of M policies as one, and everything about it in one state. Counterpart of `Trainer`, also for one policy.

World w of the environment is of member w // k, k = W / M. Each member gets what a `Trainer` of its own with k worlds
would have given it: weights, noise and shuffles from its own seed, statistics and decisions of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from embodied.learning.ppo import PPOConfig, TrainingDiverged
from embodied.learning.stacked.collect import collect
from embodied.learning.stacked.episodes import RecentEpisodes
from embodied.learning.stacked.experience import StackedExperience
from embodied.learning.stacked.policy import StackedPolicy, below
from embodied.learning.stacked.precision import matrix_products
from embodied.learning.stacked.report import Report
from embodied.learning.stacked.shuffles import Shuffles
from embodied.learning.stacked.time_limits import FinalObservations
from embodied.learning.stacked.update import StackedConfig, StackedPPO
from embodied.learning.symmetry import SymmetricLearning
from embodied.learning.trainer import ENVIRONMENT, NETWORK, RECENT, SAMPLING
from embodied.networks import ActorCritic, PolicyConfig, PolicyShape
from embodied.runs.seeds import generator_seed, stream, torch_generator
from embodied.vector_env import VectorEnv, WaitlessEnv


class StackedTrainer:
    """Trains M policies in one environment, on the environment's device.

    Killed between two calls of `iterate` and restored by `load_state` in a new process, it goes on bit for bit where
    the environment does; on a CPU it does.
    """

    def __init__(
        self,
        env: VectorEnv,
        config: PPOConfig,
        steps: int,
        seeds: Sequence[int],
        policy: PolicyConfig = PolicyConfig(),  # noqa: B008 - frozen
        stacked: StackedConfig = StackedConfig(),  # noqa: B008 - frozen
        symmetry: SymmetricLearning | None = None,
    ) -> None:
        """Begins; everything random follows from the seeds.

        Args:
            env: is reset.
            config: of PPO, for all members.
            steps: environment steps of each member in all; rounded up to whole rollouts.
            seeds: one per member, of its network, actions and shuffles; the first is the environment's too.
            policy: what is chosen of the networks.
            stacked: how learning works on the device.
            symmetry: what is made of mirror images, the same for all members; None for nothing.

        Raises:
            ValueError: the worlds cannot be shared out evenly.
        """
        members = len(seeds)
        if members == 0 or env.num_worlds % members:
            raise ValueError(f"{env.num_worlds} worlds cannot be shared out evenly among {members} members")
        self.env = env
        self.config, self._stacked = config, stacked
        self._waitless = env if isinstance(env, WaitlessEnv) else None
        self.device = env.device
        shape = PolicyShape.for_spaces(env.observation_space, env.action_space, policy)
        self.policies = StackedPolicy(
            [ActorCritic(shape, torch_generator(stream(seed, NETWORK))) for seed in seeds], self.device
        )
        self.generators = [
            torch.Generator(self.device).manual_seed(generator_seed(stream(seed, SAMPLING))) for seed in seeds
        ]
        self.experience = StackedExperience(config.rollout_steps, env.num_worlds, self.policies)
        self.ppo = StackedPPO(
            self.policies, config, self.experience, stacked.graph, symmetry and symmetry.to(self.device)
        )
        self._shuffles = Shuffles(self.generators, config.epochs, self.experience.size, self.device)
        self._final = FinalObservations(self.policies, self.experience, env.episode_steps)
        self._episodes = RecentEpisodes(config.rollout_steps, env.num_worlds, members, RECENT, self.device)
        self.samples = self.experience.size
        """Environment steps of one iteration and member."""
        self.iterations = math.ceil(steps / self.samples)
        self.iteration = 0
        self.member_metrics: list[dict[str, float]] = [{} for _ in seeds]
        """Of the last iteration; when it was made by another process, only how many episodes have ended."""
        self.diverged = [False] * members
        """Members that train no more because their losses were not finite; they keep the policy they had before."""
        self._observation, _ = env.reset(generator_seed(stream(seeds[0], ENVIRONMENT)))

    @property
    def steps(self) -> int:
        """Environment steps made by each member."""
        return self.iteration * self.samples

    @property
    def finished(self) -> bool:
        """Whether all steps are made."""
        return self.iteration >= self.iterations

    @property
    def policy(self) -> ActorCritic:
        """A copy, on the CPU, of the policy of the only member, or of the first."""
        return self.policies.member(0)

    def member(self, member: int) -> ActorCritic:
        """A copy, on the CPU, of one member's policy."""
        return self.policies.member(member)

    def iterate(self) -> dict[str, float]:
        """One rollout and what is learned from it; returns its metrics, means over the members that go on.

        Those of each member are left in `member_metrics`.

        Raises:
            TrainingDiverged: no member is left that could go on.
        """
        report = Report()
        with torch.no_grad(), matrix_products(self._stacked.matmul, self.device):
            self._observation = collect(
                self.env,
                self.policies,
                self.experience,
                self._final,
                self._episodes,
                self._observation,
                self.generators,
            )
            figures = self._learn()
        for name, values in figures.items():
            report.add(name, values)
        self._add_episodes(report)
        report.add("diverged", self.ppo.diverged)
        report.add("overfull", self._final.overfull)
        counters = self._waitless.counters if self._waitless else {}
        for name, count in counters.items():
            report.add(f"env/{name}", count)
        self._take_in(report.read(), list(figures), list(counters))
        self.iteration += 1
        return self._means()

    def _learn(self) -> dict[str, Tensor]:
        """The first rollout only fills the normalisers."""
        self.ppo.observe_rewards()
        figures: dict[str, Tensor] = {}
        if self.iteration:
            figures = self.ppo.update(1.0 - self.iteration / self.iterations, self._shuffles.draw())
        self.ppo.learn_normalisers()
        return figures

    def _add_episodes(self, report: Report) -> None:
        episodes = self._episodes
        report.add("known", episodes.known)
        report.add("episodes", episodes.ended)
        report.add("unhealthy_episodes", episodes.unhealthy)
        for name, mean in zip(episodes.names, episodes.means().unbind(1), strict=True):
            report.add(f"episode/{name}", mean)

    def _take_in(self, numbers: dict[str, list[float]], figures: list[str], counters: list[str]) -> None:
        """Turns what was read into metrics and decisions."""
        if numbers["overfull"][0]:
            raise RuntimeError(
                f"the environment truncated a world more often in {self.config.rollout_steps} steps than its "
                f"episode_steps of {self.env.episode_steps} allows"
            )
        counts = {name: numbers[f"env/{name}"][0] for name in counters}
        if self._waitless:
            self._waitless.judge(counts)
        self.diverged = [bool(value) for value in numbers["diverged"]]
        episode_names = [f"episode/{name}" for name in self._episodes.names]
        for member in range(self.policies.members):
            known = episode_names if numbers["known"][member] else []
            metrics = {name: numbers[name][member] for name in [*known, *figures]}
            for name in ("episodes", "unhealthy_episodes"):
                metrics[name] = int(numbers[name][member])
            metrics |= {f"env/{name}": count for name, count in counts.items()}
            self.member_metrics[member] = metrics
            if figures:
                self._rewind(member, int(metrics["updates"]))
        if all(self.diverged):
            raise TrainingDiverged("losses are not finite: lower the learning rate or look at the rewards")

    def _rewind(self, member: int, updates: int) -> None:
        each = math.ceil(self.samples / self.config.minibatch)
        self._shuffles.rewind(member, min(updates // each + 1, self.config.epochs))

    def _means(self) -> dict[str, float]:
        going = [m for m, diverged in zip(self.member_metrics, self.diverged, strict=True) if not diverged]
        if len(self.member_metrics) == 1:
            return dict(going[0])
        names = dict.fromkeys(name for metrics in going for name in metrics)
        values = {name: [metrics[name] for metrics in going if name in metrics] for name in names}
        return {name: sum(each) / len(each) for name, each in values.items()} | {"members": len(going)}

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Tensors, on the CPU, and plain facts that hold the whole training.

        Of one member alone they have the names and shapes that `Trainer` gives them; of several each member's lie
        below ``member/`` and its number.
        """
        tensors = {f"env/{name}": tensor for name, tensor in self.env.state_dict().items()}
        tensors |= {f"observation/{name}": tensor for name, tensor in self._observation.items()}
        facts: dict[str, Any] = {
            "iteration": self.iteration,
            "steps": self.steps,
            "policy": self.policies.shape.as_dict(),
        }
        members = []
        for member in range(self.policies.members):
            own = self._prefix(member)
            tensors |= {f"{own}policy/{n}": t for n, t in self.policies.member_state(member).items()}
            tensors |= {f"{own}ppo/{n}": t for n, t in self.ppo.member_state(member).items()}
            tensors[f"{own}learner/generator"] = self.generators[member].get_state()
            tensors[f"{own}learner/discounted_return"] = self._discounted_return(member)
            members.append(self._episodes.member_facts(member))
        facts |= members[0] if len(members) == 1 else {"members": members, "diverged": self.diverged}
        return {name: tensor.detach().cpu().clone() for name, tensor in tensors.items()}, facts

    def load_state(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Takes up what `state` gave."""
        members: list[Mapping[str, Any]] = facts.get("members", [facts])
        diverged = facts.get("diverged", [False] * len(members))
        if len(members) != self.policies.members:
            raise ValueError(f"a training of {len(members)} members cannot go on with {self.policies.members}")
        for member, episodes in enumerate(members):
            own = below(self._prefix(member), tensors)
            self.policies.load_member(member, below("policy/", own))
            self.ppo.load_member(member, below("ppo/", own))
            self.generators[member].set_state(own["learner/generator"].cpu())
            self._discounted_return(member).copy_(own["learner/discounted_return"])
            self._episodes.load_member(member, episodes)
            self.member_metrics[member] = {name: episodes[name] for name in ("episodes", "unhealthy_episodes")}
            self.ppo.diverged[member] = diverged[member]
        self.diverged = list(diverged)
        self._observation = self.env.load_state_dict(below("env/", tensors))
        self.iteration = int(facts["iteration"])

    def _prefix(self, member: int) -> str:
        return "" if self.policies.members == 1 else f"member/{member}/"

    def _discounted_return(self, member: int) -> Tensor:
        """(k,) Live."""
        return self.experience.discounted_return.view(self.policies.members, -1)[member]
