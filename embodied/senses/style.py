"""Style: how a body moves, whatever its place and heading: what a discriminator compares with motion clips.

Peng et al. (2022), "ASE", as released: root height, root rotation as tangent and normal, local velocities, joints, and
key bodies, which are the feet here. Deviation: hinges count as angles, not as six numbers of a rotation each. The same
formulas serve worlds and clips.
"""

from __future__ import annotations

from torch import Tensor

from embodied.scenes import EntityView
from embodied.scenes.arrays import Array, arrays_of, library_of
from embodied.senses.imu import MAX_ANGULAR, MAX_LINEAR
from embodied.senses.joints import MAX_ANGLE, MAX_SPEED
from embodied.senses.sense import Term

MAX_HEIGHT = 50.0
"""m."""
MAX_REACH = 10.0
"""m."""
HEADING = "heading"
"""The frame that stands upright in the root link and looks where its x axis does."""


def style_terms(joints: int, feet: int) -> tuple[Term, ...]:
    """What `style_frame` gives: 13 + 2 joints + 3 feet numbers."""
    return (
        Term("root_height", 1, "m", MAX_HEIGHT),
        Term("root_rotation", 6, "1", 1.1, HEADING),
        Term("root_linear_velocity", 3, "m/s", MAX_LINEAR, HEADING),
        Term("root_angular_velocity", 3, "rad/s", MAX_ANGULAR, HEADING),
        Term("joint_pos", joints, "rad", MAX_ANGLE),
        Term("joint_vel", joints, "rad/s", MAX_SPEED),
        Term("foot_positions", 3 * feet, "m", MAX_REACH, HEADING, (feet, 3)),
    )


def axes_of(quat: Array) -> Array:
    """(…, 3, 3) The rotations of unit quaternions (…, 4) as matrices: their columns are the body's axes."""
    library = library_of(quat)
    w, x, y, z = (quat[..., i] for i in range(4))
    rows = (
        (1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)),
        (2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)),
        (2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)),
    )
    return library.stack([library.stack(row, -1) for row in rows], -2)


def heading_of(axes: Array) -> tuple[Array, Array]:
    """Cosine and sine (…) of the direction of the x axis in the horizontal plane; of 0 where it points up or down."""
    library = library_of(axes)
    x, y = axes[..., 0, 0], axes[..., 1, 0]
    length = library.sqrt(x * x + y * y)
    upright = length < 1e-9
    safe = library.where(upright, 1.0, length)
    return library.where(upright, 1.0, x / safe), library.where(upright, 0.0, y / safe)


def to_heading(cosine: Array, sine: Array, vectors: Array) -> Array:
    """(…, 3) World vectors in the frame `HEADING`."""
    library = library_of(vectors)
    x, y, z = (vectors[..., i] for i in range(3))
    return library.stack((cosine * x + sine * y, cosine * y - sine * x, z), -1)


def style_frame(height: Array, axes: Array, velocity: Array, joint_pos: Array, joint_vel: Array, feet: Array) -> Array:
    """(…, n) One moment of a motion, laid out as `style_terms`.

    Args:
        height: (…) of the root link above the ground, m.
        axes: (…, 3, 3) the root link's axes as columns; see `axes_of`.
        velocity: (…, 6) of the root link: linear in the world's frame, m/s, angular in its own, rad/s.
        joint_pos: (…, J) rad.
        joint_vel: (…, J) rad/s.
        feet: (…, F, 3) from the root link to the feet, in the world's frame, m.
    """
    library = library_of(axes)
    cosine, sine = heading_of(axes)
    angular = (axes @ velocity[..., 3:, None])[..., 0]
    places = to_heading(cosine[..., None], sine[..., None], feet)
    parts = (
        height[..., None],
        to_heading(cosine, sine, axes[..., :, 0]),
        to_heading(cosine, sine, axes[..., :, 2]),
        to_heading(cosine, sine, velocity[..., :3]),
        to_heading(cosine, sine, angular),
        joint_pos,
        joint_vel,
        places.reshape(*places.shape[:-2], -1),
    )
    return library.concatenate(parts, -1)


class Style:
    """`style_frame` of a body on level ground at z = 0."""

    def __init__(self, robot: EntityView) -> None:
        entity = robot.entity
        self._robot, self._arrays = robot, arrays_of(robot.world)
        self._feet = self._arrays.indices([entity.link_names.index(foot) for foot in entity.body.feet])
        self.terms = style_terms(len(entity.joints), len(entity.body.feet))

    def read(self) -> Tensor:
        """(W, n)."""
        robot, of = self._robot, self._arrays.of
        root = of(robot.root_pos)
        frame = style_frame(
            root[:, 2],
            of(robot.root_axes),
            of(robot.root_velocity),
            of(robot.joint_pos),
            of(robot.joint_vel),
            of(robot.link_pos)[:, self._feet] - root[:, None],
        )
        return self._arrays.tensor(frame)
