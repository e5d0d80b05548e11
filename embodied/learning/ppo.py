"""Proximal policy optimisation. Schulman et al. (2017), with DERL's hyperparameters as defaults.

Deviations from DERL, each with its reason: time limits bootstrap from the true last observation; normalisers learn
once per rollout, after it, so that old and new probabilities see the same inputs, and the first rollout only fills
them; reward statistics are taken per rollout too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from embodied.learning.adam import FlatAdam
from embodied.learning.adaptive_rate import adapted_rate
from embodied.learning.experience import Experience
from embodied.learning.losses import PolicySlopes, policy_slopes, value_slope
from embodied.learning.returns import RewardScaler, generalised_advantages
from embodied.learning.symmetry import SymmetricLearning
from embodied.learning.threads import linear_algebra_on
from embodied.networks import ActorCritic, Gaussian
from embodied.networks.backpropagation import GroupPasses
from embodied.vector_env import Observation


class TrainingDiverged(RuntimeError):
    """Losses are no longer finite; training cannot go on."""


@dataclass(frozen=True)
class PPOConfig:
    """Hyperparameters. Defaults: DERL's released configuration, except where it says otherwise."""

    rollout_steps: int = 32
    """Control steps per world and rollout. DERL has 128 in 32 environments, the same 4,096 samples as 32 in 128."""
    minibatch: int = 512
    """Samples."""
    epochs: int = 4
    """Passes over a rollout."""
    gamma: float = 0.99
    """Discount per control step."""
    gae_lambda: float = 0.95
    """Decay of the advantage trace."""
    clip: float = 0.2
    """Of the probability ratio."""
    value_clip: float = 0.2
    """Of the change of values, in scaled rewards; inf leaves them unclipped."""
    learning_rate: float = 3e-4
    """At the start."""
    final_learning_rate: float = 0.0
    """At the end of training; between them it changes linearly."""
    kl_target: float = 0.0
    """KL divergence from the old policy that the learning rate is adapted to, in place of the line; 0 for not."""
    adam_epsilon: float = 1e-5
    """Added to the root of Adam's second moment."""
    value_coefficient: float = 0.5
    """Weight of the value loss."""
    entropy_coefficient: float = 0.01
    """Weight of the entropy that is rewarded."""
    max_gradient_norm: float = 0.5
    """Over all parameters together."""
    kl_stop: float = 0.2
    """Approximate KL divergence from the old policy beyond which a rollout's remaining updates are left out."""


WORK_TO_SHARE = 30_000_000
"""Samples of a minibatch times parameters from which each matrix product is shared among threads. Below it threads
would wait for one another as long as they work, and many times as long on a machine that does other things too.
"""
FIGURES = ("policy_loss", "entropy", "kl", "clip_fraction", "value_loss")
"""What each minibatch is described by; the first four come from the actor."""
ACTIONS, LOG_PROBS, VALUES, ADVANTAGES, TARGETS = (
    f"/{name}" for name in ("actions", "log_probs", "values", "advantages", "targets")
)
"""Names of a sample's parts besides the observation groups, whose own names hold no slash."""


