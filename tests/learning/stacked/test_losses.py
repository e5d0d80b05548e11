"""Stacked losses against torch's distributions and autograd, member by member."""

import numpy as np
import torch
from torch.distributions import Independent, Normal

from embodied.learning.stacked.losses import policy_slopes, value_slope


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_surrogate_s_figures_and_slopes_are_autograd_s():
    means, log_stds = draw(3, 40, 2), 0.3 * draw(3, 2, seed=1)
    actions, advantages = means + draw(3, 40, 2, seed=2), draw(3, 40, seed=3)
    old = Independent(Normal(means + 0.2 * draw(3, 40, 2, seed=4), 1.0), 1).log_prob(actions)
    given = policy_slopes(means, log_stds, actions, old, advantages, 0.2)
    for m in range(3):
        mean, log_std = means[m].clone().requires_grad_(), log_stds[m].clone().requires_grad_()
        distribution = Independent(Normal(mean, log_std.exp()), 1)
        log_ratio = distribution.log_prob(actions[m]) - old[m]
        ratio = log_ratio.exp()
        loss = -torch.min(ratio * advantages[m], ratio.clip(0.8, 1.2) * advantages[m]).mean()
        loss.backward()
        np.testing.assert_allclose(given.loss[m], loss.detach(), atol=1e-5)
        np.testing.assert_allclose(given.mean[m], mean.grad, atol=1e-6)
        np.testing.assert_allclose(given.log_std[m], log_std.grad, atol=1e-5)
        np.testing.assert_allclose(given.entropy[m], distribution.entropy()[0].detach(), rtol=1e-6)
        np.testing.assert_allclose(given.kl[m], (ratio - 1 - log_ratio).mean().detach(), atol=1e-5)
        clipped = ((ratio < 0.8) | (ratio > 1.2)).float().mean()
        np.testing.assert_allclose(given.clip_fraction[m], clipped)
        assert 0 < clipped < 1


def test_the_value_loss_s_slope_is_autograd_s():
    values, old, targets = draw(3, 40), draw(3, 40, seed=1), draw(3, 40, seed=2)
    losses, slopes = value_slope(values, old, targets, 0.2)
    for m in range(3):
        value = values[m].clone().requires_grad_()
        near = old[m] + (value - old[m]).clip(-0.2, 0.2)
        loss = 0.5 * torch.max((value - targets[m]) ** 2, (near - targets[m]) ** 2).mean()
        loss.backward()
        np.testing.assert_allclose(losses[m], loss.detach(), rtol=1e-5)
        np.testing.assert_allclose(slopes[m], value.grad, atol=1e-7)
