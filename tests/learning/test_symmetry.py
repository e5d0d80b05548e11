"""Learning from mirror images: its losses against autograd, and what becomes of policies."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import Independent, Normal

from embodied.learning.losses import policy_slopes
from embodied.learning.ppo import PPOConfig
from embodied.learning.stacked import StackedTrainer
from embodied.learning.stacked.losses import policy_slopes as stacked_policy_slopes
from embodied.learning.symmetry import (
    Mirror,
    SymmetricLearning,
    SymmetryConfig,
    asymmetry,
    mirror_for,
    mirror_loss,
)
from embodied.networks import Gaussian, PolicyConfig, PolicyShape
from embodied.scenes.flip import Flip
from embodied.scenes.symmetry import NotSymmetric
from tests.envs.short import short
from tests.learning.stacked.drift import Drift
from tests.learning.test_ppo import seeded

ACTIONS = Flip.of([1, 0, 2], [-1.0, -1.0, 1.0])
GROUPS = {"proprio": Flip.of([0, 2, 1, 3]), "goal": Flip.of([0, 1], [1.0, -1.0])}


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed))


def test_the_mirror_loss_s_slopes_are_autograd_s():
    own, image = draw(2, 7, 3).requires_grad_(), draw(2, 7, 3, seed=1).requires_grad_()
    losses, of_own, of_image = mirror_loss(own.detach(), image.detach(), ACTIONS)
    expected = (image - ACTIONS(own)).square().mean(dim=(1, 2))
    expected.sum().backward()
    torch.testing.assert_close(losses, expected.detach())
    torch.testing.assert_close(of_own, own.grad)
    torch.testing.assert_close(of_image, image.grad)


def test_asymmetry_is_0_for_images_1_for_strangers_and_root_2_for_opposites():
    own = draw(4000, 3)
    assert float(asymmetry(own, ACTIONS(own), ACTIONS)) == 0.0
    assert float(asymmetry(own, draw(4000, 3, seed=1), ACTIONS)) == pytest.approx(1.0, abs=0.02)
    assert float(asymmetry(own, -ACTIONS(own), ACTIONS)) == pytest.approx(math.sqrt(2))


@pytest.mark.parametrize("config", [SymmetryConfig(augment=True), SymmetryConfig(mirror_loss=0.7)])
@pytest.mark.parametrize("members", [0, 2])
def test_the_actor_s_loss_and_slopes_are_autograd_s(config, members):
    """Of plain PPO's losses (0 members) and of those with a members axis."""
    lead = (members,) if members else ()
    learning = SymmetricLearning(Mirror(GROUPS, ACTIONS), config)
    means, log_std = draw(*lead, 40, 3), 0.2 * draw(*lead, 3, seed=1)
    actions, advantages = means[..., :20, :] + draw(*lead, 20, 3, seed=2), draw(*lead, 20, seed=3)
    old = Independent(Normal(means[..., :20, :] + 0.2 * draw(*lead, 20, 3, seed=4), 1.0), 1).log_prob(actions)

    def surrogate(mean, taken):
        if members:
            return stacked_policy_slopes(mean, log_std, taken, old, advantages, 0.2)
        return policy_slopes(Gaussian(mean, log_std), taken, old, advantages, 0.2)

    given, apart = learning.actor(means, actions, surrogate)
    mean, deviation = means.clone().requires_grad_(), log_std.clone().requires_grad_()

    def loss_of(part, taken):
        log_ratio = Independent(Normal(part, deviation.exp().unsqueeze(-2)), 1).log_prob(taken) - old
        ratio = log_ratio.exp()
        return -torch.min(ratio * advantages, ratio.clip(0.8, 1.2) * advantages).mean(-1), ratio - 1 - log_ratio

    own, image = mean.chunk(2, dim=-2)
    loss, divergence = loss_of(own, actions)
    if config.augment:
        loss = (loss + loss_of(image, ACTIONS(actions))[0]) / 2
    loss = loss + config.mirror_loss * (image - ACTIONS(own)).square().mean(dim=(-2, -1))
    loss.sum().backward()
    np.testing.assert_allclose(given.loss, loss.detach(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(given.mean, mean.grad, atol=1e-6)
    np.testing.assert_allclose(given.log_std, deviation.grad, atol=1e-5)
    np.testing.assert_allclose(given.kl, divergence.mean(-1).detach(), atol=1e-5)  # of what happened alone
    np.testing.assert_allclose(apart, asymmetry(own.detach(), image.detach(), ACTIONS))


def test_critics_learn_from_images_only_where_samples_are_augmented():
    observation = {"proprio": draw(5, 4), "goal": draw(5, 2, seed=1)}
    values, targets = draw(5, seed=2), draw(5, seed=3)
    learning = SymmetricLearning(Mirror(GROUPS, ACTIONS), SymmetryConfig(augment=True))
    seen, (old, wanted) = learning.critic(observation, values, targets)
    assert torch.equal(seen["goal"][5:], observation["goal"] * torch.tensor([1.0, -1.0]))
    assert torch.equal(seen["proprio"][5:], observation["proprio"][:, [0, 2, 1, 3]])
    assert torch.equal(old, values.repeat(2))
    assert torch.equal(wanted, targets.repeat(2))
    learning = SymmetricLearning(Mirror(GROUPS, ACTIONS), SymmetryConfig(mirror_loss=1.0))
    assert learning.critic(observation, values, targets) == (observation, (values, targets))


def drift_mirror():
    """What `Drift` does is the same in a mirror in which its two axes change places."""
    swap = Flip.of([1, 0])
    privileged = Flip.of([1, 0, 2])  # wind along x, along y, and a number that does nothing
    return Mirror({"proprio": Flip.of([1, 0, 3, 2]), "goal": swap, "privileged": privileged}, swap)


def drifting(config, seeds=(0,), iterations=12):
    symmetry = SymmetricLearning(drift_mirror(), config) if config else None
    ppo = PPOConfig(rollout_steps=16, minibatch=128, epochs=4, learning_rate=2e-3)
    small = PolicyConfig(hidden=(16, 12))
    env = Drift(32 * len(seeds), limit=20, edge=4.0)
    return StackedTrainer(env, ppo, iterations * 512, seeds, small, symmetry=symmetry)


def last_of(trainer):
    while not trainer.finished:
        metrics = trainer.iterate()
    return metrics


def test_either_way_makes_policies_more_symmetric_than_watching_does():
    watched = last_of(drifting(SymmetryConfig()))
    augmented = last_of(drifting(SymmetryConfig(augment=True)))
    drawn = last_of(drifting(SymmetryConfig(mirror_loss=2.0)))
    assert augmented["asymmetry"] < 0.7 * watched["asymmetry"]
    assert drawn["asymmetry"] < 0.5 * watched["asymmetry"]
    for metrics in (augmented, drawn):
        assert metrics["episode/return"] > watched["episode/return"] - 2.0


def test_mirroring_and_normalising_may_change_places():
    trainer = drifting(SymmetryConfig(augment=True), seeds=(0, 1))
    for _ in range(3):
        trainer.iterate()
    seen = {name: 3.0 * draw(2, 50, size, seed=size) for name, size in trainer.policies.shape.groups.items()}
    mirror, normalisers = drift_mirror(), trainer.policies.normalisers
    for name, group in mirror.observation(seen).items():
        one, other = normalisers[name](group), mirror.groups[name](normalisers[name](seen[name]))
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_watching_changes_nothing_but_the_normalisers():
    """The first update's policies: normalisers have only seen images besides, which centres them."""
    watching, blind = drifting(SymmetryConfig()), drifting(None)
    one, other = watching.iterate(), blind.iterate()
    assert one == other
    assert "asymmetry" in watching.iterate()
    assert "asymmetry" not in blind.iterate()


def test_members_learn_from_mirror_images_as_each_does_alone():
    together = drifting(SymmetryConfig(augment=True, mirror_loss=0.5), seeds=(0, 0), iterations=4)
    last_of(together)
    assert {own["asymmetry"] < 1.5 for own in together.member_metrics} == {True}
    assert together.member_metrics[0]["asymmetry"] != together.member_metrics[1]["asymmetry"]


def test_a_walking_body_learns_from_mirror_images():
    env = short(4, 25, body="ant")
    groups = PolicyShape.for_spaces(env.observation_space, env.action_space).groups
    mirror = mirror_for(env.env.scene.entities["robot"], env.observation_spec.groups, groups)
    assert len(mirror.groups["proprio"]) == env.observation_space["proprio"].shape[0]
    assert len(mirror.actions) == env.action_space.shape[0]
    symmetry = SymmetricLearning(mirror, SymmetryConfig(augment=True))
    trainer = StackedTrainer(env, PPOConfig(rollout_steps=16, minibatch=32), 4 * 64, [0], symmetry=symmetry)
    metrics = last_of(trainer)
    assert 0.0 < metrics["asymmetry"] < 1.5
    assert all(math.isfinite(value) for value in metrics.values())


def test_a_body_without_symmetry_is_refused_before_anything_is_learned():
    from tests.scenes.test_symmetry import legs

    with pytest.raises(NotSymmetric, match="left is not the mirror image of right"):
        mirror_for(legs(end="0 -.1 -.25"), {}, ())


def test_nothing_is_done_unless_it_is_wanted():
    assert not SymmetryConfig().wanted
    assert SymmetryConfig(augment=True).wanted
    assert SymmetryConfig(mirror_loss=0.1).wanted
