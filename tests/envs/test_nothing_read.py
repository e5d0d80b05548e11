"""The guard itself: it knows what would wait for a device, and lets through what would not."""

import numpy as np
import pytest
import torch

wp = pytest.importorskip("warp", reason="needs the extra gpu")

from tests.envs.nothing_read import Waited, nothing_read  # noqa: E402


@pytest.mark.parametrize(
    "read",
    [
        lambda x: x.sum().item(),
        lambda x: float(x[0]),
        lambda x: bool((x > 0).any()),
        lambda x: x.tolist(),
        lambda x: x.numpy(),
        lambda x: np.asarray(x),
        lambda x: x.nonzero(),
        lambda x: torch.where(x > 0),
        lambda x: x[x > 0],
        lambda x: x.__setitem__(x > 0, x[:1]),
        lambda x: torch.masked_select(x, x > 0),
        lambda x: torch.equal(x, x),
        lambda x: x.new_tensor([1.0, 2.0]),
        lambda x: wp.zeros(4, device="cpu").numpy(),
    ],
)
def test_what_would_wait_is_refused(read):
    values = torch.ones(4)
    with nothing_read(), pytest.raises(Waited):
        read(values)


def test_what_does_not_wait_is_let_through():
    values, picked = torch.ones(4), torch.tensor([0, 2])
    with nothing_read():
        moved = torch.where(values > 0, values + 1.0, 0.0).masked_fill(values < 0, 3.0)
        moved[picked] = values[picked]
        moved.cumsum(dim=0).sum().clamp_(min=1.0)
        torch.zeros(3, device="cpu")
    assert moved.tolist() == [1.0, 2.0, 1.0, 2.0]
