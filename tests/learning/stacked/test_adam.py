"""Stacked Adam against torch's own, and members that stand still."""

import numpy as np
import torch
from torch import nn

from embodied.learning.stacked.adam import StackedAdam


def gradients(steps, seed=0):
    return torch.randn(steps, 3, 20, generator=torch.Generator().manual_seed(seed))


def test_every_member_moves_as_torch_s_adam_moves_it_alone_though_they_take_different_steps():
    start = gradients(1, seed=5)[0]
    adam = StackedAdam(start.clone(), epsilon=1e-5)
    rates = torch.tensor([1e-2, 3e-3, 1e-3])
    moves = torch.rand(12, 3, generator=torch.Generator().manual_seed(2)) < 0.7
    for gradient, moving in zip(gradients(12), moves, strict=True):
        adam.step(gradient.clone(), rates, 2.0, moving)
    for member in range(3):
        parameter = nn.Parameter(start[member].clone())
        single = torch.optim.Adam([parameter], lr=float(rates[member]), eps=1e-5)
        for gradient, moving in zip(gradients(12), moves, strict=True):
            if moving[member]:
                parameter.grad = gradient[member].clone()
                nn.utils.clip_grad_norm_([parameter], 2.0)
                single.step()
        np.testing.assert_allclose(adam.flat[member], parameter.detach(), atol=1e-6)
        assert float(adam.steps[member]) == moves[:, member].sum()
    assert len(set(adam.steps.tolist())) > 1


def test_a_member_that_stands_still_keeps_everything_bit_for_bit_whatever_its_gradient_is():
    adam = StackedAdam(gradients(1, seed=5)[0])
    rates, everyone = torch.full((3,), 1e-2), torch.ones(3, dtype=torch.bool)
    adam.step(gradients(1)[0], rates, 0.5, everyone)
    before = [tensor.clone() for tensor in (adam.flat, adam.first, adam.second, adam.steps)]
    gradient = gradients(1, seed=1)[0]
    gradient[0], gradient[1] = float("nan"), float("inf")
    adam.step(gradient, rates, 0.5, torch.tensor([False, False, True]))
    for now, then in zip((adam.flat, adam.first, adam.second, adam.steps), before, strict=True):
        assert torch.equal(now[:2], then[:2])
        assert not torch.equal(now[2], then[2])
        assert torch.isfinite(now).all()


def test_a_member_that_has_never_moved_is_left_alone():
    start = gradients(1, seed=5)[0]
    adam = StackedAdam(start.clone())
    adam.step(gradients(1)[0], torch.full((3,), 1e-2), 0.5, torch.zeros(3, dtype=torch.bool))
    assert torch.equal(adam.flat, start)
