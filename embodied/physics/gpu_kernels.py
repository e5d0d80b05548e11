"""Warp kernels of our own that run beside the engine's: judging worlds, restoring them, placing what stands still."""

# Warp compiles these functions itself; Python's types of its operators say nothing about them.
# pyright: reportOperatorIssue=false, reportArgumentType=false, reportReturnType=false, reportCallIssue=false
# pyright: reportIndexIssue=false, reportAttributeAccessIssue=false, reportAssignmentType=false, reportGeneralTypeIssues=false

from __future__ import annotations

from typing import Any

import mujoco
import warp as wp

wp.set_module_options({"enable_backward": False})

LARGEST = wp.constant(1.0e10)
"""Beyond it MuJoCo takes a state for exploded (mjMAXVAL); infinities and NaN are beyond it too."""
BAD_POSITION = wp.constant(1 << 16)
BAD_VELOCITY = wp.constant(1 << 17)
BAD_ACCELERATION = wp.constant(1 << 18)
BAD_SENSOR = wp.constant(1 << 19)
BAD_CONTROL = wp.constant(1 << 20)
FALSE_CONTACT = wp.constant(1 << 21)

FIELD = wp.constant(int(mujoco.mjtGeom.mjGEOM_HFIELD))
ABOVE = wp.constant(0.01)
"""How far above the ground a contact's point of the ground may be taken to lie, m."""
DOWN = wp.constant(-0.1)
"""Upward part of a normal below which the ground would pull a body under."""
NO_CONTACT = wp.constant(1.0)
"""A distance at which nothing touches, m."""


@wp.func
def exploded(values: wp.array2d[float], world: int) -> bool:
    """Whether any value of a world is beyond the largest, or no number."""
    found = bool(False)  # noqa: UP018  (a variable to Warp, not a constant)
    for i in range(values.shape[1]):
        if not (wp.abs(values[world, i]) <= LARGEST):
            found = True
    return found


@wp.kernel
def judge_before(qpos: wp.array2d[float], qvel: wp.array2d[float], ctrl: wp.array2d[float], marks: wp.array[int]):
    """Starts each world's marks: the engine makes a number of some that are none, so they are looked for before it."""
    world = wp.tid()
    found = int(0)  # noqa: UP018, RUF046
    if exploded(qpos, world):
        found = found | BAD_POSITION
    if exploded(qvel, world):
        found = found | BAD_VELOCITY
    if exploded(ctrl, world):
        found = found | BAD_CONTROL
    marks[world] = found


@wp.kernel
def judge_after(
    qpos: wp.array2d[float],
    qvel: wp.array2d[float],
    qacc: wp.array2d[float],
    sensordata: wp.array2d[float],
    overflow: wp.array[int],
    harmful: int,
    marks: wp.array[int],
    counts: wp.array2d[wp.int64],
    unhealthy: wp.array[bool],
    broken: wp.array[bool],
):
    """Marks what is wrong with each world, and counts it.

    Args:
        harmful: which marks make a world unhealthy.
        marks: bits 0 to 15 as the engine's overflow, the rest as above.
        counts: (k, marks) worlds of each of k members met with each mark since the World was made; world w of W is of
            member w // (W / k).
        unhealthy: worlds with a harmful mark.
        broken: worlds whose state is of no more use.
    """
    world = wp.tid()
    found = marks[world] | overflow[world]
    if exploded(qpos, world):
        found = found | BAD_POSITION
    if exploded(qvel, world):
        found = found | BAD_VELOCITY
    if exploded(qacc, world):
        found = found | BAD_ACCELERATION
    if exploded(sensordata, world):
        found = found | BAD_SENSOR
    marks[world] = found
    unhealthy[world] = (found & harmful) != 0
    broken[world] = (found & (BAD_POSITION | BAD_VELOCITY | BAD_ACCELERATION | BAD_SENSOR)) != 0
    member = world // (marks.shape[0] // counts.shape[0])
    for bit in range(counts.shape[1]):
        if ((found >> bit) & 1) != 0:
            wp.atomic_add(counts, member, bit, wp.int64(1))


