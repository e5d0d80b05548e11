"""One torch thread, as everywhere in this project: a second one fights MuJoCo's own and the tests beside this one."""

import ctypes
from contextlib import suppress

import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope="module")
def memory_given_back():
    """Meshes and terrains take hundreds of megabytes for a moment, which the C library would keep for itself."""
    yield
    with suppress(OSError, AttributeError):  # of glibc alone
        ctypes.CDLL(None).malloc_trim(0)
