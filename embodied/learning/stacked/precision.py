"""Which arithmetic matrix products use on a GPU.

TF32 rounds the factors of float32 products to 10 bits of mantissa and adds up in float32. It concerns the layers of
actor and critic and their gradients. Everything else stays what it is: parameters, Adam's moments, normalisation,
probabilities, advantages and losses float32; statistics of normalisers and Adam's corrections float64. It pays where
layers are wide; at DERL's 64 a product takes less time than it takes to start it.

bfloat16, with 7 bits, is not offered: see `docs/ppo.md` for what it makes of the KL.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch

Matmul = Literal["float32", "tf32"]


@contextmanager
def matrix_products(kind: Matmul, device: torch.device) -> Iterator[None]:
    """Matrix products of that kind for the length of the block; on a CPU they are float32 always."""
    if device.type != "cuda":
        yield
        return
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if kind == "tf32" else "highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
