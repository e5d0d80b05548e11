"""Goals as the robot sees them: what becomes of readings that are given in the world's frame. Part of run_policy.py.

Each takes the reading, flat, and all readings by name, of which it needs ``orientation``, the quaternion (w, x, y, z)
of the root link in the world, and mostly ``position``, where its origin is, m.
"""

from __future__ import annotations

import numpy as np

Known = dict[str, np.ndarray]


def axes_of(quaternion: np.ndarray) -> np.ndarray:
    """(3, 3) A body's axes in the world as columns, from its orientation (w, x, y, z) of any length."""
    length = np.linalg.norm(quaternion)
    if not length > 1e-6:
        raise ValueError(f"an orientation is a quaternion (w, x, y, z), and {quaternion} is none")
    w, x, y, z = quaternion / length
    rows = [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)]
    rows += [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)]
    rows += [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]
    return np.array(rows).reshape(3, 3)


def along_heading(vectors: np.ndarray, known: Known) -> np.ndarray:
    """World vectors in the frame that stands upright in the root link and looks where its x axis does."""
    ahead = axes_of(known["orientation"])[:2, 0]
    length = np.linalg.norm(ahead)
    cosine, sine = ahead / length if length > 1e-9 else (1.0, 0.0)
    turn = np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    return (vectors.reshape(-1, 3) @ turn.T).ravel()


def way_along_heading(points: np.ndarray, known: Known) -> np.ndarray:
    """From the root link's origin to world points (x, y, z), in the frame of `along_heading`."""
    return along_heading(points.reshape(-1, 3) - known["position"], known)


def level_way_along_heading(places: np.ndarray, known: Known) -> np.ndarray:
    """The same to world places (x, y), the height left out: the third number of each is 0."""
    level = places.reshape(-1, 2) - known["position"][:2]
    return along_heading(np.pad(level, ((0, 0), (0, 1))), known)


def way_from_root(points: np.ndarray, known: Known) -> np.ndarray:
    """From the root link's origin to world points, in its frame."""
    return ((points.reshape(-1, 3) - known["position"]) @ axes_of(known["orientation"])).ravel()


def turn_from_root(quaternions: np.ndarray, known: Known) -> np.ndarray:
    """Rotation vectors in the root link's frame, rad, from its orientation to others, (w, x, y, z) each."""
    w, x, y, z = known["orientation"]
    undo = np.array([[w, x, y, z], [-x, w, z, -y], [-y, -z, w, x], [-z, y, -x, w]])
    turns = quaternions.reshape(-1, 4) @ undo.T
    turns = np.where(turns[:, :1] < 0.0, -turns, turns)
    sines = np.linalg.norm(turns[:, 1:], axis=1, keepdims=True)
    angles = 2.0 * np.arctan2(sines, turns[:, :1])
    return (turns[:, 1:] * np.where(sines > 1e-9, angles / np.maximum(sines, 1e-9), 2.0)).ravel()


TRANSFORMS = {
    "along_heading": along_heading,
    "way_along_heading": way_along_heading,
    "level_way_along_heading": level_way_along_heading,
    "way_from_root": way_from_root,
    "turn_from_root": turn_from_root,
}
"""By the manifest's names."""
