"""The limbs a genome develops into, as geometry: both sides of every mirrored group, in the rest pose.

All vectors are in the frame of the head: origin at its centre, x forward, y left, z up, metres. No limb body is
rotated against its parent in the rest pose, so the same axes serve everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from morphologies.genome import Genome, Limb, Path
from morphologies.unimal import DesignSpace

MIRROR = np.array([1.0, -1.0, 1.0])
"""Reflects a position or direction at the sagittal plane; a rotation axis reflects with the opposite sign."""
CLEARANCE = 0.2
"""Gap between the lowest limb tip and the ground at the start of an episode, m. DERL."""


@dataclass(frozen=True, eq=False)
class LimbInstance:
    """One developed limb."""

    index: int
    """Number of the limb in the body, depth first, a left limb with all it carries before the right one."""
    parent: int
    """Index of the limb it grows on; -1 is the head."""
    path: Path
    """The limb group it comes from."""
    side: int
    """1 left, -1 right, 0 in the sagittal plane."""
    limb: Limb
    origin: np.ndarray
    """(3,) The body's origin, where its capsule's segment starts."""
    direction: np.ndarray
    """(3,) Unit vector along the limb, away from the parent."""
    length: float
    """Length of the capsule's segment, m."""

    def along(self, distance: float) -> np.ndarray:
        """(3,) The point at ``distance`` from the origin along the limb."""
        return self.origin + distance * self.direction


def unit_direction(theta: float, phi: float) -> np.ndarray:
    """(3,) The direction at azimuth ``theta`` and inclination ``phi``, degrees.

    Angles of the design space are multiples of 45 degrees, so components are exactly 0, ±1/2, ±1/√2 or ±1 here; that
    keeps in-plane limbs exactly in the plane.
    """
    t, p = np.deg2rad(theta), np.deg2rad(phi)
    raw = np.array([np.sin(p) * np.cos(t), np.sin(p) * np.sin(t), np.cos(p)])
    return np.sign(raw) * np.sqrt(np.round(raw**2, 12))


def hinge_axis(direction: np.ndarray, axis: str, side: int) -> np.ndarray:
    """(3,) The unit axis of a hinge: the x or y axis of the limb's geom frame in the rest pose.

    That frame takes world z to minus the limb's direction by the smallest rotation, as MuJoCo orients a ``fromto``
    capsule. On the right side the axis is the left one's reflection as a rotation axis, so that equal joint angles
    are mirror images. (The original reflects the frame instead, by which x hinges turn the other way on one side.)
    """
    z = -direction * (MIRROR if side < 0 else 1.0)
    if z[2] < -1 + 1e-12:
        frame = np.diag([1.0, -1.0, -1.0])
    else:
        x, y, c = z
        k = 1.0 / (1.0 + c)
        frame = np.array([[1 - k * x * x, -k * x * y, x], [-k * x * y, 1 - k * y * y, y], [-x, -y, c]])
    column = frame[:, 0 if axis == "x" else 1]
    return column if side >= 0 else -MIRROR * column


def instances(genome: Genome, space: DesignSpace) -> list[LimbInstance]:
    """Every limb of the developed body, parents before children."""
    found: list[LimbInstance] = []

    def grow(limbs: tuple[Limb, ...], parent: LimbInstance | None, path: Path, side: int) -> None:
        for number, limb in enumerate(limbs):
            for own_side in (1, -1) if limb.mirrored else (side,):
                direction = unit_direction(limb.theta, limb.phi) * (MIRROR if own_side < 0 else 1.0)
                if parent is None:
                    site, radius = np.zeros(3), space.head_radius
                else:
                    radius = space.limb_radius
                    site = parent.along(radius + parent.limb.height * (0.5 if limb.site == "middle" else 1.0))
                instance = LimbInstance(
                    index=len(found),
                    parent=-1 if parent is None else parent.index,
                    path=(*path, number),
                    side=own_side,
                    limb=limb,
                    origin=site + radius * direction,
                    direction=direction,
                    length=space.limb_radius + limb.height,
                )
                found.append(instance)
                grow(limb.limbs, instance, instance.path, own_side)

    grow(genome.limbs, None, (), 0)
    return found


def twins(limbs: list[LimbInstance]) -> Iterator[tuple[LimbInstance, LimbInstance]]:
    """The (left, right) limbs of every group that opens a pair: siblings at one growth site."""
    for left in limbs:
        if left.side > 0 and left.limb.mirrored:
            yield left, next(r for r in limbs if r.path == left.path and r.side < 0)


def twins_overlap(left: LimbInstance, space: DesignSpace) -> bool:
    """Whether a left limb touches its mirror image at rest.

    Each is the other's image in the plane y = 0 and leads away from it, so they are closest at their origins.
    """
    return float(left.origin[1]) <= space.limb_radius + 1e-9


def mirror_permutation(limbs: list[LimbInstance]) -> list[int]:
    """For every limb the index of its mirror image; limbs in the sagittal plane are their own."""
    by_place = {(limb.path, limb.side): limb.index for limb in limbs}
    return [by_place[limb.path, -limb.side] for limb in limbs]


def spawn_height(genome: Genome, space: DesignSpace, clearance: float = CLEARANCE) -> float:
    """Height of the head's centre at which the lowest limb tip is ``clearance`` above the ground, m.

    The tip is the outermost point of the limb's end cap, ``2 radius + height`` along it.
    """
    tips = [limb.along(limb.length + space.limb_radius)[2] for limb in instances(genome, space)]
    return clearance - min(0.0, *tips) if tips else clearance
