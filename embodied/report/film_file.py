"""The file of a film: written beside its place, and put there once it is whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import imageio_ffmpeg
import numpy as np

QUALITY = 7
"""Of the encoder, from 0 to 10."""


@contextmanager
def film_file(path: Path, size: tuple[int, int], rate: int, block: int = 16) -> Iterator[Callable[[np.ndarray], None]]:
    """Gives what takes the film's pictures, one after the other: (height, width, 3) bytes each.

    Args:
        path: of the MP4 file; its folder is made. It is replaced at the end of the block, unless that raises.
        size: width and height, pixels; multiples of ``block``.
        rate: pictures a second.
        block: side of the encoder's blocks, pixels.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()  # a place that cannot be written is told by its own error, not by the encoder's
    temporary = path.with_name(f".{path.name}.tmp.mp4")
    writer = imageio_ffmpeg.write_frames(str(temporary), size, fps=rate, quality=QUALITY, macro_block_size=block)
    writer.send(None)
    try:
        yield lambda picture: writer.send(np.ascontiguousarray(picture))
        writer.close()
        temporary.replace(path)
    finally:
        writer.close()
        temporary.unlink(missing_ok=True)
