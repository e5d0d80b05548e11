"""The slopes worked out by hand, against autograd on the losses as the papers write them."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from embodied.learning.losses import policy_slopes, value_slope
from embodied.networks import Gaussian


@given(st.integers(0, 2**31), st.sampled_from([0.05, 0.2, 0.5]))
@settings(max_examples=30, deadline=None)
def test_policy_slopes_are_those_of_autograd(seed, clip):
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    mean, log_std = draw(200, 4).requires_grad_(), (0.3 * draw(4)).requires_grad_()
    actions, advantages = mean.detach() + draw(200, 4), draw(200)
    log_probs = torch.distributions.Normal(mean, log_std.exp()).log_prob(actions).sum(-1)
    old = log_probs.detach() + 0.3 * draw(200)
    ratio = (log_probs - old).exp()
    loss = -torch.min(ratio * advantages, ratio.clamp(1 - clip, 1 + clip) * advantages).mean()
    by_mean, by_log_std = torch.autograd.grad(loss, (mean, log_std))
    slopes = policy_slopes(Gaussian(mean.detach(), log_std.detach()), actions, old, advantages, clip)
    torch.testing.assert_close(torch.tensor(slopes.loss, dtype=loss.dtype), loss.detach())
    torch.testing.assert_close(slopes.mean, by_mean)
    torch.testing.assert_close(slopes.log_std, by_log_std)
    kl = ((ratio - 1) - (log_probs - old)).mean().detach()
    torch.testing.assert_close(torch.tensor(slopes.kl, dtype=kl.dtype), kl)
    outside = ((ratio < 1 - clip) | (ratio > 1 + clip)).double().mean()
    assert float(slopes.clip_fraction) == pytest.approx(float(outside))


@given(st.integers(0, 2**31))
@settings(max_examples=30, deadline=None)
def test_the_value_slope_is_that_of_autograd(seed):
    generator = torch.Generator().manual_seed(seed)
    draw = torch.randn(4, 300, generator=generator, dtype=torch.float64)
    values, targets = draw[0].clone().requires_grad_(), draw[1]
    old = values.detach() + 0.3 * draw[2]
    clipped = old + (values - old).clamp(-0.2, 0.2)
    loss = 0.5 * torch.max((values - targets).square(), (clipped - targets).square()).mean()
    (expected,) = torch.autograd.grad(loss, values)
    found, slope = value_slope(values.detach(), old, targets, 0.2)
    torch.testing.assert_close(torch.tensor(found, dtype=loss.dtype), loss.detach())
    torch.testing.assert_close(slope, expected)
