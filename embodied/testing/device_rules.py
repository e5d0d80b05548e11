"""Device rules: a guard under which torch raises where code would make the host wait for a device, or mix the two.

Held against tensors on torch's ``meta`` device, which have shapes and no numbers: whatever is on it stands for a GPU,
and tensors on the CPU for the host's own. No GPU is needed for that, and none would tell as surely.
"""

from __future__ import annotations

from typing import Any

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
        *("_local_scalar_dense", "is_nonzero", "equal", "nonzero", "masked_select", "unique_dim", "_unique2"),
        *("unique_consecutive", "repeat_interleave", "bincount", "_linalg_check_errors"),
    ]
)
"""Operations that read numbers, or whose result's size depends on them."""
MAKERS = (torch.tensor, torch.as_tensor, torch.asarray, Tensor.new_tensor)
COPIES = frozenset(["_to_copy", "copy_"])
"""Operations that may lead from one device to another."""
INDEXING = frozenset(["index", "index_put", "index_put_"])


class Waited(AssertionError):
    """Something would have waited for the device, or mixed the host's tensors with it."""


class DeviceRules:
    """A context within which the rules hold for everything that torch is asked to do."""

    def __init__(self, device: str = "meta") -> None:
        """``device``: the type of the device that nothing may wait for."""
        self._modes = (_Operations(device), _Calls(device))

    def __enter__(self) -> DeviceRules:
        for mode in self._modes:
            mode.__enter__()
        return self

    def __exit__(self, *raised: Any) -> None:
        for mode in reversed(self._modes):
            mode.__exit__(*raised)


class _Calls(TorchFunctionMode):
    """What is seen only where Python calls torch: numbers taken out, and numbers brought in."""

    def __init__(self, device: str) -> None:
        super().__init__()
        self._device = device

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "")
        if name in READS and args and self._there(args[0]):
            raise Waited(f"Tensor.{name} takes numbers to the host")
        if name in ("__getitem__", "__setitem__") and self._there(args[0]) and _host_index(args[1]):
            raise Waited("an index is a list or a numpy array: make it a tensor on the device, once, or a slice")
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
            raise Waited("indexing by a mask waits for the device: use torch.where, or masked_fill for one number")
        return func(*args, **kwargs)


def _by_mask(name: str, args: Any) -> bool:
    """A single number may be written by one mask: that is filling, and torch does it so."""
    masks = [index for index in args[1] if index is not None and index.dtype in (torch.bool, torch.uint8)]
    filling = name != "index" and len(masks) == len(args[1]) == 1 and args[2].numel() == 1
    return bool(masks) and not filling


def _host_index(index: Any) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return any(isinstance(part, (list, np.ndarray)) for part in parts)
