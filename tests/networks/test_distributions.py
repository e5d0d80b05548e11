"""The Gaussian against torch.distributions."""

import numpy as np
import pytest
import torch
from torch.distributions import Independent, Normal

from embodied.networks import Gaussian


def pair(shape=(5, 7), seed=0):
    generator = torch.Generator().manual_seed(seed)
    mean = torch.randn(*shape, generator=generator, requires_grad=True)
    log_std = (torch.randn(shape[-1], generator=generator) * 0.7).requires_grad_()
    return Gaussian(mean, log_std), Independent(Normal(mean, log_std.exp()), 1)


@pytest.mark.parametrize("shape", [(5, 7), (3, 4, 2), (1,), (2, 1)])
def test_densities_and_entropy_are_torch_s(shape):
    ours, torchs = pair(shape)
    actions = torchs.sample() * 2
    np.testing.assert_allclose(ours.log_prob(actions).detach(), torchs.log_prob(actions).detach(), rtol=2e-6, atol=2e-6)
    assert ours.entropy().shape == ()
    np.testing.assert_allclose(
        ours.entropy().detach().expand(shape[:-1]), torchs.entropy().detach(), rtol=2e-6, atol=2e-6
    )


def test_gradients_of_the_density_are_torch_s():
    ours, torchs = pair()
    actions = torchs.sample()
    inputs = (ours.mean, ours.log_std)
    expected = torch.autograd.grad(torchs.log_prob(actions).sum(), inputs)
    for one, other in zip(torch.autograd.grad(ours.log_prob(actions).sum(), inputs), expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def test_samples_have_the_mean_and_the_spread_they_should():
    mean, log_std = torch.tensor([1.0, -2.0]), torch.tensor([0.0, -1.5])
    draws = Gaussian(mean.expand(40_000, 2), log_std).sample(torch.Generator().manual_seed(0))
    spread = log_std.exp().numpy()
    np.testing.assert_allclose(draws.mean(0), mean, atol=5 * spread.max() / 200)
    np.testing.assert_allclose(draws.std(0), spread, rtol=0.02)
    assert abs(np.corrcoef(draws.T)[0, 1]) < 0.025


def test_samples_follow_from_the_generator_alone():
    ours, _ = pair()
    before = torch.get_rng_state()
    one, other = (ours.sample(torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.equal(one, ours.sample(torch.Generator().manual_seed(4)))
