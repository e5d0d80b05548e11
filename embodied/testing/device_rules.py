"""Device rules: a guard under which torch and Warp raise where code would make the host wait for a device, or mix both.

No GPU is needed for that, and none would tell as surely: what would wait is known from its name. There are two ways to
hold code to the rules:

- on torch's ``meta`` device, whose tensors have shapes and no numbers: whatever is on it stands for a GPU, and tensors
  on the CPU for the host's own;
- on the CPU, with numbers: then every tensor stands for one on a GPU, and the host has none of its own.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

READS = frozenset(["numpy", "item", "tolist", "cpu", "__bool__", "__float__", "__int__", "__index__", "__array__"])
"""Methods that take numbers to the host."""
WAITS = frozenset(
    [
        *("_local_scalar_dense", "is_nonzero", "equal", "nonzero", "nonzero_static", "masked_select", "masked_scatter"),
        *("unique_dim", "_unique2", "unique_consecutive", "repeat_interleave", "bincount", "_linalg_check_errors"),
    ]
)
"""Operations that read numbers, or whose result's size depends on them."""
MAKERS = (torch.tensor, torch.as_tensor, torch.asarray, Tensor.new_tensor)
COPIES = frozenset(["_to_copy", "copy_"])
"""Operations that may lead from one device to another."""
BY_MASK = "indexing by a mask waits for the device: use torch.where, or masked_fill for one number"
INDEXING = frozenset(["index", "index_put", "index_put_", "_unsafe_index"])


class Waited(AssertionError):
    """Something would have waited for the device, or mixed the host's tensors with it."""


class DeviceRules:
    """A context within which the rules hold for everything that torch is asked to do."""

    def __init__(self, device: str = "meta") -> None:
        """``device``: the type of the one that nothing may wait for, ``meta`` or ``cpu``."""
        self._device = device
        self._entered = ExitStack()

    def __enter__(self) -> DeviceRules:
        with ExitStack() as entered:
            if warp := sys.modules.get("warp"):
                for owner, name in ((warp.array, "numpy"), (warp, "synchronize"), (warp, "synchronize_device")):
                    entered.enter_context(patch.object(owner, name, _refuse_warp))
            entered.enter_context(_Operations(self._device))
            entered.enter_context(_Calls(self._device))
            self._entered = entered.pop_all()
        return self

    def __exit__(self, *raised: Any) -> None:
        self._entered.close()


def _refuse_warp(*args: Any, **kwargs: Any) -> None:
    raise Waited("Warp would wait for the device")


class _Calls(TorchFunctionMode):
    """What is seen only where Python calls torch: numbers taken out, and numbers brought in."""

    def __init__(self, device: str) -> None:
        super().__init__()
        self._device = device

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "")
        if name in READS and args and self._there(args[0]):
            raise Waited(f"Tensor.{name} takes numbers to the host")
        if name in ("__getitem__", "__setitem__") and self._there(args[0]):
            if _host_index(args[1]):
                raise Waited("an index is a list or a numpy array: make it a tensor on the device, once, or a slice")
            if name == "__setitem__" and isinstance(args[2], Tensor) and any(map(_is_mask, _parts(args[1]))):
                raise Waited(BY_MASK)
        result = func(*args, **(kwargs or {}))
        if func in MAKERS and self._there(result) and not (args and isinstance(args[-1], Tensor)):
            raise Waited(f"{name} brings numbers to the device: make constants once, in start")
        return result

    def _there(self, value: Any) -> bool:
        return isinstance(value, Tensor) and value.device.type == self._device


class _Operations(TorchDispatchMode):
    """What torch does in the end."""

    def __init__(self, device: str) -> None:
        super().__init__()
        self._device = device

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = func.overloadpacket.__name__
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        places = [tensor.device.type == self._device for tensor in tensors]
        there = any(places)
        if name in COPIES:
            target = kwargs.get("device")
            if len({*places, *([] if target is None else [torch.device(target).type == self._device])}) > 1:
                raise Waited(f"{name} copies between the host and the device")
        if there and any(tensor.dim() for tensor, on_it in zip(tensors, places, strict=True) if not on_it):
            raise Waited(f"{name} mixes tensors on the host with tensors on the device")
        if there and name in WAITS:
            raise Waited(f"{name} waits for the device: use masks and torch.where")
        if there and name in INDEXING and _by_mask(name, args):
            raise Waited(BY_MASK)
        return func(*args, **kwargs)


def _by_mask(name: str, args: Any) -> bool:
    """A single number of the host may be written by one mask: that is filling, and torch does it so."""
    masks = [index for index in args[1] if _is_mask(index)]
    filling = name != "index" and len(masks) == len(args[1]) == 1 and args[2].numel() == 1
    return bool(masks) and not filling


def _is_mask(index: Any) -> bool:
    return isinstance(index, Tensor) and index.dtype in (torch.bool, torch.uint8)


def _parts(index: Any) -> tuple[Any, ...]:
    return index if isinstance(index, tuple) else (index,)


def _host_index(index: Any) -> bool:
    return any(isinstance(part, (list, np.ndarray)) for part in _parts(index))
