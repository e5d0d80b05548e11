"""Losses and rewards of ASE against double precision by hand, autograd's slopes against finite differences."""

import math

import numpy as np
import pytest
import torch

from embodied.skills.ase.config import ASEConfig
from embodied.skills.ase.greedy import noise_probabilities, noisy_mask
from embodied.skills.ase.latents import on_sphere
from embodied.skills.ase.losses import bound_loss, discriminator_loss, diversity_loss, surrogate
from embodied.skills.ase.networks import Discriminator
from embodied.skills.ase.rewards import skill_reward, style_reward


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(3)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def test_style_reward_is_minus_two_log_of_the_doubt():
    logits = torch.tensor([-30.0, -3.0, 0.0, 0.7, 5.0, 9.2, 9.3, 50.0], dtype=torch.float64)
    expected = -2.0 * np.log(np.maximum(1.0 - sigmoid(logits.numpy()), 1e-4))
    assert np.allclose(style_reward(logits).numpy(), expected, rtol=1e-10, atol=1e-12)
    assert style_reward(torch.tensor([200.0])).item() == pytest.approx(-2 * math.log(1e-4))  # single precision, too
    assert style_reward(torch.tensor([-200.0])).item() == 0.0


def test_skill_reward_is_the_agreement_and_never_negative():
    z = on_sphere(50, 6)
    assert torch.allclose(skill_reward(z, z), torch.ones(50), atol=1e-6)
    assert torch.equal(skill_reward(-z, z), torch.zeros(50))
    other = on_sphere(50, 6)
    assert np.allclose(skill_reward(other, z), np.maximum((other.numpy() * z.numpy()).sum(-1), 0), atol=1e-6)


def test_surrogate_is_clipped_where_the_paper_says():
    old = torch.zeros(4, dtype=torch.float64)
    log_probs = torch.tensor([0.5, 0.5, -0.5, -0.5], dtype=torch.float64).requires_grad_(True)
    advantages = torch.tensor([1.0, -1.0, 1.0, -1.0], dtype=torch.float64)
    loss = surrogate(log_probs, old, advantages, 0.2)
    ratio = np.exp([0.5, 0.5, -0.5, -0.5])
    by_hand = -np.mean([1.2, -ratio[1], ratio[2], -0.8])
    assert float(loss.detach()) == pytest.approx(by_hand, rel=1e-12)
    loss.backward()
    assert log_probs.grad is not None
    assert torch.equal(log_probs.grad != 0, torch.tensor([False, True, True, False]))


def test_bound_loss_counts_what_is_beyond_one_on_either_side():
    mean = torch.tensor([[0.5, -1.5, 1.0], [3.0, 0.0, -1.0]], dtype=torch.float64)
    assert float(bound_loss(mean)) == pytest.approx((0.25 + 4.0) / 2)


def test_diversity_loss_by_hand(generator):
    mean, other = (torch.randn(7, 5, generator=generator, dtype=torch.float64) for _ in range(2))
    z, w = (on_sphere(7, 4, generator).double() for _ in range(2))
    total = 0.0
    for row in range(7):
        apart = 0.5 - 0.5 * float(np.dot(z[row].numpy(), w[row].numpy()))
        actions = np.mean((mean[row].numpy() - other[row].numpy()) ** 2)
        total += (1 - actions / (apart + 1e-5)) ** 2
    assert float(diversity_loss(mean, other, z, w)) == pytest.approx(total / 7, rel=1e-10)


@pytest.fixture
def network(generator):
    return Discriminator(6, 3, (8, 5), generator).double()


def windows(generator, count=9):
    return torch.randn(count, 6, generator=generator, dtype=torch.float64)


