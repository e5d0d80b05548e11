"""What can be chosen of an ASE pre-training: sizes, weights, rates. Defaults are for a few CPU cores.

``launch/presets/pretrain-ase/paper.yaml`` has the sizes of Peng et al. (2022) and its released code.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from embodied.runs.configuration import require_positive
from embodied.runs.errors import UserError


@dataclass(frozen=True)
class ASEConfig:
    """Hyperparameters. "ASE" in a field's text is the value of the paper's released code where it is another."""

    latent: int = 5
    """Dimensions of the latent's sphere. ASE 64, for 187 clips."""
    longest_skill: int = 150
    """A latent is resampled after 1 to this less 1 control steps, uniformly. ASE, at 30 Hz."""
    window: int = 10
    """Control steps that discriminator and encoder look at. ASE."""

    hidden: tuple[int, ...] = (384, 192)
    """Layer sizes of actor and critic. ASE (1024, 1024, 512)."""
    style_hidden: tuple[int, ...] = (256, 128)
    """Layer sizes of the network that turns a latent into a style for the actor. ASE (512, 256)."""
    style: int = 64
    """Size of the style. ASE."""
    discriminator_hidden: tuple[int, ...] = (256, 128)
    """Layer sizes of the trunk that discriminator and encoder share. ASE (1024, 1024, 512)."""
    action_std: float = 0.1
    """Standard deviation of actions about their means, fixed, in units of the action space: 0.025 rad for a Go1. ASE
    0.055 of half a joint's range. A light robot is shaken by it: at 0.25 a Go1 that holds still is further from every
    clip than a standing one is from a creeping one, and all that the discriminator learns is to tell the shaking."""

    rollout_steps: int = 32
    """Control steps per world and rollout. ASE."""
    epochs: int = 4
    """Passes over a rollout. ASE 6."""
    minibatch: int = 2048
    """Samples of the policy's and the critic's steps. ASE 16,384."""
    discriminator_minibatch: int = 512
    """Windows of each kind - agent's, replayed, clips' - in a step of the discriminator. ASE 4,096."""
    discriminator_steps: int = 4
    """Steps of the discriminator and the encoder after a rollout. ASE one to each of the policy's, 48."""
    actor_rate: float = 1e-4
    """Learning rate of the actor. ASE 2e-5, one for all."""
    critic_rate: float = 5e-4
    """Learning rate of the critic."""
    discriminator_rate: float = 5e-5
    """Learning rate of discriminator and encoder."""
    kl_target: float = 0.02
    """Divergence from the old policy that the actor's learning rate is adapted to, nats; 0 for a constant rate,
    as ASE's is."""
    max_gradient_norm: float = 1.0
    """Of the actor, and of the critic. ASE clips nothing."""
    gamma: float = 0.99
    """Discount per control step. ASE, at 30 Hz."""
    gae_lambda: float = 0.95
    """Decay of the advantage trace. ASE."""
    clip: float = 0.2
    """Of the probability ratio. ASE."""
    adam_epsilon: float = 1e-8
    """Added to the root of Adam's second moment."""

    style_reward: float = 0.5
    """Weight of the discriminator's reward. ASE."""
    skill_reward: float = 0.5
    """Weight of the encoder's reward. ASE."""
    bound_weight: float = 10.0
    """Of the loss of means beyond the joints' ranges. ASE."""
    diversity_weight: float = 0.01
    """Of the loss that wants other actions for other latents. ASE."""
    gradient_penalty: float = 10.0
    """Weight of the squared slope of the discriminator at clips' windows. ASE 5."""
    logit_decay: float = 0.01
    """Weight of the squared weights of the discriminator's last layer. ASE."""
    discriminator_decay: float = 1e-4
    """Weight of the squared weights of its whole trunk. ASE."""
    encoder_weight: float = 1.0
    """Of the encoder's loss beside the discriminator's, in what their trunk learns from. ASE."""

    greedy_share: bool = True
    """Whether some worlds act by their means now and then: more of them, the higher their number. ASE."""
    replay_size: int = 20_000
    """Windows of former policies that are kept. ASE 200,000."""
    replay_added: int = 512
    """Windows of a rollout that are kept, in place of the oldest ones. ASE one in a hundred."""
    clip_windows: int = 20_000
    """Windows of the clips, drawn at the beginning. ASE 200,000."""

    def check(self) -> None:
        """Raises UserError naming the first field with which nothing can be learned."""
        counts = ("window", "style", "rollout_steps", "epochs", "minibatch", "discriminator_minibatch")
        require_positive(self, *counts, "discriminator_steps", "replay_size", "replay_added", "clip_windows")
        for name, least in (("latent", 2), ("longest_skill", 2)):
            if getattr(self, name) < least:
                raise UserError(f"{_option(name)} must be at least {least}, not {getattr(self, name)}")
        for name in ("hidden", "style_hidden", "discriminator_hidden"):
            if not getattr(self, name) or min(getattr(self, name)) < 1:
                raise UserError(f"{_option(name)} must be sizes of at least 1, not {getattr(self, name)}")
        for name in ("gamma", "gae_lambda"):
            if not 0 <= getattr(self, name) <= 1:
                raise UserError(f"{_option(name)} must lie between 0 and 1, not {getattr(self, name)}")
        for name in ("action_std", "actor_rate", "critic_rate", "discriminator_rate", "clip", "adam_epsilon"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise UserError(f"{_option(name)} must be above 0 and finite, not {getattr(self, name)}")
        if not self.max_gradient_norm > 0:
            raise UserError(
                f"{_option('max_gradient_norm')} must be above 0, inf for none, not {self.max_gradient_norm}"
            )
        rewards, losses = ("style_reward", "skill_reward"), ("bound_weight", "diversity_weight", "gradient_penalty")
        for name in (*rewards, *losses, "logit_decay", "discriminator_decay", "encoder_weight", "kl_target"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise UserError(f"{_option(name)} must be 0 or above and finite, not {getattr(self, name)}")


def _option(name: str) -> str:
    return f"--ase.{name.replace('_', '-')}"
