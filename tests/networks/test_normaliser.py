"""Running statistics against numpy over all the data at once."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from embodied.networks import RunningNormaliser

SPLITS = st.lists(st.integers(1, 40), min_size=1, max_size=6)


def data(seed, rows, columns=3):
    rng = np.random.default_rng(seed)
    return rng.normal(rng.uniform(-50, 50, columns), rng.uniform(0.01, 20, columns), (rows, columns))


@given(SPLITS, st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_statistics_are_those_of_all_that_was_seen_however_it_was_split(splits, seed):
    seen = data(seed, sum(splits))
    normaliser = RunningNormaliser(3)
    for batch in np.split(seen, np.cumsum(splits)[:-1]):
        normaliser.update(torch.from_numpy(batch))
    assert float(normaliser.count) == len(seen)
    np.testing.assert_allclose(normaliser.mean, seen.mean(axis=0), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(normaliser.variance, seen.var(axis=0), rtol=1e-7, atol=1e-9)
    expected = np.clip((seen - seen.mean(axis=0)) / np.sqrt(seen.var(axis=0) + 1e-8), -10, 10)
    if len(seen) > 1:
        outputs = normaliser(torch.from_numpy(seen).float())
        # Single precision of the input, magnified where the spread is small beside the mean.
        slack = 1e-5 * (1 + np.abs(seen).max(axis=0) / np.sqrt(seen.var(axis=0) + 1e-8))
        assert (np.abs(outputs.numpy() - expected) <= slack).all()


def test_any_leading_shape_is_so_many_samples():
    seen = data(0, 24)
    flat, shaped = RunningNormaliser(3), RunningNormaliser(3)
    flat.update(torch.from_numpy(seen))
    shaped.update(torch.from_numpy(seen).reshape(2, 4, 3, 3))
    assert torch.equal(flat.mean, shaped.mean)
    assert float(shaped.count) == 24


def test_without_statistics_inputs_are_only_clipped():
    inputs = torch.tensor([[0.5, -3.0, 1e6], [-1e6, 0.0, 9.0]])
    np.testing.assert_allclose(RunningNormaliser(3)(inputs), inputs.clamp(-10, 10))


def test_forward_leaves_the_statistics_and_its_inputs_alone():
    normaliser = RunningNormaliser(3)
    normaliser.update(torch.from_numpy(data(0, 10)))
    before = {name: value.clone() for name, value in normaliser.state_dict().items()}
    inputs = torch.from_numpy(data(1, 50)).float()
    kept = inputs.clone()
    normaliser(inputs)
    assert torch.equal(inputs, kept)
    assert all(torch.equal(value, before[name]) for name, value in normaliser.state_dict().items())


def test_a_restored_normaliser_goes_on_bit_for_bit():
    one, other = RunningNormaliser(3), RunningNormaliser(3)
    one.update(torch.from_numpy(data(0, 10)))
    other.load_state_dict(one.state_dict())
    inputs = torch.from_numpy(data(1, 20)).float()
    assert torch.equal(one(inputs), other(inputs))
    for normaliser in (one, other):
        normaliser.update(inputs)
    assert torch.equal(one(inputs), other(inputs))


def test_a_column_that_never_changes_stays_finite():
    normaliser = RunningNormaliser(2)
    for _ in range(3):
        normaliser.update(torch.tensor([[5.0, 0.0]] * 4))
    assert torch.isfinite(normaliser(torch.tensor([[5.0, 0.0], [6.0, -1.0]]))).all()
    np.testing.assert_allclose(normaliser(torch.tensor([[5.0, 0.0]])), [[0.0, 0.0]], atol=1e-3)


def test_an_old_sample_weighs_as_much_as_a_new_one():
    """A million samples, then one: no forgetting, and no loss of precision far from zero."""
    normaliser = RunningNormaliser(1)
    seen = np.random.default_rng(0).normal(1e4, 1e-2, (100_000, 1))
    for batch in np.split(seen, 100):
        normaliser.update(torch.from_numpy(batch))
    normaliser.update(torch.tensor([[2e4]], dtype=torch.float64))
    everything = np.concatenate((seen, [[2e4]]))
    np.testing.assert_allclose(normaliser.mean, everything.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(normaliser.variance, everything.var(axis=0), rtol=1e-6)
