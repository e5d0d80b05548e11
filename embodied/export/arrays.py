"""Arrays as ``.npz``: the same bytes for the same numbers, read without ever running code."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import numpy as np

from embodied.export.errors import BundleError


def written_arrays(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Compressed, for ``numpy.load``."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def read_arrays(content: bytes, where: str) -> dict[str, np.ndarray]:
    """What `written_arrays` wrote.

    Raises:
        BundleError: it is something else, or has numbers that are not finite.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = dict(file)
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise BundleError(where, f"holds no arrays: {error}") from None
    for name, values in arrays.items():
        if values.dtype.kind not in "fiu" or not np.isfinite(values).all():
            raise BundleError(where, f"has numbers that are not finite, or no numbers, in {name}")
    return arrays
