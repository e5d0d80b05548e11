"""Mutation: seven operators of the UNIMAL space, pure functions of a genome and a generator.

DERL, section "mutation operators", with its group semantics: an operator acts on whole limb groups, so both limbs of
a mirrored pair always change together. Two deviations: every child is tested for self-collision, whatever operator
made it, and an operator that finds no valid, different child says so instead of returning the parent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from morphologies.constraints import violation
from morphologies.genome import (
    Genome,
    Group,
    Hinge,
    Limb,
    canonical,
    group_at,
    groups,
    limb_count,
    with_child,
    with_group,
    without_group,
)
from morphologies.unimal import UNIMAL, DesignSpace

MAX_ATTEMPTS = 50
"""Tries of one operator. DERL."""

Operator = Callable[[Genome, np.random.Generator, DesignSpace], Genome | None]
"""One proposal, not yet tested; None when the operator has nothing to act on."""


class MutationFailed(RuntimeError):
    """No valid child that differs from its parent was found."""

    def __init__(self, message: str, attempts: int = 0) -> None:
        super().__init__(message)
        self.attempts = attempts
        """Proposals that were made; 0 where there was nothing to act on."""


@dataclass(frozen=True)
class Mutation:
    """A child and how it came to be."""

    child: Genome
    operator: str
    attempts: int
    """Proposals of the operator, the accepted one included."""
    failed: dict[str, int] = field(default_factory=dict)
    """Operators drawn before that found no child, with their attempts."""


def grow_limb(genome: Genome, rng: np.random.Generator, space: DesignSpace) -> Genome | None:
    """Grows one group at a random site: single or a pair, half each, on the head or in the plane; doubled elsewhere."""
    sites: list[tuple[Group | None, str]] = [(None, "head")]
    for group in groups(genome):
        # A mirrored group offers its sites on both sides, and so is as likely as two limbs.
        sites += [(group, site) for site in ("middle", "end")] * group.copies
    parent, site = sites[rng.integers(len(sites))]
    on_mirrored = parent is not None and parent.copies == 2
    mirrored = not on_mirrored and rng.random() < 0.5
    directions = space.directions(on_mirrored=on_mirrored, mirrored=mirrored)
    theta, phi = directions[rng.integers(len(directions))]
    limb = Limb(
        site=site,  # type: ignore[arg-type]
        theta=theta,
        phi=phi,
        height=_pick(space.heights, rng),
        hinges=random_hinges(rng, space),
        mirrored=mirrored,
    )
    return with_child(genome, () if parent is None else parent.path, limb)


def delete_limb(genome: Genome, rng: np.random.Generator, space: DesignSpace) -> Genome | None:
    """Removes one leaf: a single limb or a mirrored pair."""
    count = limb_count(genome)
    leaves = [g for g in groups(genome) if not g.limb.limbs and count - g.copies >= space.min_limbs]
    return without_group(genome, _pick(leaves, rng).path) if leaves else None


def limb_params(genome: Genome, rng: np.random.Generator, space: DesignSpace) -> Genome | None:
    """Resamples the length of one group; what grows on it moves along."""
    group = _pick(list(groups(genome)), rng)
    return with_group(genome, group.path, replace(group.limb, height=_pick(space.heights, rng)))


def density(genome: Genome, rng: np.random.Generator, space: DesignSpace) -> Genome | None:
    """Resamples the density of the head and that of all limbs."""
    return replace(genome, head_density=_pick(space.densities, rng), limb_density=_pick(space.densities, rng))


def joint_angle(genome: Genome, rng: np.random.Generator, space: DesignSpace) -> Genome | None:
    """Resamples hinge ranges, of all groups or of one."""
    return _with_hinges(genome, rng, lambda old: tuple(replace(h, range=_pick(space.ranges, rng)) for h in old))


def gear(genome: Genome, rng: np.random.Generator, space: DesignSpace) -> Genome | None:
    """Resamples motor gears, of all groups or of one."""
    return _with_hinges(genome, rng, lambda old: tuple(replace(h, gear=_pick(space.gears, rng)) for h in old))


def dof(genome: Genome, rng: np.random.Generator, space: DesignSpace) -> Genome | None:
    """Resamples axes, ranges and gears, of all groups or of one."""
    return _with_hinges(genome, rng, lambda _: random_hinges(rng, space))


OPERATORS: dict[str, Operator] = {
    op.__name__: op for op in (grow_limb, delete_limb, limb_params, density, joint_angle, gear, dof)
}


def random_hinges(rng: np.random.Generator, space: DesignSpace) -> tuple[Hinge, ...]:
    """The hinges of a new limb."""
    axes = space.joint_axes[rng.integers(len(space.joint_axes))]
    return tuple(Hinge(axis, _pick(space.ranges, rng), _pick(space.gears, rng)) for axis in axes)  # type: ignore[arg-type]


def applicable(genome: Genome, space: DesignSpace) -> list[str]:
    """The operators drawn from: no growing at the most limbs, no deleting at the fewest, a bare head only grows."""
    count = limb_count(genome)
    if count == 0:
        return ["grow_limb"]
    barred = {"grow_limb"} if count >= space.max_limbs else {"delete_limb"} if count <= space.min_limbs else set()
    return [name for name in OPERATORS if name not in barred]


def apply_operator(
    name: str,
    genome: Genome,
    rng: np.random.Generator,
    space: DesignSpace = UNIMAL,
    acceptable: Callable[[Genome, DesignSpace], str | None] = violation,
) -> Mutation:
    """One operator, tried until its child is acceptable and differs from the parent.

    Raises:
        MutationFailed: after 50 attempts; the message holds the last reason.
    """
    parent, reason = canonical(genome), None
    for attempt in range(1, MAX_ATTEMPTS + 1):
        proposal = OPERATORS[name](genome, rng, space)
        if proposal is None:
            raise MutationFailed(f"{name} has nothing to act on")
        child = canonical(proposal)
        reason = "the same body again" if child == parent else acceptable(child, space)
        if reason is None:
            return Mutation(child, name, attempt)
    raise MutationFailed(f"{name} found no child in {MAX_ATTEMPTS} attempts; last: {reason}", MAX_ATTEMPTS)


def mutate(genome: Genome, rng: np.random.Generator, space: DesignSpace = UNIMAL) -> Mutation:
    """A child by exactly one operator, drawn uniformly from those applicable.

    An operator that fails is noted and another is drawn from the rest, so a child always differs from its parent.

    Raises:
        MutationFailed: every applicable operator failed.
    """
    names, failed = applicable(genome, space), {}
    while names:
        name = names.pop(rng.integers(len(names)))
        try:
            return replace(apply_operator(name, genome, rng, space), failed=failed)
        except MutationFailed as error:
            failed[name] = error.attempts
    raise MutationFailed(f"no operator found a valid child: {', '.join(failed)} were tried")


def _with_hinges(
    genome: Genome, rng: np.random.Generator, change: Callable[[tuple[Hinge, ...]], tuple[Hinge, ...]]
) -> Genome:
    """New hinges for all groups or, as likely, for a random one."""
    chosen = list(groups(genome))
    if rng.random() < 0.5:
        chosen = [_pick(chosen, rng)]
    for group in chosen:
        # Only hinges change, so paths stay valid; the limb itself is read from the tree as it is by now.
        limb = group_at(genome, group.path)
        genome = with_group(genome, group.path, replace(limb, hinges=change(limb.hinges)))
    return genome


def _pick(options, rng: np.random.Generator):
    return options[rng.integers(len(options))]
