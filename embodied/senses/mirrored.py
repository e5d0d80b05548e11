"""What becomes of an observation in a mirror: left and right of the body, and of what it sees, change places.

Terms are known by their names; `register_mirror` adds those of other people's senses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from embodied.scenes.flip import Flip
from embodied.scenes.symmetry import AXIAL, POLAR, BodySymmetry, NotSymmetric
from embodied.senses.sense import Term

Rule = Callable[[BodySymmetry, Term], Flip]
"""The flip of a term's numbers, given the body's symmetry."""

_rules: dict[str, Rule] = {}


def register_mirror(name: str, rule: Rule) -> None:
    """Says how terms of that name are mirrored; saying it again replaces it."""
    _rules[name] = rule


def mirrored_terms(symmetry: BodySymmetry, terms: Sequence[Term]) -> Flip:
    """The flip of an observation group.

    Args:
        symmetry: of the body that observes.
        terms: of the group, in their order.

    Raises:
        NotSymmetric: a term has no mirror image on this body, or nobody has said what it is.
    """
    flips = []
    for term in terms:
        if term.name not in _rules:
            raise NotSymmetric(
                f"nobody has said what becomes of the observation {term.name!r} in a mirror; register_mirror does"
            )
        steps = term.history
        once = replace(term, size=term.size // steps, shape=(), history=1) if steps > 1 else term
        flip = Flip.joined([_rules[term.name](symmetry, once)] * steps)
        if len(flip) != term.size:
            raise NotSymmetric(f"the mirror of {term.name!r} has {len(flip)} numbers and the term {term.size}")
        flips.append(flip)
    return Flip.joined(flips)


def _grid(symmetry: BodySymmetry, term: Term) -> Flip:
    """Rows whose last axis runs from one side to the other, as far to the left as to the right."""
    rows, columns = term.shape
    return Flip.of([row * columns + columns - 1 - column for row in range(rows) for column in range(columns)])


def _ring(symmetry: BodySymmetry, term: Term) -> Flip:
    """Rays around the body, the first one ahead."""
    return Flip.of([-ray % term.size for ray in range(term.size)])


def _limb_ends(symmetry: BodySymmetry, term: Term) -> Flip:
    limbs = symmetry.sensors([name for name in symmetry.entity.sensors if name.startswith("limb/end/")])
    places = [2 * limb + axis for limb in limbs.index.tolist() for axis in range(2)]
    return Flip.of(places, [1.0, -1.0] * len(limbs))


def _rows(row: Flip, term: Term) -> Flip:
    """Several of a kind, one after the other."""
    return Flip.joined([row] * (term.size // len(row)))


for _name in ("joint_pos", "joint_vel", "joint_deviation"):
    register_mirror(_name, lambda symmetry, term: symmetry.joints)
for _name in ("root_linear_velocity", "gravity", "goal_position", "object_position", "object_velocity", "object_goal"):
    register_mirror(_name, lambda symmetry, term: POLAR)
for _name in ("root_angular_velocity", "object_rotation"):
    register_mirror(_name, lambda symmetry, term: AXIAL)
for _name in ("accelerometer", "velocimeter"):
    register_mirror(_name, lambda symmetry, term: symmetry.instrument(term.name)[0])
register_mirror("gyro", lambda symmetry, term: symmetry.instrument(term.name)[1])
register_mirror(
    "touch", lambda symmetry, term: symmetry.sensors([f"touch/{link}" for link in symmetry.entity.link_names])
)
register_mirror("foot_contacts", lambda symmetry, term: symmetry.among(symmetry.entity.body.feet))
register_mirror("limb_ends", _limb_ends)
register_mirror("last_action", lambda symmetry, term: symmetry.actuators)
# Velocities ahead and to the left, and rate of turning to the left.
register_mirror("command", lambda symmetry, term: Flip.of((0, 1, 2), (1.0, -1.0, -1.0)))
# Of tasks that skills are commanded in, and of the clips they track, some moments ahead.
for _name in ("goal_direction", "goal_facing", "goal_offset", "goal_level_offset"):
    register_mirror(_name, lambda symmetry, term: POLAR)
for _name in ("object_offset", "object_linear_velocity"):
    register_mirror(_name, lambda symmetry, term: POLAR)
for _name in ("object_tangent", "object_normal"):  # x and z axis of a thing that is its own mirror image
    register_mirror(_name, lambda symmetry, term: POLAR)
register_mirror("object_angular_velocity", lambda symmetry, term: AXIAL)
for _name in ("goal_speed", "root_height", "time_left"):
    register_mirror(_name, lambda symmetry, term: Flip.of((0,)))
register_mirror("reference_position", lambda symmetry, term: _rows(POLAR, term))
register_mirror("reference_rotation", lambda symmetry, term: _rows(AXIAL, term))
register_mirror("reference_joints", lambda symmetry, term: _rows(symmetry.joints, term))
register_mirror("height_map", _grid)
register_mirror("depth", _grid)
register_mirror("lidar", _ring)
