"""What all readers of motion files share: what they are told beside the file, and the refusal of what is no motion."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embodied.motion.clip import MotionError

Array = NDArray[np.float64]

LARGEST = 1 << 29
"""Bytes of a text file that is read."""
HEAD = 4096
"""Bytes of a file's beginning that formats are told apart by."""


@dataclass(frozen=True)
class Told:
    """What the person who reads a file says of it."""

    robot: str | None = None
    """Whose motion it is, where the file does not say; a file that says another is refused."""
    frame_rate: float | None = None
    """Frames in a second, where the file does not say."""
    licence: str | None = None
    """Of the file, where it does not say."""

    def robot_of(self, path: Path, own: str) -> str:
        """The robot that a file or its format names.

        Raises:
            MotionError: another one was expected.
        """
        if self.robot not in (None, own):
            raise MotionError(
                f"{path} is a motion of {own}, not of {self.robot}; leave --robot out, and give --retarget "
                f"{self.robot} to fit it to {self.robot}"
            )
        return own

    def rate_of(self, path: Path, own: float | None) -> float:
        """Frames in a second of a file whose frames may have a length of their own.

        Raises:
            MotionError: neither file nor person says, or they say different things.
        """
        if own is None and self.frame_rate is None:
            raise MotionError(f"{path} does not say how many frames it has in a second; give --rate")
        if own is not None and self.frame_rate is not None and abs(own / self.frame_rate - 1.0) > 0.01:
            raise MotionError(f"{path} has {own:g} frames in a second, not {self.frame_rate:g}; leave --rate out")
        return own if own is not None else float(self.frame_rate or 0.0)


def json_object(path: Path) -> dict[str, Any]:
    """The object that a JSON file holds.

    Raises:
        MotionError: it is cut short, or no JSON object.
    """
    if path.stat().st_size > LARGEST:
        raise MotionError(f"{path} is larger than {LARGEST:,} bytes")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise MotionError(f"{path} is damaged or cut short: {error}") from None
    if not isinstance(found, dict):
        raise MotionError(f"{path} is JSON, but no motion: an object with Frames was expected")
    return found


def frames_of(path: Path, data: dict[str, Any], columns: int) -> Array:
    """(T, columns) The numbers under ``Frames``.

    Raises:
        MotionError: there are none, or rows of another length, or something that is no finite number.
    """
    return matrix(path, data.get("Frames"), columns)


def matrix(path: Path, rows: Any, columns: int) -> Array:
    """(T, columns) Rows of numbers.

    Raises:
        MotionError: as `frames_of`.
    """
    if not isinstance(rows, list) or len(rows) < 2:
        raise MotionError(f"{path} has no two frames or more")
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != columns:
            length = f"{len(row)} numbers" if isinstance(row, list) else "no numbers"
            raise MotionError(f"{path} has {length} in frame {number}, where {columns} were expected")
        if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in row):
            raise MotionError(f"{path} has something other than numbers in frame {number}")
    try:
        values = np.array(rows, dtype=np.float64)
    except OverflowError:
        raise MotionError(f"{path} has a number beyond all bounds") from None
    if (bad := ~np.isfinite(values).all(axis=1)).any():
        raise MotionError(f"{path} is not finite in frame {int(np.flatnonzero(bad)[0])}")
    return values


def frame_rate_of(path: Path, data: dict[str, Any]) -> float:
    """Frames in a second, from ``FrameDuration`` in s.

    Raises:
        MotionError: it is missing, or no duration.
    """
    duration = data.get("FrameDuration")
    if isinstance(duration, bool) or not isinstance(duration, int | float) or not 1e-4 <= duration <= 10.0:
        raise MotionError(f"{path} has the FrameDuration {duration!r}, where seconds were expected")
    # What this package wrote has the rate too: a duration cannot hold every rate to the last bit.
    rate = data.get("FrameRate")
    if isinstance(rate, float) and abs(rate * duration - 1.0) < 1e-12:
        return rate
    return 1.0 / float(duration)
