"""Stacked normalisers against single ones fed with their member's samples."""

import numpy as np
import torch

from embodied.learning.returns import RewardScaler
from embodied.learning.stacked.normaliser import StackedNormaliser, StackedRewardScaler
from embodied.networks import RunningNormaliser

CPU = torch.device("cpu")
ALL = torch.ones(3, dtype=torch.bool)


def batches(count=4, samples=60):
    """(M, N, 4) each: features far from zero with little spread, large, constant, and ordinary ones."""
    generator = torch.Generator().manual_seed(0)
    scale, offset = torch.tensor([1e-3, 1e4, 0.0, 1.0]), torch.tensor([1.3, -5e4, 2.0, 0.0])
    return [torch.randn(3, samples, 4, generator=generator) * scale + offset for _ in range(count)]


def test_statistics_and_outputs_are_those_of_single_normalisers():
    stacked, single = StackedNormaliser(3, 4, CPU), [RunningNormaliser(4) for _ in range(3)]
    for batch in batches():
        stacked.update(batch, ALL)
        for member, normaliser in enumerate(single):
            normaliser.update(batch[member])
    last = batches()[-1]
    for member, normaliser in enumerate(single):
        np.testing.assert_allclose(stacked.mean[member], normaliser.mean, rtol=1e-9)
        np.testing.assert_allclose(stacked.variance[member], normaliser.variance, rtol=1e-6, atol=1e-12)
        assert float(stacked.count[member]) == float(normaliser.count) == 240
        np.testing.assert_allclose(stacked(last)[member], normaliser(last[member]), rtol=1e-4, atol=1e-3)


def test_members_that_do_not_learn_keep_their_statistics_whatever_they_saw():
    stacked = StackedNormaliser(3, 4, CPU)
    first, second, *_ = batches()
    stacked.update(first, ALL)
    before = {name: getattr(stacked, name).clone() for name in ("mean", "variance", "count", "scale", "offset")}
    second[1] = float("nan")
    stacked.update(second, torch.tensor([True, False, True]))
    for name, value in before.items():
        assert torch.equal(getattr(stacked, name)[1], value[1])
        assert torch.isfinite(getattr(stacked, name)).all()
        assert not torch.equal(getattr(stacked, name)[0], value[0])


def test_rewards_are_scaled_as_by_single_scalers():
    generator = torch.Generator().manual_seed(1)
    stacked, single = StackedRewardScaler(3, 0.9, CPU), [RewardScaler(0.9) for _ in range(3)]
    carried, alone = torch.zeros(6), [torch.zeros(2) for _ in range(3)]
    for _ in range(3):
        rewards = torch.randn(10, 6, generator=generator) * torch.tensor([1.0, 1, 100, 100, 0.01, 0.01])
        ended = torch.rand(10, 6, generator=generator) < 0.2
        stacked.observe(rewards, ended, carried, ALL)
        scaled = stacked.scaled(rewards)
        for member, scaler in enumerate(single):
            own = slice(2 * member, 2 * member + 2)
            scaler.observe(rewards[:, own], ended[:, own], alone[member])
            np.testing.assert_allclose(scaled[:, own], scaler(rewards[:, own]), rtol=1e-5)
            assert torch.equal(carried[own], alone[member])


def test_a_row_is_taken_up_from_a_single_normaliser():
    single, stacked = RunningNormaliser(4), StackedNormaliser(3, 4, CPU)
    single.update(batches()[0][0])
    stacked.load_member(2, single.state_dict())
    inputs = batches()[1]
    np.testing.assert_allclose(stacked(inputs)[2], single(inputs[2]), rtol=1e-6)
    assert torch.equal(stacked(inputs)[0], inputs[0].clamp(-10, 10))
    state = stacked.member_state(2)
    assert all(torch.equal(state[name], value) for name, value in single.state_dict().items())
