"""How many threads linear algebra takes for the length of a block or function."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch
from threadpoolctl import ThreadpoolController


@cache
def _numpys_blas() -> ThreadpoolController:
    """Looks through the process's libraries, which takes a millisecond, and so once."""
    return ThreadpoolController().select(internal_api=["openblas", "blis", "mkl"])


@contextmanager
def linear_algebra_on(threads: int) -> Iterator[None]:
    """numpy's and torch's linear algebra on so many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with _numpys_blas().limit(limits=threads):
            yield
    finally:
        torch.set_num_threads(before)
