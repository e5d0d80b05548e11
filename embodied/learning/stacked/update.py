"""PPO for M members at once: `embodied.learning.ppo` with a leading members axis and without a look at the device.

What a host would decide by a number is a mask here. A member whose policy has moved too far takes no more steps in this
rollout; one whose losses are not finite goes back to where it stood before the rollout and stays there. Neither touches
the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from embodied.learning.adaptive_rate import adapted_rate
from embodied.learning.ppo import FIGURES, PPOConfig
from embodied.learning.returns import generalised_advantages
from embodied.learning.stacked.adam import StackedAdam
from embodied.learning.stacked.experience import StackedExperience
from embodied.learning.stacked.graph import Replayed
from embodied.learning.stacked.losses import StackedPolicySlopes, policy_slopes, value_slope
from embodied.learning.stacked.normaliser import StackedRewardScaler
from embodied.learning.stacked.policy import StackedPolicy, below
from embodied.learning.stacked.precision import Matmul
from embodied.learning.symmetry import SymmetricLearning
from embodied.vector_env import Observation


@dataclass(frozen=True)
class StackedConfig:
    """How the learner with a members axis works; what it learns is `PPOConfig`'s."""

    matmul: Matmul = "float32"
    """Matrix products on a GPU; on a CPU they are float32 always."""
    graph: bool = True
    """Whether a GPU runs minibatch updates as a CUDA graph."""