class PPO:
    """The learner: an optimiser and reward statistics around a policy."""

    def __init__(
        self, policy: ActorCritic, config: PPOConfig, threads: int = 1, symmetry: SymmetricLearning | None = None
    ) -> None:
        """Takes the policy over: its parameters move into the optimiser's one tensor.

        Args:
            policy: what learns.
            config: hyperparameters.
            threads: for updates. With two or more, actor and critic are worked out side by side; where minibatches are
                large, one after the other, each on all threads. While worlds step torch is left as it is, best at
                one thread.
            symmetry: what is made of mirror images; None for nothing.
        """
        self.policy = policy
        self.config = config
        work = config.minibatch * sum(parameter.numel() for parameter in policy.parameters())
        self.threads = threads if work >= WORK_TO_SHARE else 1
        """Of each matrix product."""
        self._side = ThreadPoolExecutor(1, "critic") if threads > 1 and self.threads == 1 else None
        self.symmetry = symmetry
        self.figures = FIGURES if symmetry is None else (*FIGURES, "asymmetry")
        """What a minibatch is described by."""
        self.learning_rate = config.learning_rate
        """Of the next update."""
        self.scaler = RewardScaler(config.gamma)
        self.optimiser = FlatAdam(
            [policy.log_std, *policy.actor.parameters(), *policy.critic.parameters()], config.adam_epsilon
        )
        gradients = iter(self.optimiser.gradients)
        self._of_log_std = next(gradients)
        self._actor, self._critic = GroupPasses(policy.actor, gradients), GroupPasses(policy.critic, gradients)

    @torch.no_grad()
    def update(
        self, experiences: Sequence[Experience], remaining: float, generator: torch.Generator
    ) -> dict[str, float]:
        """One rollout's learning, from one or several environments with the same spaces.

        Args:
            experiences: filled by `collect` with the policy as it is.
            remaining: part of the training still to come, 1 at its start; scales the learning rate.
            generator: shuffles.

        Returns:
            Losses and diagnostics, means over the minibatches.

        Raises:
            TrainingDiverged: a loss was not finite.
        """
        for experience in experiences:
            ended = experience.terminated | experience.truncated
            self.scaler.observe(experience.rewards, ended, experience.discounted_return)
        if self.policy.unseen:
            self._learn_normalisers(experiences)
            return {}
        batch = self._batch(experiences)
        with linear_algebra_on(self.threads):
            self._schedule(remaining)
            metrics = self._fit(batch, generator)
        self._learn_normalisers(experiences)
        return metrics

    def _schedule(self, remaining: float) -> None:
        if not self.config.kl_target:
            last = self.config.final_learning_rate
            self.learning_rate = last + (self.config.learning_rate - last) * remaining

    def _learn_normalisers(self, experiences: Sequence[Experience]) -> None:
        for experience in experiences:
            seen = {name: experience.observation[name][: experience.steps] for name in self.policy.shape.groups}
            self.policy.update_normalisers(seen)
            if self.symmetry is not None:
                self.policy.update_normalisers(self.symmetry.mirror.observation(seen))

    def _batch(self, experiences: Sequence[Experience]) -> dict[str, Tensor]:
        """Samples (N, …) of all experiences, observation groups among them, already normalised."""
        parts: list[dict[str, Tensor]] = []
        for e in experiences:
            advantages = generalised_advantages(
                self.scaler(e.rewards),
                e.values,
                e.terminated,
                e.truncated,
                e.final_values,
                self.config.gamma,
                self.config.gae_lambda,
            )
            values = e.values[: e.steps]
            parts.append(
                {
                    ACTIONS: e.flat(e.actions),
                    LOG_PROBS: e.flat(e.log_probs),
                    VALUES: values.flatten(),
                    ADVANTAGES: advantages.flatten(),
                    TARGETS: (advantages + values).flatten(),
                    **self.policy.normalise(dict(e.flat_observation())),
                }
            )
        batch = {name: torch.cat([part[name] for part in parts]) for name in parts[0]} if len(parts) > 1 else parts[0]
        advantages = batch[ADVANTAGES]
        batch[ADVANTAGES] = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        return batch

    def _fit(self, batch: dict[str, Tensor], generator: torch.Generator) -> dict[str, float]:
        size = len(batch[ACTIONS])
        sums, count, stop = np.zeros(len(self.figures)), 0, False
        for _ in range(self.config.epochs):
            order = torch.randperm(size, generator=generator)
            # Shuffled once an epoch: minibatches are then slices.
            shuffled = {name: tensor.index_select(0, order) for name, tensor in batch.items()}
            for start in range(0, size, self.config.minibatch):
                rows = slice(start, start + self.config.minibatch)
                figures = self._work_out({name: tensor[rows] for name, tensor in shuffled.items()})
                if not math.isfinite(figures[2]):
                    raise TrainingDiverged("the policy's change is not finite: lower the learning rate")
                if self.config.kl_target:  # the minibatch that ends it has its say too, or the rate would never fall
                    rate, kl = torch.tensor(self.learning_rate), torch.tensor(figures[2])
                    self.learning_rate = float(adapted_rate(rate, kl, self.config.kl_target))
                if figures[2] > self.config.kl_stop:
                    stop = True
                    break
                self.optimiser.step(self.learning_rate, self.config.max_gradient_norm)
                sums += figures
                count += 1
            if stop:
                break
        if not (np.isfinite(sums).all() and bool(torch.isfinite(self.optimiser.flat).all())):
            raise TrainingDiverged("losses are not finite: lower the learning rate or look at the rewards")
        targets, values = batch[TARGETS], batch[VALUES]
        explained = 1.0 - float((targets - values).var() / targets.var().clamp_min(1e-12))
        return {
            **dict(zip(self.figures, (sums / max(count, 1)).tolist(), strict=True)),
            "updates": float(count),
            "explained_variance": explained,
            "action_std": float(self.policy.log_std.detach().exp().mean()),
            "learning_rate": self.learning_rate,
        }

    def _work_out(self, part: dict[str, Tensor]) -> list[float]:
        """Puts the gradients of a minibatch's loss where the optimiser finds them; returns the minibatch's figures."""
        if self._side is None:
            (figures, more), value_loss = self._work_out_actor(part), self._work_out_critic(part)
        else:
            critic = self._side.submit(self._work_out_critic, part)
            (figures, more), value_loss = self._work_out_actor(part), critic.result()
        return [*figures, value_loss, *more]

    def _work_out_actor(self, part: dict[str, Tensor]) -> tuple[list[float], list[float]]:
        log_std = self.policy.log_std.detach()

        def surrogate(mean: Tensor, actions: Tensor) -> PolicySlopes:
            return policy_slopes(Gaussian(mean, log_std), actions, part[LOG_PROBS], part[ADVANTAGES], self.config.clip)

        if self.symmetry is None:
            slopes, more = surrogate(_outputs(self._actor, part), part[ACTIONS]), []
        else:
            mean = _outputs(self._actor, self.symmetry.both({name: part[name] for name in self._actor.groups}))
            slopes, asymmetry = self.symmetry.actor(mean, part[ACTIONS], surrogate)
            more = [float(asymmetry)]
        # The entropy of a Gaussian grows by one per unit of each log standard deviation.
        np.subtract(slopes.log_std.numpy(), self.config.entropy_coefficient, out=self._of_log_std)
        self._actor.backward(slopes.mean.numpy())
        entropy = float(Gaussian(slopes.mean, log_std).entropy())
        return [float(slopes.loss), entropy, slopes.kl, slopes.clip_fraction], more

    def _work_out_critic(self, part: dict[str, Tensor]) -> float:
        seen, (old, targets) = part, (part[VALUES], part[TARGETS])
        if self.symmetry is not None:
            seen = {name: part[name] for name in self._critic.groups}
            seen, (old, targets) = self.symmetry.critic(seen, old, targets)
        loss, slope = value_slope(_outputs(self._critic, seen).squeeze(-1), old, targets, self.config.value_clip)
        slope *= self.config.value_coefficient
        self._critic.backward(slope.unsqueeze(-1).numpy())
        return loss

    def state_dict(self) -> dict[str, Tensor]:
        """Optimiser and reward statistics as flat tensors; the policy's own are its own."""
        state = {"learning_rate": torch.tensor(self.learning_rate, dtype=torch.float64)}
        state |= {f"scaler/{name}": value for name, value in self.scaler.state_dict().items()}
        state |= {f"adam/{name}": value for name, value in self.optimiser.state_dict().items()}
        return state

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restores `state_dict`."""
        self.learning_rate = float(state["learning_rate"])
        self.scaler.load_state_dict({n.removeprefix("scaler/"): v for n, v in state.items() if n.startswith("scaler/")})
        self.optimiser.load_state_dict({n.removeprefix("adam/"): v for n, v in state.items() if n.startswith("adam/")})


def _outputs(passes: GroupPasses, observation: Observation) -> Tensor:
    return torch.from_numpy(passes.forward({name: observation[name].numpy() for name in passes.groups}))
