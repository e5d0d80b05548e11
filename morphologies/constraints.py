"""What makes a genome an acceptable body: named constraints, each telling in words what is wrong.

Symmetry is not among them: it is part of the genome's structure. The constraint on values is ``DesignSpace.check``.
"""

from __future__ import annotations

from collections.abc import Callable

import mujoco

from morphologies.develop import develop
from morphologies.genome import Genome, GenomeError, limb_count
from morphologies.unimal import DesignSpace

Constraint = Callable[[Genome, DesignSpace], str | None]


def limb_limits(genome: Genome, space: DesignSpace) -> str | None:
    """The number of limbs lies within the space's limits."""
    count = limb_count(genome)
    if space.min_limbs <= count <= space.max_limbs:
        return None
    return f"has {count} limbs; {space.min_limbs} to {space.max_limbs} are allowed"


def allowed_values(genome: Genome, space: DesignSpace) -> str | None:
    """Every value is one of the space's, and every limb stands where the rules let it."""
    try:
        space.check(genome)
    except GenomeError as error:
        return str(error)
    return None


def no_self_collision(genome: Genome, space: DesignSpace) -> str | None:
    """No two limbs touch in the rest pose, parents with their children and excluded twins apart.

    Asked of MuJoCo itself, on the very model the body lives with: development writes an exclude for twins that
    overlap at their growth site and MuJoCo filters parent and child, so any contact that is left is a collision.
    """
    model = develop(genome, space).compile()
    data = mujoco.MjData(model)
    mujoco.mj_fwdPosition(model, data)
    if data.ncon == 0:
        return None
    first, second = (model.geom(geom).name for geom in data.contact.geom[0])
    return f"{first} and {second} collide in the rest pose"


CONSTRAINTS: tuple[Constraint, ...] = (limb_limits, allowed_values, no_self_collision)
"""In the order of their cost."""


def violation(genome: Genome, space: DesignSpace) -> str | None:
    """The first constraint the genome breaks, as ``name: what``, or None when it is acceptable."""
    for constraint in CONSTRAINTS:
        found = constraint(genome, space)
        if found is not None:
            return f"{constraint.__name__}: {found}"
    return None
