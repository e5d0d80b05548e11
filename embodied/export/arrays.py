"""Arrays as ``.npz``: the same bytes for the same numbers, read without ever running code."""

from __future__ import annotations

import io
import tokenize
import zipfile
import zlib
from collections.abc import Mapping

import numpy as np

from embodied.export.errors import BundleError

MOST = 1 << 28
"""Bytes that they may unpack to."""
DAMAGED = (zipfile.BadZipFile, zlib.error, tokenize.TokenError, SyntaxError)
"""What zipfile and numpy raise besides, on an archive that was cut or changed."""


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
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > MOST:
            raise BundleError(where, f"unpacks to {size:,} bytes; expected are at most {MOST:,}")
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = dict(file)
    except (ValueError, OSError, EOFError, KeyError, RuntimeError, MemoryError, *DAMAGED) as error:
        raise BundleError(where, f"holds no arrays: {error}") from None
    for name, values in arrays.items():
        if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiu" or not np.isfinite(values).all():
            raise BundleError(where, f"has numbers that are not finite, or no numbers, in {name}")
    return arrays
