"""Nothing is read: a guard under which torch and Warp raise where code would make the host wait for a device.

What would wait on a GPU is known from its name, also where the tensors lie on the CPU: numbers read back, results whose
size depends on numbers, and numbers brought from the host.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import torch
import warp as wp
from torch.utils._python_dispatch import TorchDispatchMode

WAITING = (
    *("_local_scalar_dense", "is_nonzero", "equal", "nonzero", "nonzero_static", "masked_select", "masked_scatter"),
    *("unique_dim", "_unique2", "unique_consecutive", "repeat_interleave", "bincount", "lift_fresh"),
)


class Waited(AssertionError):
    """Something was read back from a device, or brought to it."""


class _Guard(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        by_mask = name in ("index", "index_put", "index_put_", "_unsafe_index") and any(
            index is not None and index.dtype in (torch.bool, torch.uint8) for index in args[1]
        )
        if name in WAITING or by_mask:
            raise Waited(f"{func} would wait for a device")
        return func(*args, **(kwargs or {}))


def _refuse(*args, **kwargs):
    raise Waited("a tensor's numbers were taken to the host")


@contextmanager
def nothing_read() -> Iterator[None]:
    """Within it, what would wait raises `Waited`."""
    with (
        patch.object(torch.Tensor, "numpy", _refuse),
        patch.object(torch.Tensor, "cpu", _refuse),
        patch.object(torch.Tensor, "tolist", _refuse),
        patch.object(torch.Tensor, "__array__", _refuse),
        patch.object(wp.array, "numpy", _refuse),
        patch.object(wp, "synchronize", _refuse),
        _Guard(),
    ):
        yield