@wp.kernel
def drop_false_contacts(
    geom_type: wp.array[int],
    geom_dataid: wp.array2d[int],
    hfield_size: wp.array[wp.vec4],
    hfield_nrow: wp.array[int],
    hfield_ncol: wp.array[int],
    hfield_adr: wp.array[int],
    hfield_data: wp.array[float],
    geom_xpos: wp.array2d[wp.vec3],
    geom_xmat: wp.array2d[wp.mat33],
    nacon: wp.array[int],
    geom: wp.array[wp.vec2i],
    worldid: wp.array[int],
    pos: wp.array[wp.vec3],
    frame: wp.array[wp.mat33],
    dist: wp.array[float],
    marks: wp.array[int],
):
    """Undoes contacts with height fields that cannot be: they pull down, or where they touch the ground is air.

    Beside steep walls the engine sometimes takes a body for one that overlaps a column of ground which it does not even
    touch, and as deep as both extend along the vertical.
    """
    contact = wp.tid()
    if contact >= nacon[0]:
        return
    field = geom[contact][0]
    if field < 0 or geom_type[field] != FIELD:
        return
    world = worldid[contact]
    turned = wp.transpose(geom_xmat[world, field])
    normal = wp.vec3(frame[contact][0, 0], frame[contact][0, 1], frame[contact][0, 2])
    place = turned * (pos[contact] + 0.5 * wp.abs(dist[contact]) * normal - geom_xpos[world, field])
    asset = geom_dataid[world % geom_dataid.shape[0], field]
    size = hfield_size[asset]
    rows, columns = hfield_nrow[asset], hfield_ncol[asset]
    x = wp.clamp((place[0] + size[0]) * 0.5 * float(columns - 1) / size[0], 0.0, float(columns - 1))
    y = wp.clamp((place[1] + size[1]) * 0.5 * float(rows - 1) / size[1], 0.0, float(rows - 1))
    column, row = wp.min(int(x), columns - 2), wp.min(int(y), rows - 2)
    a, b = x - float(column), y - float(row)
    first = hfield_adr[asset] + row * columns + column
    h00, h11 = hfield_data[first], hfield_data[first + columns + 1]
    h01, h10 = hfield_data[first + 1], hfield_data[first + columns]
    height = wp.where(a >= b, h00 + a * (h01 - h00) + b * (h11 - h01), h00 + b * (h10 - h00) + a * (h11 - h10))
    if (turned * normal)[2] < DOWN or place[2] - height * size[2] > ABOVE:
        dist[contact] = NO_CONTACT
        wp.atomic_or(marks, world, FALSE_CONTACT)


@wp.kernel
def restore(mask: wp.array[bool], rows: wp.array2d[Any], values: wp.array2d[Any]):
    """Writes rows into the worlds of the mask: world w of W gets row w // (W / R) of the R there are."""
    world, i = wp.tid()
    if mask[world]:
        values[world, i] = rows[world // (values.shape[0] // rows.shape[0]), i]


@wp.kernel
def place_static_geoms(
    geoms: wp.array[int],
    geom_bodyid: wp.array[int],
    geom_pos: wp.array2d[wp.vec3],
    geom_quat: wp.array2d[wp.quat],
    xpos: wp.array2d[wp.vec3],
    xquat: wp.array2d[wp.quat],
    geom_xpos: wp.array2d[wp.vec3],
    geom_xmat: wp.array2d[wp.mat33],
):
    """Puts geoms of bodies that never move where their parameters say; the engine places them once, when made.

    Quaternions are (w, x, y, z), which Warp's own functions are not made for.
    """
    world, i = wp.tid()
    geom = geoms[i]
    body = geom_bodyid[geom]
    turned = matrix_of(xquat[world, body])
    geom_xpos[world, geom] = xpos[world, body] + turned * geom_pos[world % geom_pos.shape[0], geom]
    geom_xmat[world, geom] = turned * matrix_of(geom_quat[world % geom_quat.shape[0], geom])


@wp.func
def matrix_of(quat: wp.quat) -> wp.mat33:
    """The rotation matrix of a quaternion (w, x, y, z)."""
    w, x, y, z = quat[0], quat[1], quat[2], quat[3]
    return wp.mat33(
        w * w + x * x - y * y - z * z,
        2.0 * (x * y - w * z),
        2.0 * (x * z + w * y),
        2.0 * (x * y + w * z),
        w * w - x * x + y * y - z * z,
        2.0 * (y * z - w * x),
        2.0 * (x * z - w * y),
        2.0 * (y * z + w * x),
        w * w - x * x - y * y + z * z,
    )
