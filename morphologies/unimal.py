"""The UNIMAL design space: every value a genome may hold, in SI units and degrees.

Values: Gupta et al. (2021) and the released design-space configuration; ``[a, b, s]`` of the original is spelled out.
"""

from __future__ import annotations

from dataclasses import dataclass

from morphologies.genome import Genome, GenomeError, Group, Limb, group_at, groups, limb_count


@dataclass(frozen=True)
class DesignSpace:
    """The values and rules that genomes are drawn from and held to."""

    head_radius: float = 0.10
    """m."""
    limb_radius: float = 0.05
    """m, the same for all limbs."""
    densities: tuple[int, ...] = (500, 600, 700, 800, 900, 1000)
    """kg/m³, for the head and, drawn apart, for all limbs together."""
    heights: tuple[float, ...] = (0.2, 0.3, 0.4)
    """m; the capsule's segment is ``limb_radius + height`` long."""
    thetas: tuple[int, ...] = (0, 45, 90, 135, 180, 225, 270, 315)
    """Degrees. A mirrored group is written with its left limb, theta within (0, 180)."""
    phis: tuple[int, ...] = (90, 135, 180)
    """Degrees from +z: limbs start level or downwards. At 180 theta has no meaning and is written as 0."""
    ranges: tuple[tuple[int, int], ...] = (
        *((-30, 0), (0, 30), (-30, 30)),
        *((-45, 45), (-45, 0), (0, 45)),
        *((-60, 0), (0, 60), (-60, 60)),
        *((-90, 0), (0, 90), (-60, 30), (-30, 60)),
    )
    """Hinge limits, degrees."""
    gears: tuple[int, ...] = (150, 200, 250, 300)
    """Motor torque at full control, N·m."""
    joint_axes: tuple[tuple[str, ...], ...] = (("x",), ("y",), ("x", "y"))
    """Hinge sets of one limb."""
    min_limbs: int = 2
    max_limbs: int = 10
    """The head not counted."""
    initial_limbs: tuple[int, ...] = (2, 3, 4, 5, 6, 7, 8)
    """What the number of limbs of an initial body is drawn from."""
    splay: bool = False
    """Whether limbs grown on a mirrored limb may leave its vertical plane, reflected on the other side.

    False is the paper's space: there the direction is copied to the other side, not reflected, and so only directions
    without a sideways part survive its symmetry test (all 754 such limbs of its published bodies).
    """

    def directions(self, *, on_mirrored: bool, mirrored: bool) -> list[tuple[int, int]]:
        """The (theta, phi) a group may have: as the left limb of a new pair, on a mirrored limb, or in the plane."""
        if mirrored:
            return [(t, p) for t in self.thetas if 0 < t < 180 for p in self.phis if p != 180]
        anywhere = on_mirrored and self.splay
        thetas = [t for t in self.thetas if anywhere or t in (0, 180)]
        return [(t, p) for t in thetas for p in self.phis if p != 180 or t == 0]

    def check(self, genome: Genome) -> None:
        """Raises GenomeError naming the first value or rule that the genome breaks."""
        _among("head_density", genome.head_density, self.densities, "genome")
        _among("limb_density", genome.limb_density, self.densities, "genome")
        for group in groups(genome):
            self._check_group(genome, group)
        count = limb_count(genome)
        if not self.min_limbs <= count <= self.max_limbs:
            raise GenomeError(f"genome: has {count} limbs; {self.min_limbs} to {self.max_limbs} are allowed")

    def _check_group(self, genome: Genome, group: Group) -> None:
        limb, where = group.limb, "".join(f".limbs[{i}]" for i in group.path)[1:]
        if (limb.site == "head") != (len(group.path) == 1):
            wanted = '"head"' if len(group.path) == 1 else '"middle" or "end"'
            raise GenomeError(f'{where}: "site" must be {wanted} here, not {limb.site!r}')
        _among("height", limb.height, self.heights, where)
        _among("phi", limb.phi, self.phis, where)
        _among("theta", limb.theta, self.thetas, where)
        if limb.mirrored and group.on_mirrored:
            raise GenomeError(f'{where}: grows on a mirrored limb, so it is doubled already; "mirrored" must be false')
        if (limb.theta, limb.phi) not in self.directions(on_mirrored=group.on_mirrored, mirrored=limb.mirrored):
            rule = (
                "a mirrored pair is written with its left limb: theta within (0, 180), phi below 180"
                if limb.mirrored
                else "theta must be 0 or 180 (0 where phi is 180), or the body would not be symmetric"
            )
            raise GenomeError(f"{where}: direction theta {limb.theta}, phi {limb.phi} is not allowed: {rule}")
        if len(group.path) > 1 and repeats_parent(group_at(genome, group.path[:-1]), limb):
            raise GenomeError(f"{where}: lies inside its parent, whose direction it repeats from the middle on")
        if tuple(hinge.axis for hinge in limb.hinges) not in self.joint_axes:
            raise GenomeError(f"{where}: needs one hinge per axis, x before y, one or two in all")
        for index, hinge in enumerate(limb.hinges):
            _among("range", hinge.range, self.ranges, f"{where}.hinges[{index}]")
            _among("gear", hinge.gear, self.gears, f"{where}.hinges[{index}]")


def repeats_parent(parent: Limb, child: Limb) -> bool:
    """Whether a child at its parent's middle points exactly along it."""
    return child.site == "middle" and (child.theta, child.phi) == (parent.theta, parent.phi)


def _among(name: str, value: object, allowed: tuple, where: str) -> None:
    if value not in allowed:
        raise GenomeError(f'{where}: "{name}" is {value}; allowed are {", ".join(map(str, allowed))}')


UNIMAL = DesignSpace()
"""The paper's space."""
SPLAYED = DesignSpace(splay=True)
"""The same with true reflection: legs may splay below their first segment."""