def test_discriminator_loss_is_the_sum_of_its_parts(network, generator):
    config = ASEConfig(gradient_penalty=5.0, logit_decay=0.01, discriminator_decay=1e-4, encoder_weight=2.0)
    agent, replayed, clips = windows(generator), windows(generator, 4), windows(generator, 6)
    latent = on_sphere(9, 3, generator).double()
    found = discriminator_loss(network, agent, replayed, clips, latent, config)

    def forward(x):
        for layer in network.trunk.layers:
            x = np.maximum(x @ layer.weight.detach().numpy().T + layer.bias.detach().numpy(), 0.0)
        head = x @ network.encoder.weight.detach().numpy().T + network.encoder.bias.detach().numpy()
        logit = x @ network.logit.weight.detach().numpy().T + network.logit.bias.detach().numpy()
        return logit[:, 0], head / np.linalg.norm(head, axis=1, keepdims=True)

    agent_logit, encoded = forward(agent.numpy())
    fake = np.concatenate([agent_logit, forward(replayed.numpy())[0]])
    real = forward(clips.numpy())[0]
    entropy = 0.5 * (-np.log(1 - sigmoid(fake)).mean() - np.log(sigmoid(real)).mean())
    step = 1e-6
    slopes = np.stack(
        [
            (forward(clips.numpy() + step * axis)[0] - forward(clips.numpy() - step * axis)[0]) / (2 * step)
            for axis in np.eye(6)
        ],
        axis=1,
    )
    penalty = (slopes**2).sum(axis=1).mean()
    agreement = (encoded * latent.numpy()).sum(axis=1).mean()
    weights = [layer.weight.detach().numpy() for layer in (*network.trunk.layers, network.logit)]
    decay = sum((weight**2).sum() for weight in weights)
    total = entropy + 0.01 * (weights[-1] ** 2).sum() + 5.0 * penalty + 1e-4 * decay - 2.0 * agreement
    assert float(found.cross_entropy) == pytest.approx(entropy, rel=1e-9)
    assert float(found.gradient_penalty) == pytest.approx(penalty, rel=1e-5)
    assert float(found.agreement) == pytest.approx(agreement, rel=1e-9)
    assert float(found.total.detach()) == pytest.approx(total, rel=1e-5)
    assert float(found.right_on_agent) == pytest.approx((fake < 0).mean())
    assert float(found.right_on_clips) == pytest.approx((real > 0).mean())


def test_gradients_of_the_discriminator_loss_against_finite_differences(network, generator):
    config = ASEConfig()
    parts = windows(generator), windows(generator, 4), windows(generator, 6), on_sphere(9, 3, generator).double()

    def loss():
        return discriminator_loss(network, *parts, config).total

    parameters = list(network.parameters())
    found = torch.autograd.grad(loss(), parameters, allow_unused=True)
    for parameter, gradient in zip(parameters, found, strict=True):
        flat = parameter.data.view(-1)
        for place in {0, len(flat) // 2, len(flat) - 1}:
            kept, step = float(flat[place]), 1e-6
            flat[place] = kept + step
            above = float(loss().detach())
            flat[place] = kept - step
            below = float(loss().detach())
            flat[place] = kept
            slope = 0.0 if gradient is None else float(gradient.reshape(-1)[place])
            assert slope == pytest.approx((above - below) / (2 * step), abs=2e-7, rel=1e-5)


def test_only_windows_of_clips_bear_the_gradient_penalty(network, generator):
    config = ASEConfig()
    latent, clips = on_sphere(9, 3, generator).double(), windows(generator, 6)
    penalties = {
        float(
            discriminator_loss(network, windows(generator), windows(generator), clips, latent, config).gradient_penalty
        )
        for _ in range(3)
    }
    assert len(penalties) == 1


def test_the_encoder_learns_from_the_agent_alone(network, generator):
    agent, latent = windows(generator), on_sphere(9, 3, generator).double()
    found = [
        discriminator_loss(network, agent, windows(generator), windows(generator), latent, ASEConfig()).total
        for _ in range(2)
    ]
    one, two = (torch.autograd.grad(loss, network.encoder.weight)[0] for loss in found)
    assert torch.allclose(one, two, rtol=0, atol=1e-15)


@pytest.mark.parametrize("worlds", [2, 5, 128])
def test_worlds_act_with_noise_by_the_formula(worlds):
    expected = [1 - math.exp(10 * (i / (worlds - 1) - 1)) for i in range(worlds)]
    expected[0], expected[-1] = 1.0, 0.0
    found = noise_probabilities(worlds)
    assert np.allclose(found, expected, atol=1e-6)
    mask = noisy_mask(4000, found, torch.Generator().manual_seed(0))
    assert bool(mask[:, 0].all())
    assert not bool(mask[:, -1].any())
    assert np.allclose(mask.float().mean(dim=0), expected, atol=0.04)


def test_a_single_world_always_acts_with_noise():
    assert noise_probabilities(1).tolist() == [1.0]
