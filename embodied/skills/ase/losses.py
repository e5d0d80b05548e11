"""The losses of ASE beside PPO's. Peng et al. (2022), equations 12, 14 and 15, as the released code weighs them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from embodied.skills.ase.config import ASEConfig
from embodied.skills.ase.networks import Discriminator

LEAST_APART = 1e-5
"""Added to how far two latents are apart. ASE."""


def surrogate(log_probs: Tensor, old_log_probs: Tensor, advantages: Tensor, clip: float) -> Tensor:
    """() The clipped surrogate of Schulman et al. (2017), equation 7, as a loss. All (N,)."""
    ratio = torch.exp(log_probs - old_log_probs)
    return -torch.minimum(ratio * advantages, ratio.clamp(1.0 - clip, 1.0 + clip) * advantages).mean()


def bound_loss(mean: Tensor) -> Tensor:
    """() L_bnd = Σ_j max(μ_j - 1, 0)² + min(μ_j + 1, 0)², averaged over samples.

    Args:
        mean: (N, n) of actions, in units in which joints' ranges are ±1; see `SkillPolicy.in_ranges`.
    """
    return (mean.abs() - 1.0).clamp_min(0.0).square().sum(dim=-1).mean()


def diversity_loss(mean: Tensor, other_mean: Tensor, latent: Tensor, other_latent: Tensor) -> Tensor:
    """() L_div = (1 - Δ_a / (Δ_z + 1e-5))², averaged: actions shall differ as latents do. Equation 15.

    Args:
        mean, other_mean: (N, n) of the actions for the same states under two latents, in a unit in which they may
            differ by about 1; see `SkillPolicy.in_spreads`.
        latent, other_latent: (N, L) those, of unit length.
    """
    apart = 0.5 - 0.5 * (latent * other_latent).sum(dim=-1)
    return (1.0 - action_distance(mean, other_mean) / (apart + LEAST_APART)).square().mean()


def action_distance(mean: Tensor, other_mean: Tensor) -> Tensor:
    """(N,) Δ_a: mean square over the joints of how far two actions (N, n) are apart."""
    return (mean - other_mean).square().mean(dim=-1)


@dataclass(frozen=True)
class DiscriminatorLoss:
    """What discriminator and encoder are moved by, and what it is made of."""

    total: Tensor
    """() To be minimised."""
    cross_entropy: Tensor
    gradient_penalty: Tensor
    """() Mean squared length of the slope at the clips' windows, unweighted."""
    agreement: Tensor
    """() Mean ⟨E, z⟩; the encoder's loss is its negative."""
    right_on_agent: Tensor
    """() Share of the agent's windows, replayed ones included, that were told."""
    right_on_clips: Tensor
    """() Share of the clips' windows that were told."""


def discriminator_loss(
    network: Discriminator, agent: Tensor, replayed: Tensor, clips: Tensor, latent: Tensor, config: ASEConfig
) -> DiscriminatorLoss:
    """½ (cross entropies) + penalties + the encoder's loss. Equations 12 and 14.

    Only clips' windows bear the gradient penalty: the real samples, as in equation 12.

    Args:
        network: both.
        agent: (N, features) normalised windows of the rollout.
        replayed: (M, features) of earlier ones.
        clips: (K, features) of the clips.
        latent: (N, L) that the agent's windows were made under.
        config: has the weights.
    """
    clips = clips.detach().requires_grad_(True)
    agent_logit, encoded = network(agent)
    fake = torch.cat((agent_logit, network.logits(replayed)))
    real = network.logits(clips)
    # -log(1 - σ(D)) and -log σ(D).
    cross_entropy = 0.5 * (functional.softplus(fake).mean() + functional.softplus(-real).mean())
    (slope,) = torch.autograd.grad(real.sum(), clips, create_graph=True)
    penalty = slope.square().sum(dim=-1).mean()
    agreement = (encoded * latent).sum(dim=-1).mean()
    decay = torch.stack([weight.square().sum() for weight in network.trunk_weights()]).sum()
    total = (
        cross_entropy
        + config.logit_decay * network.logit.weight.square().sum()
        + config.gradient_penalty * penalty
        + config.discriminator_decay * decay
        - config.encoder_weight * agreement
    )
    return DiscriminatorLoss(
        total,
        cross_entropy.detach(),
        penalty.detach(),
        agreement.detach(),
        (fake.detach() < 0.0).float().mean(),
        (real.detach() > 0.0).float().mean(),
    )
