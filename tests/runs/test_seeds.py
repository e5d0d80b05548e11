"""Streams of randomness: each its own, whatever else was drawn."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from embodied.runs.seeds import generator_seed, stream, torch_generator

PATHS = st.lists(st.integers(0, 2**32 - 1), max_size=4)


@given(st.integers(0, 2**63), PATHS)
def test_a_stream_is_its_address_below_the_seed(seed, path):
    sequence = np.random.SeedSequence(seed)
    for key in path:
        # numpy's own way down: the key-th child, without spawning the ones before.
        sequence = np.random.SeedSequence(sequence.entropy, spawn_key=(*sequence.spawn_key, key))
    np.testing.assert_array_equal(stream(seed, *path).generate_state(4), sequence.generate_state(4))
    assert 0 <= generator_seed(stream(seed, *path)) < 2**63


def test_children_are_those_that_numpy_spawns():
    children = np.random.SeedSequence(5).spawn(4)
    for i, child in enumerate(children):
        np.testing.assert_array_equal(stream(5, i).generate_state(4), child.generate_state(4))


@given(st.integers(0, 2**32), PATHS, PATHS)
def test_different_addresses_give_different_streams(seed, one, other):
    same = generator_seed(stream(seed, *one)) == generator_seed(stream(seed, *other))
    assert same == (one == other)


def test_generators_repeat_and_draw_from_nothing_global():
    before = torch.get_rng_state()
    draws = [torch.rand(5, generator=torch_generator(stream(3, 1))) for _ in range(2)]
    assert torch.equal(*draws)
    assert not torch.equal(draws[0], torch.rand(5, generator=torch_generator(stream(3, 2))))
    assert torch.equal(torch.get_rng_state(), before)
