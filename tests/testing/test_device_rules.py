"""The rules themselves: what would wait for a device is refused, what would not is let through."""

import numpy as np
import pytest
import torch

from embodied.testing.device_rules import DeviceRules, Waited


def numbers(*shape):
    return torch.zeros(*shape or (4, 3), device="meta")


MASK, ROWS = torch.zeros(4, dtype=torch.bool, device="meta"), torch.arange(4, device="meta")
REFUSED = {
    "item": lambda x: x.sum().item(),
    "float": lambda x: float(x[0, 0]),
    "if": lambda x: 1 if (x > 0).any() else 0,
    "tolist": lambda x: x.tolist(),
    "numpy": lambda x: x.numpy(),
    "numpy's own": lambda x: np.asarray(x),
    "cpu": lambda x: x.cpu(),
    "to": lambda x: x.to("cpu"),
    "nonzero": lambda x: x.nonzero(),
    "where that finds": lambda x: torch.where(MASK),
    "rows by a mask": lambda x: x[MASK],
    "numbers by a mask": lambda x: x.__setitem__(MASK, x),
    "a number of the device by a mask": lambda x: x.__setitem__(MASK, x.sum()),
    "masked_select": lambda x: torch.masked_select(x, x > 0),
    "unique": lambda x: torch.unique(x),
    "equal": lambda x: torch.equal(x, x),
    "a list as index": lambda x: x[:, [0, 2]],
    "an array as index": lambda x: x[np.array([0, 2])],
    "a tensor of the host as index": lambda x: x[torch.tensor([0, 2])],
    "tensor": lambda x: torch.tensor([1.0, 2.0], device="meta"),
    "new_tensor": lambda x: x.new_tensor([1.0, 2.0]),
    "as_tensor": lambda x: torch.as_tensor(np.zeros(3), device="meta"),
    "from numpy": lambda x: torch.from_numpy(np.zeros(3)).to("meta"),
    "copied in": lambda x: x.copy_(torch.zeros(4, 3)),
    "copied out": lambda x: torch.zeros(4, 3).copy_(x),
    "added to the host's": lambda x: x + torch.zeros(4, 3),
    "chosen from the host's": lambda x: torch.where(MASK[:, None], torch.zeros(4, 3), x),
    "multiplied with the host's": lambda x: x @ torch.zeros(3, 4),
    "drawn on the host": lambda x: x + torch.rand(4, 3, generator=torch.Generator()),
}
LET_THROUGH = {
    "where": lambda x: torch.where(MASK[:, None], x, 0.0),
    "where in place": lambda x: torch.where(MASK[:, None], x, x, out=x),
    "filled": lambda x: x.masked_fill_(MASK[:, None], 1.0),
    "one number by a mask": lambda x: x.__setitem__(MASK, 0.0),
    "by numbers of rows": lambda x: x[ROWS, ROWS % 3],
    "written by numbers of rows": lambda x: x.__setitem__((ROWS, ROWS % 3), 1.0),
    "slices": lambda x: x[:, 1:].mul_(2.0),
    "a number of the host": lambda x: x * torch.tensor(2.0),
    "made there": lambda x: x + torch.arange(3, device="meta") + torch.full((3,), 2.0, device="meta"),
    "drawn there": lambda x: x + torch.rand(4, 3, generator=torch.Generator(), device="meta"),
    "the host's own": lambda x: torch.zeros(3).tolist(),
    "precision": lambda x: x.double().long(),
    "shape": lambda x: len(x) * x.shape[1],
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_wait_is_refused(name):
    given = numbers()
    with DeviceRules(), pytest.raises(Waited):
        REFUSED[name](given)


@pytest.mark.parametrize("name", LET_THROUGH)
def test_what_would_not_wait_is_let_through(name):
    given = numbers()
    with DeviceRules():
        LET_THROUGH[name](given)


READ = {
    "item": lambda x: x.sum().item(),
    "float": lambda x: float(x[0]),
    "if": lambda x: bool((x > 0).any()),
    "tolist": lambda x: x.tolist(),
    "numpy": lambda x: x.numpy(),
    "numpy's own": lambda x: np.asarray(x),
    "cpu": lambda x: x.cpu(),
    "nonzero": lambda x: x.nonzero(),
    "where that finds": lambda x: torch.where(x > 0),
    "numbers by a mask": lambda x: x[x > 0],
    "written by a mask": lambda x: x.__setitem__(x > 0, x[:1]),
    "masked_select": lambda x: torch.masked_select(x, x > 0),
    "masked_scatter": lambda x: x.masked_scatter(x > 0, x),
    "equal": lambda x: torch.equal(x, x),
    "a list as index": lambda x: x[[0, 2]],
    "tensor": lambda x: x + torch.tensor([1.0, 2.0, 3.0, 4.0]),
    "new_tensor": lambda x: x.new_tensor([1.0, 2.0]),
}


@pytest.mark.parametrize("name", READ)
def test_on_the_cpu_every_tensor_stands_for_one_on_a_device(name):
    values = torch.ones(4)
    with DeviceRules("cpu"), pytest.raises(Waited):
        READ[name](values)


def test_on_the_cpu_what_does_not_wait_is_let_through_with_its_numbers():
    values, picked = torch.ones(4), torch.tensor([0, 2])
    with DeviceRules("cpu"):
        moved = torch.where(values > 0, values + 1.0, 0.0).masked_fill(values < 0, 3.0)
        moved[picked] = values[picked]
        moved[moved > 10.0] = 0.0
        moved.cumsum(dim=0).sum().clamp_(min=1.0)
        torch.zeros(3, device="cpu")
    assert moved.tolist() == [1.0, 2.0, 1.0, 2.0]


def test_warp_s_arrays_are_not_read_either():
    wp = pytest.importorskip("warp", reason="needs the extra gpu")
    array = wp.zeros(4, device="cpu")
    for read in (lambda: array.numpy(), lambda: wp.synchronize(), lambda: wp.synchronize_device("cpu")):
        with DeviceRules("cpu"), pytest.raises(Waited):
            read()
    assert array.numpy().tolist() == [0.0] * 4


def test_outside_of_the_rules_torch_is_as_ever():
    for device in ("meta", "cpu"):
        rules = DeviceRules(device)
        for _ in range(2):
            with rules:
                pass
            assert torch.ones(3).sum().item() == 3.0