class StackedPPO:
    """The learner of M policies. All its tensors stay where they are from the first update on."""

    def __init__(
        self,
        policy: StackedPolicy,
        config: PPOConfig,
        experience: StackedExperience,
        graph: bool = True,
        symmetry: SymmetricLearning | None = None,
    ) -> None:
        """Begins.

        Args:
            policy: what learns.
            config: hyperparameters, the same for all members.
            experience: the one that every `update` is from.
            graph: whether a GPU runs minibatch updates as a CUDA graph.
            symmetry: what is made of mirror images, on the policy's device; None for nothing.
        """
        self.policy, self.config, self.experience, self.symmetry = policy, config, experience, symmetry
        self.figures = FIGURES if symmetry is None else (*FIGURES, "asymmetry")
        """What a minibatch is described by."""
        device, members = policy.device, policy.members
        self.scaler = StackedRewardScaler(members, config.gamma, device)
        self.optimiser = StackedAdam(policy.flat, config.adam_epsilon)
        self.learning_rate = torch.full((members,), config.learning_rate, dtype=torch.float64, device=device)
        """(M,) Of the next step."""
        self.diverged = torch.zeros(members, dtype=torch.bool, device=device)
        """(M,) Members whose training has ended because a loss or a parameter was not finite."""
        self.updates = torch.zeros(members, dtype=torch.int64, device=device)
        """(M,) Steps taken in the last rollout's update."""
        self._moving = torch.ones(members, dtype=torch.bool, device=device)
        self._sums = torch.zeros(members, len(self.figures), device=device)
        self._spoiled = torch.zeros_like(self.diverged)
        self._before = [tensor.clone() for tensor in self._moved]
        sizes = {min(config.minibatch, experience.size), experience.size % config.minibatch} - {0}
        self._rows = {size: torch.zeros(members, size, dtype=torch.int64, device=device) for size in sizes}
        self._steps = {size: self._step_of(size, graph) for size in sizes}
        # Where a member's samples begin among those of all.
        self._offsets = torch.arange(members, device=device).unsqueeze(1) * experience.samples.shape[1]

    @property
    def _moved(self) -> list[Tensor]:
        """What a minibatch moves, a row per member."""
        return [self.policy.flat, self.optimiser.first, self.optimiser.second, self.optimiser.steps]

    def observe_rewards(self) -> None:
        """Takes the experience's rewards into the statistics that they are scaled by."""
        e = self.experience
        self.scaler.observe(e.rewards, e.terminated | e.truncated, e.discounted_return, ~self.diverged)

    def learn_normalisers(self) -> None:
        """Takes what was seen into the normalisers' statistics."""
        e = self.experience
        for name, normaliser in self.policy.normalisers.items():
            seen = e.of_members(e.observation[name][: e.steps])
            normaliser.update(seen, ~self.diverged)
            if self.symmetry is not None:
                normaliser.update(self.symmetry.mirror.groups[name](seen), ~self.diverged)

    @torch.no_grad()
    def update(self, remaining: float, orders: Tensor) -> dict[str, Tensor]:
        """One rollout's learning.

        Args:
            remaining: part of the training still to come, 1 at its start; scales a learning rate that does not adapt.
            orders: (epochs, M, T k) of the samples.

        Returns:
            Losses and diagnostics of each member, (M,) each, means over the minibatches it took a step for.
        """
        if not self.config.kl_target:
            last = self.config.final_learning_rate
            self.learning_rate.fill_(last + (self.config.learning_rate - last) * remaining)
        self._prepare_samples()
        for kept, tensor in zip(self._before, self._moved, strict=True):
            kept.copy_(tensor)
        torch.logical_not(self.diverged, out=self._moving)
        self._spoiled.zero_()
        self._sums.zero_()
        self.updates.zero_()
        for order in orders + self._offsets:
            for rows in order.split(self.config.minibatch, dim=1):
                size = rows.shape[1]
                self._rows[size].copy_(rows)
                self._steps[size]()
        self._take_back_spoiled()
        figures = dict(zip(self.figures, (self._sums / self.updates.clamp(min=1).unsqueeze(1)).unbind(1), strict=True))
        return {
            **figures,
            "updates": self.updates,
            "explained_variance": self._explained_variance(),
            "action_std": self.policy.log_std.exp().mean(dim=1),
            "learning_rate": self.learning_rate,
        }

    def _prepare_samples(self) -> None:
        e = self.experience
        advantages = generalised_advantages(
            self.scaler.scaled(e.rewards),
            e.values,
            e.terminated,
            e.truncated,
            e.final_values,
            self.config.gamma,
            self.config.gae_lambda,
        )
        values = e.values[: e.steps]
        e.write_samples("actions", e.of_members(e.actions))
        e.write_samples("log_probs", e.log_probs.flatten(1))
        e.write_samples("values", e.of_members(values))
        e.write_samples("targets", e.of_members(advantages + values))
        own = e.of_members(advantages)
        spread = own.std(dim=1, keepdim=True) + 1e-8
        e.write_samples("advantages", (own - own.mean(dim=1, keepdim=True)) / spread)

    def _step_of(self, size: int, graph: bool) -> Replayed:
        device = self.policy.device if graph else torch.device("cpu")
        return Replayed(lambda: self._step(self._rows[size]), self._idle, device)

    @contextmanager
    def _idle(self) -> Iterator[None]:
        """No member moves: a step then changes nothing that lasts."""
        moving = self._moving.clone()
        self._moving.zero_()
        yield
        self._moving.copy_(moving)

    def _step(self, rows: Tensor) -> None:
        """One minibatch of every member: rows (M, B) of the samples of all."""
        e, config = self.experience, self.config
        part = e.samples.flatten(0, 1).index_select(0, rows.flatten()).view(*rows.shape, -1)
        observation = e.normalised(part)
        policy, policy_gradients, more = self._actor_gradients(observation, part)
        value_loss, value_gradients = self._critic_gradients(observation, part)
        gradients = [policy.log_std - config.entropy_coefficient, *policy_gradients, *value_gradients]
        finite = torch.isfinite(policy.kl)
        self._spoiled.logical_or_(self._moving & ~finite)
        self._moving.logical_and_(finite)
        if config.kl_target:  # the minibatch that ends a member's update has its say too, or the rate would never fall
            rate = adapted_rate(self.learning_rate, policy.kl, config.kl_target)
            torch.where(self._moving, rate, self.learning_rate, out=self.learning_rate)
        self._moving.logical_and_(policy.kl <= config.kl_stop)
        self.optimiser.step(
            torch.cat([gradient.flatten(1) for gradient in gradients], dim=1),
            self.learning_rate,
            config.max_gradient_norm,
            self._moving,
        )
        figures = [policy.loss, policy.entropy, policy.kl, policy.clip_fraction, value_loss, *more]
        self._sums.add_(torch.stack(figures, dim=1).masked_fill_(~self._moving.unsqueeze(1), 0.0))
        self.updates.add_(self._moving)

    def _actor_gradients(
        self, observation: Observation, part: Tensor
    ) -> tuple[StackedPolicySlopes, list[Tensor], list[Tensor]]:
        """Slopes of the surrogate, gradients of the actor, and figures besides."""
        e, log_std = self.experience, self.policy.log_std
        actions = e.column("actions", part)
        old, advantages = (e.column(name, part).squeeze(-1) for name in ("log_probs", "advantages"))

        def surrogate(mean: Tensor, actions: Tensor) -> StackedPolicySlopes:
            return policy_slopes(mean, log_std, actions, old, advantages, self.config.clip)

        if self.symmetry is None:
            mean, way = self.policy.actor.run(observation)
            slopes, more = surrogate(mean, actions), []
        else:
            seen = {name: observation[name] for name in self.policy.actor.groups}
            mean, way = self.policy.actor.run(self.symmetry.both(seen))
            slopes, asymmetry = self.symmetry.actor(mean, actions, surrogate)
            more = [asymmetry]
        return slopes, self.policy.actor.gradients(way, slopes.mean), more

    def _critic_gradients(self, observation: Observation, part: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(M,) Losses, and gradients of the critic."""
        old, targets = (self.experience.column(name, part).squeeze(-1) for name in ("values", "targets"))
        if self.symmetry is not None:
            observation, (old, targets) = self.symmetry.critic(observation, old, targets)
        values, way = self.policy.critic.run(observation)
        loss, slope = value_slope(values.squeeze(-1), old, targets, self.config.value_clip)
        return loss, self.policy.critic.gradients(way, slope.mul_(self.config.value_coefficient).unsqueeze(-1))

    def _take_back_spoiled(self) -> None:
        """Members that are no longer finite go back to where they stood before the rollout, for good."""
        healthy = torch.isfinite(self._sums).all(dim=1) & torch.isfinite(self.policy.flat).all(dim=1)
        self.diverged.logical_or_(self._spoiled | ~healthy)
        for kept, tensor in zip(self._before, self._moved, strict=True):
            spoiled = self.diverged.view(-1, *[1] * (tensor.dim() - 1))
            torch.where(spoiled, kept, tensor, out=tensor)

    def _explained_variance(self) -> Tensor:
        """(M,)."""
        e = self.experience
        targets, values = (e.column(name)[:, : e.size, 0] for name in ("targets", "values"))
        return 1.0 - (targets - values).var(dim=1) / targets.var(dim=1).clamp_min(1e-12)

    def member_state(self, member: int) -> dict[str, Tensor]:
        """What ``PPO.state_dict`` holds, of one member."""
        state = {f"scaler/{name}": value for name, value in self.scaler.member_state(member).items()}
        state["learning_rate"] = self.learning_rate[member]
        return state | {f"adam/{name}": value for name, value in self.optimiser.member_state(member).items()}

    def load_member(self, member: int, state: dict[str, Tensor]) -> None:
        """Restores `member_state`."""
        self.learning_rate[member].copy_(state["learning_rate"])
        self.scaler.load_member(member, below("scaler/", state))
        self.optimiser.load_member(member, below("adam/", state))
