"""The replay buffer against a list."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from embodied.skills.ase.replay import ReplayBuffer


@given(st.integers(1, 12), st.lists(st.integers(0, 30), min_size=1, max_size=8))
def test_the_newest_windows_are_kept(capacity, sizes):
    buffer, kept, count = ReplayBuffer(capacity, 2, 3), [], 0
    for size in sizes:
        windows = torch.arange(count, count + size).float()[:, None, None].expand(size, 2, 3)
        buffer.add(windows)
        kept, count = (kept + list(range(count, count + size)))[-capacity:], count + size
        assert len(buffer) == len(kept)
        assert sorted(buffer.windows[: len(buffer), 0, 0].tolist()) == kept
        if kept:
            drawn = buffer.sample(40, torch.Generator().manual_seed(0))
            assert drawn.shape == (40, 2, 3)
            assert set(drawn[:, 1, 2].tolist()) <= set(kept)


def test_a_stored_buffer_goes_on_as_the_first_would():
    one, two = ReplayBuffer(5, 1), ReplayBuffer(5, 1)
    for value in range(7):
        one.add(torch.full((1, 1), float(value)))
    two.load_state_dict(one.state_dict())
    for buffer in (one, two):
        buffer.add(torch.full((2, 1), 9.0))
    assert torch.equal(one.windows, two.windows)
    draws = [buffer.sample(20, torch.Generator().manual_seed(1)) for buffer in (one, two)]
    assert torch.equal(*draws)


def test_an_empty_buffer_says_so():
    with pytest.raises(ValueError, match="empty"):
        ReplayBuffer(3, 1).sample(2, torch.Generator())
