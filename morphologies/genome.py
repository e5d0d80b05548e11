"""A body plan as plain, immutable data: a tree of limb groups whose mirror symmetry is part of its structure.

The design space is UNIMAL's (Gupta et al., 2021, "Embodied intelligence via learning and evolution"). Where the
released implementation keeps a flat list of limbs and compares floats to find out whether a body is symmetric, a
genome here holds one half of it: a limb group marked ``mirrored`` is developed into a left and a right limb, and so
is everything that grows on it. A body that is not symmetric at rest cannot be written down. (As in DERL, a limb in
the sagittal plane may have an x hinge that swings further to one side than to the other.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

Axis = Literal["x", "y"]
Site = Literal["head", "middle", "end"]
Path = tuple[int, ...]
"""Address of a limb group: child indices from the head downwards. ``()`` is the head."""


class GenomeError(ValueError):
    """A genome that cannot be read or breaks a rule of its design space; the message says where."""


@dataclass(frozen=True, slots=True, order=True)
class Hinge:
    """One hinge joint and the motor that drives it."""

    axis: Axis
    """Axis of the limb's geom frame in the rest pose."""
    range: tuple[int, int]
    """Lower and upper limit, degrees."""
    gear: int
    """Torque at full control, N·m."""


@dataclass(frozen=True, slots=True, order=True)
class Limb:
    """One limb group: a capsule in the sagittal plane, or the left one of a mirrored pair."""

    site: Site
    """Where on its parent it grows: the head's centre, or the middle or the end of a limb."""
    theta: int
    """Azimuth of the limb's direction, degrees from +x (forward) towards +y (left)."""
    phi: int
    """Inclination of the limb's direction, degrees from +z (up): 90 is level, 180 straight down."""
    height: float
    """Length added to the limb's radius, m: the capsule's segment is ``radius + height`` long."""
    hinges: tuple[Hinge, ...]
    """One or two hinges; with two, x before y."""
    mirrored: bool = False
    """Whether the group opens a pair. Groups on a mirrored limb exist on both sides anyway and say False."""
    limbs: tuple[Limb, ...] = ()
    """The groups that grow on this one."""


@dataclass(frozen=True, slots=True)
class Genome:
    """A whole body plan."""

    head_density: int
    """kg/m³."""
    limb_density: int
    """kg/m³, one value for all limbs."""
    limbs: tuple[Limb, ...] = ()
    """The groups that grow on the head."""


@dataclass(frozen=True, slots=True)
class Group:
    """A limb group seen from its place in the tree."""

    path: Path
    limb: Limb
    on_mirrored: bool
    """Whether an ancestor is mirrored."""

    @property
    def copies(self) -> int:
        """Number of limbs the group develops into, 1 or 2."""
        return 2 if self.on_mirrored or self.limb.mirrored else 1


def groups(genome: Genome) -> Iterator[Group]:
    """Every limb group, depth first, parents before children."""

    def visit(limbs: tuple[Limb, ...], path: Path, on_mirrored: bool) -> Iterator[Group]:
        for index, limb in enumerate(limbs):
            here = (*path, index)
            yield Group(here, limb, on_mirrored)
            yield from visit(limb.limbs, here, on_mirrored or limb.mirrored)

    return visit(genome.limbs, (), False)


def limb_count(genome: Genome) -> int:
    """Number of limbs of the developed body, the head not counted."""
    return sum(group.copies for group in groups(genome))


def _edited(limbs: tuple[Limb, ...], path: Path, new: Limb | None) -> tuple[Limb, ...]:
    index, rest = path[0], path[1:]
    if rest:
        new = replace(limbs[index], limbs=_edited(limbs[index].limbs, rest, new))
    return (*limbs[:index], *(() if new is None else (new,)), *limbs[index + 1 :])


def with_group(genome: Genome, path: Path, limb: Limb) -> Genome:
    """The genome with the group at ``path`` replaced."""
    return replace(genome, limbs=_edited(genome.limbs, path, limb))


def without_group(genome: Genome, path: Path) -> Genome:
    """The genome with the group at ``path``, and all that grows on it, removed."""
    return replace(genome, limbs=_edited(genome.limbs, path, None))


def with_child(genome: Genome, path: Path, limb: Limb) -> Genome:
    """The genome with ``limb`` grown on the group at ``path``; the empty path is the head."""
    if not path:
        return replace(genome, limbs=(*genome.limbs, limb))
    parent = group_at(genome, path)
    return with_group(genome, path, replace(parent, limbs=(*parent.limbs, limb)))


def group_at(genome: Genome, path: Path) -> Limb:
    """The group at ``path``; raises IndexError when there is none."""
    limbs = genome.limbs
    limb = None
    for index in path:
        limb = limbs[index]
        limbs = limb.limbs
    if limb is None:
        raise IndexError("the empty path names the head, which is not a limb group")
    return limb


def canonical(genome: Genome) -> Genome:
    """The genome with siblings in sorted order: two genomes of one body plan become equal.

    Sorting is by the limbs' own values from the leaves up, so it costs O(n log n) in the number of limbs, and finding
    duplicates among many genomes is a dictionary look-up each.
    """

    def ordered(limbs: tuple[Limb, ...]) -> tuple[Limb, ...]:
        return tuple(sorted(replace(limb, limbs=ordered(limb.limbs)) for limb in limbs))

    return replace(genome, limbs=ordered(genome.limbs))
