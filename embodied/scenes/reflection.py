"""Reflection: whether one part of a body is the mirror image of another, and if not, what tells them apart.

The mirror is the plane y = 0 of the root link's frame, all joints at their references. Everything is compared in that
frame: positions and directions turn by M = diag(1, -1, 1), axes of rotation by -M.
"""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np

MIRROR = np.array([1.0, -1.0, 1.0])
_HINGE, _SLIDE = int(mujoco.mjtJoint.mjJNT_HINGE), int(mujoco.mjtJoint.mjJNT_SLIDE)
_MESH = int(mujoco.mjtGeom.mjGEOM_MESH)
_SHAPES = {
    int(mujoco.mjtGeom.mjGEOM_SPHERE): (),
    int(mujoco.mjtGeom.mjGEOM_CAPSULE): (2,),
    int(mujoco.mjtGeom.mjGEOM_CYLINDER): (2,),
    int(mujoco.mjtGeom.mjGEOM_ELLIPSOID): (0, 1, 2),
    int(mujoco.mjtGeom.mjGEOM_BOX): (0, 1, 2),
}
"""Axes that a shape's orientation shows in; each up to its sign."""
_JOINT = ("jnt_limited", "jnt_actfrclimited", "jnt_solref", "jnt_solimp", "jnt_stiffness", "jnt_stiffnesspoly")
_DOF = ("dof_armature", "dof_damping", "dof_dampingpoly", "dof_frictionloss", "dof_solref", "dof_solimp")
_CONTACT = ("contype", "conaffinity", "condim", "priority", "friction", "solmix", "solref", "solimp", "margin", "gap")
_ACTUATOR = ("dyntype", "gaintype", "biastype", "dynprm", "gainprm", "ctrllimited", "forcelimited", "delay")


