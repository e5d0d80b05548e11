"""The learner: from a rollout under latents to the next policy, critic, discriminator and encoder.

Peng et al. (2022), algorithm 1. Deviations from the released code, each with its reason: three optimisers, as in
MimicKit, since actor, critic and discriminator share nothing and Adam does not feel the weights between them;
normalisers learn once per rollout, after it, so that old and new probabilities see the same inputs, and the first
rollout only fills them; gradients of actor and critic are clipped, as small batches need it.
"""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor

from embodied.learning.adam import FlatAdam
from embodied.learning.adaptive_rate import adapted_rate
from embodied.learning.ppo import TrainingDiverged
from embodied.learning.returns import generalised_advantages
from embodied.learning.threads import linear_algebra_on
from embodied.networks import Gaussian
from embodied.skills.ase.config import ASEConfig
from embodied.skills.ase.latents import on_sphere
from embodied.skills.ase.losses import action_distance, bound_loss, discriminator_loss, diversity_loss, surrogate
from embodied.skills.ase.networks import SkillDecoder
from embodied.skills.ase.policy import STYLE, SkillPolicy
from embodied.skills.ase.replay import ReplayBuffer
from embodied.skills.ase.rewards import skill_reward, style_reward
from embodied.skills.ase.rollout import SkillRollout

COMPARED = 4
"""Of so many samples the actions under another latent are asked for in one: enough for a loss of so little weight."""
PARTS = ("actor", "critic", "discriminator")


