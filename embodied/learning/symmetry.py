"""Learning with the mirror image of what happened, for bodies and tasks whose left is as good as their right.

Two ways, apart or together. Augmentation: each minibatch is learned from along with its mirror image, of which is taken
that it was as likely and as good; Mittal et al. (2024), "Symmetry considerations for learning task symmetric robot
policies". Mirror loss: what the policy does in a mirror and the mirror image of what it does are drawn together; Yu et
al. (2018), "Learning symmetric and low-energy locomotion".

Either way normalisers learn from mirror images too, so that mirroring a normalised observation is the same as
normalising a mirrored one. The physics, the reward and what episodes begin with must be symmetric; nothing here can
know whether they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from embodied.scenes import Entity
from embodied.scenes.flip import Flip
from embodied.scenes.symmetry import TOLERANCE, symmetry_of
from embodied.senses import Term
from embodied.senses.mirrored import mirrored_terms
from embodied.vector_env import Observation


@dataclass(frozen=True)
class SymmetryConfig:
    """How mirror images are learned from. By default they are not."""

    augment: bool = False
    """Whether minibatches are learned from along with their mirror images."""
    mirror_loss: float = 0.0
    """Weight of the mirror loss: of the mean squared difference of mean actions, in squared units of action."""

    @property
    def wanted(self) -> bool:
        """Whether there is anything to do."""
        return self.augment or self.mirror_loss > 0


@dataclass(frozen=True, eq=False)
class Mirror:
    """What becomes of observations and actions in a mirror."""

    groups: Mapping[str, Flip]
    """By observation group."""
    actions: Flip

    def observation(self, observation: Observation) -> Observation:
        """(…, size) by group, mirrored."""
        return {name: self.groups[name](group) for name, group in observation.items()}

    def to(self, device: torch.device) -> Mirror:
        """The same where observations are."""
        return Mirror({name: flip.to(device) for name, flip in self.groups.items()}, self.actions.to(device))


def mirror_for(
    entity: Entity, terms: Mapping[str, Sequence[Term]], groups: Iterable[str], tolerance: float = TOLERANCE
) -> Mirror:
    """The mirror of a body and what it observes.

    Args:
        entity: the body that acts; its actions are one number per actuator.
        terms: of every observation group: ``groups`` of an environment's observation spec.
        groups: those that are learned from.
        tolerance: part by which sides may differ; see `symmetry_of`.

    Raises:
        NotSymmetric: the body is not symmetric, or an observation has no mirror image; the message says what has none.
    """
    symmetry = symmetry_of(entity, tolerance)
    return Mirror({name: mirrored_terms(symmetry, terms[name]) for name in groups}, symmetry.actuators)


class Slopes(Protocol):
    """A surrogate loss with its slopes: `PolicySlopes`, or that of many members."""

    @property
    def loss(self) -> Tensor | float: ...  # noqa: D102
    @property
    def mean(self) -> Tensor: ...  # noqa: D102
    @property
    def log_std(self) -> Tensor: ...  # noqa: D102


AnySlopes = TypeVar("AnySlopes", bound=Slopes)


class SymmetricLearning:
    """What a learner does with a mirror. Samples are the last axis but one of observations, (…, N, size)."""

    def __init__(self, mirror: Mirror, config: SymmetryConfig) -> None:
        self.mirror, self.config = mirror, config

    def to(self, device: torch.device) -> SymmetricLearning:
        """The same where policies are."""
        return SymmetricLearning(self.mirror.to(device), self.config)

    def both(self, observation: Observation) -> Observation:
        """(…, 2 N, size) by group: the samples, and after them their mirror images."""
        return {name: torch.cat((g, self.mirror.groups[name](g)), dim=-2) for name, g in observation.items()}

    def actor(
        self, means: Tensor, actions: Tensor, surrogate: Callable[[Tensor, Tensor], AnySlopes]
    ) -> tuple[AnySlopes, Tensor]:
        """The actor's loss for samples and images.

        Args:
            means: (…, 2 N, n) Mean actions for what `both` gave.
            actions: (…, N, n) That were taken.
            surrogate: the clipped surrogate for mean actions and actions (…, N, n).

        Returns:
            The surrogate of the samples, with their divergence and clipping, but with the loss and the slopes of all,
            its mean's being (…, 2 N, n); and the `asymmetry`.
        """
        own, image = means.chunk(2, dim=-2)
        slopes = surrogate(own, actions)
        loss, log_std = slopes.loss, slopes.log_std
        parts = [slopes.mean, torch.zeros_like(slopes.mean)]
        if self.config.augment:
            mirrored = surrogate(image, self.mirror.actions(actions))
            loss, log_std = (loss + mirrored.loss) / 2, (log_std + mirrored.log_std) / 2
            parts = [slopes.mean / 2, mirrored.mean / 2]
        if self.config.mirror_loss:
            apart, of_own, of_image = mirror_loss(own, image, self.mirror.actions)
            loss = loss + self.config.mirror_loss * apart
            parts[0].add_(of_own, alpha=self.config.mirror_loss)
            parts[1].add_(of_image, alpha=self.config.mirror_loss)
        changed = replace(slopes, loss=loss, mean=torch.cat(parts, dim=-2), log_std=log_std)  # type: ignore[type-var]
        return changed, asymmetry(own, image, self.mirror.actions)

    def critic(self, observation: Observation, *samples: Tensor) -> tuple[Observation, tuple[Tensor, ...]]:
        """What a critic learns from: with augmentation the samples' numbers (…, N) hold for their images too."""
        if not self.config.augment:
            return observation, samples
        return self.both(observation), tuple(torch.cat((each, each), dim=-1) for each in samples)


def mirror_loss(own: Tensor, image: Tensor, actions: Flip) -> tuple[Tensor, Tensor, Tensor]:
    """The mean square of what tells the actions in a mirror from the mirrored actions.

    Args:
        own: (…, N, n) Mean actions.
        image: (…, N, n) Those for the mirrored observations.
        actions: how actions are mirrored.

    Returns:
        The loss (…), and its slopes in ``own`` and in ``image``.
    """
    apart = image - actions(own)
    slope = apart * (2.0 / (apart.shape[-1] * apart.shape[-2]))
    # A mirror is its own transpose.
    return apart.square().mean(dim=(-2, -1)), -actions(slope), slope


def asymmetry(own: Tensor, image: Tensor, actions: Flip) -> Tensor:
    """(…) 0 for a policy that does in a mirror the mirror image of what it does, 1 for one whose sides have nothing in
    common, √2 for one whose sides do the opposite. Arguments as for `mirror_loss`."""
    apart = (image - actions(own)).square().sum(dim=(-2, -1))
    return (apart / (own.square().sum(dim=(-2, -1)) + image.square().sum(dim=(-2, -1))).clamp_min(1e-12)).sqrt()