class Reflection:
    """Compares parts of one body, by their numbers in the model."""

    def __init__(self, model: mujoco.MjModel, links: Sequence[int], tolerance: float) -> None:
        """Lays the body out in its root link's frame.

        Args:
            model: compiled.
            links: bodies of the model that make it up, root link first.
            tolerance: part of a number's size by which it may differ; for places, of the distance that the body reaches
                from its root link.
        """
        self.model, self.tolerance = model, tolerance
        data = mujoco.MjData(model)
        data.qpos[:] = model.qpos0
        mujoco.mj_kinematics(model, data)
        origin, axes = data.xpos[links[0]].copy(), data.xmat[links[0]].reshape(3, 3).copy()

        def places(points: np.ndarray) -> np.ndarray:
            return (points - origin) @ axes

        def frames(matrices: np.ndarray) -> np.ndarray:
            return axes.T @ matrices.reshape(-1, 3, 3)

        self.link_place, self.mass_place, self.mass_frame = places(data.xpos), places(data.xipos), frames(data.ximat)
        self.joint_place, self.joint_axis = places(data.xanchor), data.xaxis @ axes
        self.geom_place, self.geom_frame = places(data.geom_xpos), frames(data.geom_xmat)
        self.site_place, self.site_frame = places(data.site_xpos), frames(data.site_xmat)
        own = np.isin(model.geom_bodyid, list(links))
        points = np.concatenate((self.link_place[list(links)], self.geom_place[own]))
        self.reach = max(float(np.linalg.norm(points, axis=1).max()), 1e-6)

    def apart(self, place: np.ndarray, other: np.ndarray) -> str | None:
        """A text where one place is not the mirror image of the other."""
        distance = float(np.linalg.norm(place * MIRROR - other))
        return None if distance <= self.tolerance * self.reach else f"is {1000 * distance:.1f} mm off"

    def links(self, one: int, other: int) -> str | None:
        """What tells a link's mass and its distribution from the other's mirror image."""
        m = self.model
        if text := self._other_number("its mass", m.body_mass[one], m.body_mass[other]):
            return text
        if text := self.apart(self.mass_place[one], self.mass_place[other]):
            return f"its centre of mass {text}"
        tensors = [self.mass_frame[b] @ np.diag(m.body_inertia[b]) @ self.mass_frame[b].T for b in (one, other)]
        mirrored = MIRROR[:, None] * tensors[0] * MIRROR
        if np.abs(mirrored - tensors[1]).max() > self.tolerance * np.abs(tensors[1]).max():
            return "its moments of inertia differ"
        return None

    def joints(self, one: int, other: int) -> tuple[float, str | None]:
        """The sign by which the other's angle follows, and what tells them apart otherwise."""
        m = self.model
        kind = int(m.jnt_type[one])
        if kind not in (_HINGE, _SLIDE):
            return 1.0, "only hinges and slides can be mirrored"
        if kind != int(m.jnt_type[other]):
            return 1.0, "one is a hinge and the other a slide"
        expected = self.joint_axis[one] * MIRROR * (-1.0 if kind == _HINGE else 1.0)
        sign = 1.0 if float(expected @ self.joint_axis[other]) >= 0 else -1.0
        if np.linalg.norm(sign * expected - self.joint_axis[other]) > self.tolerance:
            return sign, "its axis points elsewhere"
        if kind == _HINGE and (text := self.apart(self.joint_place[one], self.joint_place[other])):
            return sign, f"its axis {text}"
        zeros = [m.qpos0[m.jnt_qposadr[j]] for j in (one, other)]
        if abs(sign * zeros[0] - zeros[1]) > self.tolerance:
            return sign, "its angle is counted from another reference"
        rests = [m.qpos_spring[m.jnt_qposadr[j]] for j in (one, other)]
        if abs(sign * rests[0] - rests[1]) > self.tolerance:
            return sign, "its spring rests elsewhere"
        if m.jnt_limited[one] and (text := self._other_range("its range", m.jnt_range, one, other, sign)):
            return sign, text
        return sign, self._other_numbers("jnt", _JOINT, one, other) or self._other_numbers(
            "dof", _DOF, m.jnt_dofadr[one], m.jnt_dofadr[other]
        )

    def geoms(self, one: int, other: int) -> str | None:
        """What tells a solid geom from the other's mirror image."""
        m = self.model
        if text := self._shapes("geom", one, other):
            return text
        if int(m.geom_type[one]) == _MESH and not self._meshes_match(one, other):
            return "its mesh is no mirror image"
        return self._other_numbers("geom", [f"geom_{name}" for name in _CONTACT], one, other)

    def sites(self, one: int, other: int) -> str | None:
        """What tells a site from the other's mirror image."""
        return self._shapes("site", one, other)

    def _shapes(self, what: str, one: int, other: int) -> str | None:
        m = self.model
        kinds, sizes = getattr(m, f"{what}_type"), getattr(m, f"{what}_size")
        place, frame = (self.geom_place, self.geom_frame) if what == "geom" else (self.site_place, self.site_frame)
        kind = int(kinds[one])
        if kind != int(kinds[other]):
            return "its shape is of another kind"
        if kind == _MESH:
            return None
        if kind not in _SHAPES:
            return f"shapes of the kind {mujoco.mjtGeom(kind).name.removeprefix('mjGEOM_').lower()} are not compared"
        if text := self.apart(place[one], place[other]):
            return text
        if np.abs(sizes[one] - sizes[other]).max() > self.tolerance * self.reach:
            return "its size differs"
        turned = MIRROR[:, None] * frame[one]
        if any(abs(float(turned[:, a] @ frame[other][:, a])) < 1 - self.tolerance for a in _SHAPES[kind]):
            return "it is turned otherwise"
        return None

    def _meshes_match(self, one: int, other: int) -> bool:
        """Whether every corner of the one, mirrored, lies near one of the other."""
        mine, theirs = (self._corners(geom) for geom in (one, other))
        nearest = np.array([np.linalg.norm(theirs - corner, axis=1).min() for corner in mine * MIRROR])
        return len(mine) == len(theirs) and bool(nearest.max() <= self.tolerance * self.reach)

    def _corners(self, geom: int) -> np.ndarray:
        mesh = self.model.geom_dataid[geom]
        start, count = self.model.mesh_vertadr[mesh], self.model.mesh_vertnum[mesh]
        corners = np.unique(self.model.mesh_vert[start : start + count].astype(float), axis=0)
        return corners @ self.geom_frame[geom].T + self.geom_place[geom]

    def actuators(self, one: int, other: int, sign: float) -> tuple[float, str | None]:
        """The sign by which the other's control follows, given their joints', and what tells them apart otherwise."""
        m = self.model
        gears = [float(m.actuator_gear[a, 0]) for a in (one, other)]
        if text := self._other_number("its gear", abs(gears[0]), abs(gears[1])):
            return sign, text
        sign = sign if gears[0] * gears[1] >= 0 else -sign
        for name in ("ctrl", "force"):
            limited, ranges = getattr(m, f"actuator_{name}limited"), getattr(m, f"actuator_{name}range")
            if limited[one] and (text := self._other_range(f"its {name}range", ranges, one, other, sign)):
                return sign, text
        biases = m.actuator_biasprm[one] * np.where(np.arange(m.actuator_biasprm.shape[1]) == 0, sign, 1.0)
        if np.abs(biases - m.actuator_biasprm[other]).max() > self.tolerance * max(1.0, np.abs(biases).max()):
            return sign, "its biasprm differs"
        return sign, self._other_numbers("actuator", [f"actuator_{name}" for name in _ACTUATOR], one, other)

    def _other_number(self, what: str, one: float, other: float) -> str | None:
        if abs(one - other) <= self.tolerance * max(abs(one), abs(other)):
            return None
        return f"{what} is {one:.4g} and not {other:.4g}"

    def _other_numbers(self, kind: str, names: Sequence[str], one: int, other: int) -> str | None:
        for name in names:
            values = getattr(self.model, name, None)
            if values is None:  # of another version of the engine
                continue
            mine, theirs = np.atleast_1d(values[one]).astype(float), np.atleast_1d(values[other]).astype(float)
            if np.abs(mine - theirs).max() > self.tolerance * max(np.abs(mine).max(), np.abs(theirs).max()):
                return f"its {name.removeprefix(kind + '_')} differs"
        return None

    def _other_range(self, what: str, ranges: np.ndarray, one: int, other: int, sign: float) -> str | None:
        mine = (ranges[one] if sign > 0 else -ranges[one][::-1]) + 0.0
        if np.abs(mine - ranges[other]).max() <= self.tolerance * max(np.abs(mine).max(), 1e-9):
            return None
        return f"{what} is {mine[0]:.4g} to {mine[1]:.4g} and not {ranges[other][0]:.4g} to {ranges[other][1]:.4g}"