class ASELearner:
    """Optimisers, the replay buffer and the clips' windows around a policy."""

    def __init__(self, policy: SkillPolicy, config: ASEConfig, clip_windows: Tensor, threads: int = 1) -> None:
        """Takes the policy over: its parameters move into the optimisers' tensors.

        Args:
            policy: to be trained.
            config: hyperparameters.
            clip_windows: (N, window, F) real samples.
            threads: of torch during an update.
        """
        self.policy, self.config, self.threads = policy, config, threads
        networks = (policy.decoder, policy.critic, policy.discriminator)
        self.parameters = {name: list(network.parameters()) for name, network in zip(PARTS, networks, strict=True)}
        self.optimisers = {name: FlatAdam(self.parameters[name], config.adam_epsilon) for name in PARTS}
        self.actor_rate = config.actor_rate
        """Of learning; adapted where the configuration has a target."""
        self.clip_windows = clip_windows
        self.replay = ReplayBuffer(config.replay_size, policy.shape.window, policy.shape.style_features)
        self.anchor: SkillDecoder | None = None
        """What the actor was taught, which it is held to; see `hold_to_present`."""
        self.anchor_weight = 0.0
        self._log_std = torch.full((policy.shape.actions,), math.log(config.action_std))

    def hold_to_present(self, weight: float) -> None:
        """The decoder as it is becomes the anchor: squared distances of mean actions from its weigh so much."""
        self.anchor, self.anchor_weight = copy.deepcopy(self.policy.decoder).requires_grad_(False), weight

    def update(self, rollout: SkillRollout, generator: torch.Generator, actor: bool = True) -> dict[str, float]:
        """Learns from a rollout; returns its figures. The first one only fills normalisers and the replay buffer.

        Args:
            rollout: under latents; rewards are put into it.
            generator: of shuffles and draws.
            actor: whether the actor learns, too.
        """
        with linear_algebra_on(self.threads):
            policy, experience = self.policy, rollout.experience
            if policy.unseen:
                self._take_in(rollout, generator)
                return {}
            figures = self._reward(rollout)
            advantages = self._advantages(rollout)
            targets = advantages + experience.values[: experience.steps]
            policy.value_normaliser.update(targets[..., None])
            seen = policy.normalise(dict(experience.flat_observation()))
            latents = rollout.latents[:-1].flatten(0, 1)
            if actor:
                figures |= self._fit_actor(rollout, seen, latents, advantages.flatten(), generator)
            figures |= self._fit_critic(seen, latents, targets.flatten(), generator)
            figures |= self._fit_discriminator(rollout, latents, generator)
            figures["explained_variance"] = 1.0 - float(
                (targets - experience.values[: experience.steps]).var() / targets.var().clamp_min(1e-12)
            )
            self._take_in(rollout, generator)
        if not all(bool(torch.isfinite(optimiser.flat).all()) for optimiser in self.optimisers.values()):
            raise TrainingDiverged("the networks are no longer finite: lower the learning rates")
        return figures

    @torch.no_grad()
    def _take_in(self, rollout: SkillRollout, generator: torch.Generator) -> None:
        """Normalisers see the rollout, that of style the clips too; a part of the windows is kept for replay."""
        policy = self.policy
        for name in policy.shape.critic_groups:
            policy.normaliser(name).update(rollout.experience.flat(rollout.experience.observation[name]))
        windows = rollout.windows.flatten(0, 1)
        latest = rollout.experience.flat(rollout.experience.observation[STYLE])
        real = self.clip_windows[torch.randint(len(self.clip_windows), (len(latest),), generator=generator), -1]
        policy.style_normaliser.update(torch.cat((latest, real)))
        kept = torch.randperm(len(windows), generator=generator)[: self.config.replay_added]
        self.replay.add(windows[kept])

    @torch.no_grad()
    def _reward(self, rollout: SkillRollout) -> dict[str, float]:
        """Puts the rewards of style and skill in place of the environment's."""
        logit, encoded = self.policy.discriminator(self.policy.normalised_windows(rollout.windows))
        style, skill = style_reward(logit), skill_reward(encoded, rollout.latents[:-1])
        rollout.experience.rewards.copy_(self.config.style_reward * style + self.config.skill_reward * skill)
        return {
            "reward": float(rollout.experience.rewards.mean()),
            "reward/style": float(style.mean()),
            "reward/skill": float(skill.mean()),
            "reward_std/style": float(style.std()),
        }

    def _advantages(self, rollout: SkillRollout) -> Tensor:
        e, config = rollout.experience, self.config
        return generalised_advantages(
            e.rewards, e.values, e.terminated, e.truncated, e.final_values, config.gamma, config.gae_lambda
        )

    def _fit_actor(
        self,
        rollout: SkillRollout,
        seen: dict[str, Tensor],
        latents: Tensor,
        advantages: Tensor,
        generator: torch.Generator,
    ) -> dict[str, float]:
        """The clipped surrogate, the bound and the diversity, of samples with noise alone."""
        config, policy, experience = self.config, self.policy, rollout.experience
        noisy = rollout.noisy.flatten().nonzero().squeeze(-1)
        chosen = advantages[noisy]
        batch = {
            "actions": experience.flat(experience.actions)[noisy],
            "log_probs": experience.flat(experience.log_probs)[noisy],
            "advantages": (chosen - chosen.mean()) / (chosen.std() + 1e-8),
            "latents": latents[noisy],
            **{name: seen[name][noisy] for name in policy.decoder.groups},
        }
        if self.anchor is not None:
            raw = {name: experience.flat(experience.observation[name])[noisy] for name in self.anchor.groups}
            batch["anchor"] = self.anchor(raw, batch["latents"])
        sums = torch.zeros(7)
        count = 0
        for rows in self._minibatches(len(noisy), generator):
            part = {name: tensor[rows] for name, tensor in batch.items()}
            some = -(-len(rows) // COMPARED)
            other = on_sphere(some, policy.shape.latent, generator)
            both = {name: torch.cat((part[name], part[name][:some])) for name in policy.decoder.groups}
            means = policy.decoder.act(both, torch.cat((part["latents"], other)))
            mean, other_mean = means[: len(rows)], means[len(rows) :]
            log_probs = Gaussian(mean, self._log_std).log_prob(part["actions"])
            cut, other_cut = (policy.in_spreads(actions) for actions in (mean[:some], other_mean))
            policy_loss = surrogate(log_probs, part["log_probs"], part["advantages"], config.clip)
            bound = bound_loss(policy.in_ranges(mean))
            diversity = diversity_loss(cut, other_cut, part["latents"][:some], other)
            loss = policy_loss + config.bound_weight * bound + config.diversity_weight * diversity
            drift = (mean - part["anchor"]).square().sum(-1).mean() if "anchor" in part else torch.zeros(())
            loss = loss + self.anchor_weight * drift
            change = (log_probs - part["log_probs"]).detach()
            kl = (change.exp() - change).mean() - 1.0
            if not math.isfinite(float(kl)):
                raise TrainingDiverged("the policy's change is not finite: lower the actor's learning rate")
            if config.kl_target:
                self.actor_rate = float(adapted_rate(torch.tensor(self.actor_rate), kl, config.kl_target))
            self._step("actor", loss, self.actor_rate, config.max_gradient_norm)
            clipped = ((change.exp() - 1.0).abs() > config.clip).float().mean()
            apart = action_distance(mean[:some].detach(), other_mean.detach()).sqrt().mean()
            sums += torch.stack([each.detach() for each in (policy_loss, bound, diversity, kl, clipped, apart, drift)])
            count += 1
        names = ("policy_loss", "bound_loss", "diversity_loss", "kl", "clip_fraction", "action_diversity", "drift")
        return {**dict(zip(names, (sums / max(count, 1)).tolist(), strict=True)), "actor_rate": self.actor_rate}

    def _fit_critic(
        self, seen: dict[str, Tensor], latents: Tensor, targets: Tensor, generator: torch.Generator
    ) -> dict[str, float]:
        """Squared errors of all samples, in units of the value normaliser."""
        targets = self.policy.value_normaliser(targets[:, None]).squeeze(-1)
        total, count = 0.0, 0
        for rows in self._minibatches(len(targets), generator):
            values = self.policy.critic({name: seen[name][rows] for name in self.policy.critic.groups}, latents[rows])
            loss = 0.5 * (values - targets[rows]).square().mean()
            self._step("critic", loss, self.config.critic_rate, self.config.max_gradient_norm)
            total, count = total + float(loss.detach()), count + 1
        return {"value_loss": total / count}

    def _fit_discriminator(
        self, rollout: SkillRollout, latents: Tensor, generator: torch.Generator
    ) -> dict[str, float]:
        config, policy, size = self.config, self.policy, self.config.discriminator_minibatch
        windows = rollout.windows.flatten(0, 1)
        sums = torch.zeros(5)
        for _ in range(config.discriminator_steps):
            agent = torch.randint(len(windows), (size,), generator=generator)
            real = torch.randint(len(self.clip_windows), (size,), generator=generator)
            loss = discriminator_loss(
                policy.discriminator,
                policy.normalised_windows(windows[agent]),
                policy.normalised_windows(self.replay.sample(size, generator)),
                policy.normalised_windows(self.clip_windows[real]),
                latents[agent],
                config,
            )
            self._step("discriminator", loss.total, config.discriminator_rate, math.inf)
            sums += torch.stack(
                (loss.cross_entropy, loss.gradient_penalty, loss.agreement, loss.right_on_agent, loss.right_on_clips)
            )
        names = ("loss", "gradient_penalty", "agreement", "right_on_agent", "right_on_clips")
        means = (sums / config.discriminator_steps).tolist()
        return {f"discriminator/{name}": value for name, value in zip(names, means, strict=True)}

    def _minibatches(self, count: int, generator: torch.Generator):
        """Numbers of samples, all of them once an epoch."""
        for _ in range(self.config.epochs):
            yield from torch.randperm(count, generator=generator).split(self.config.minibatch)

    def _step(self, part: str, loss: Tensor, rate: float, max_norm: float) -> None:
        optimiser = self.optimisers[part]
        for place, gradient in zip(optimiser.gradients, torch.autograd.grad(loss, self.parameters[part]), strict=True):
            place[...] = gradient.numpy()
        optimiser.step(rate, max_norm)

    def state_dict(self) -> dict[str, Tensor]:
        """Optimisers, replay buffer and learning rate; the policy's own are its own, the clips' windows are redrawn."""
        state = {"actor_rate": torch.tensor(self.actor_rate, dtype=torch.float64)}
        state |= {f"replay/{name}": value for name, value in self.replay.state_dict().items()}
        if self.anchor is not None:
            state |= {f"anchor/{name}": value for name, value in self.anchor.state_dict().items()}
        for part, optimiser in self.optimisers.items():
            state |= {f"{part}/{name}": value for name, value in optimiser.state_dict().items()}
        return state

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restores `state_dict`."""

        def of(part: str) -> dict[str, Tensor]:
            return {name.removeprefix(f"{part}/"): v for name, v in state.items() if name.startswith(f"{part}/")}

        self.actor_rate = float(state["actor_rate"])
        self.replay.load_state_dict(of("replay"))
        if self.anchor is not None:
            self.anchor.load_state_dict(of("anchor"))
        for part, optimiser in self.optimisers.items():
            optimiser.load_state_dict(of(part))
