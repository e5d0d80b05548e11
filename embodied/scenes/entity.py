"""Entity: one named thing of a scene; its views read and write the state of all worlds at once.

Tasks, senses and everything above read bodies through these alone, never through the engine's arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import mujoco
import numpy as np
import torch
from torch import Tensor

from embodied.physics.world import World
from embodied.scenes.frames import rotate_back, yaw_of
from morphologies import Body

Index = slice | Tensor
STATE = ("qpos", "qvel", "ctrl", "mocap_pos")
"""Fields that are written through views; all others are only read."""


class Entity:
    """Which parts of a model belong to one body: names and addresses, no state."""

    def __init__(self, name: str, model: mujoco.MjModel, body: Body) -> None:
        """Finds everything under the prefix ``name/``."""
        self.name = name
        self.body = body
        self.root = body.root
        self.model = model
        self.bodies = _named(model, mujoco.mjtObj.mjOBJ_BODY, model.nbody, name)
        """Ids of the links, root link first."""
        self.mocap = int(model.body_mocapid[self.bodies[0]])
        """Number among the bodies that are put where one likes and that nothing moves; -1 for all others."""
        joints = _named(model, mujoco.mjtObj.mjOBJ_JOINT, model.njnt, name)
        on_root = [j for j in joints if model.jnt_bodyid[j] == self.bodies[0]]
        self.root_joints = on_root if self.root != "fixed" else []
        self.joints = [j for j in joints if j not in self.root_joints]
        """Ids of the hinges and slides that are not the root's."""
        self.actuators = _named(model, mujoco.mjtObj.mjOBJ_ACTUATOR, model.nu, name)
        self.sensors = {
            self._plain(model.sensor(s).name): (int(model.sensor_adr[s]), int(model.sensor_dim[s]))
            for s in _named(model, mujoco.mjtObj.mjOBJ_SENSOR, model.nsensor, name)
        }
        """Address and size by name."""

    @property
    def mass(self) -> float:
        """Of all links, as compiled, kg."""
        return float(self.model.body_mass[self.bodies].sum())

    @cached_property
    def pose(self) -> np.ndarray:
        """(joints,) The default pose, rad or m."""
        reference = [self.model.qpos0[self.model.jnt_qposadr[j]] for j in self.joints]
        return np.array([self.body.pose.get(name, at) for name, at in zip(self.joint_names, reference, strict=True)])

    @cached_property
    def action_map(self) -> tuple[np.ndarray, np.ndarray]:
        """(actuators,) twice: the control that no action stands for, and what a unit of action adds to it.

        A motor takes the action itself. A position actuator holds the default pose and is moved by the body's
        ``action_scale``.
        """
        at = dict(zip(self.joints, self.pose, strict=True))
        offset, scale = np.zeros(len(self.actuators)), np.ones(len(self.actuators))
        for number, actuator in enumerate(self.actuators):
            if self._holds_position(actuator) and self._drives_joint(actuator):
                offset[number] = at[int(self.model.actuator_trnid[actuator, 0])]
                scale[number] = self.body.action_scale
        return offset, scale

    @cached_property
    def driven(self) -> list[int]:
        """(actuators,) Number among `joints` of the one whose position an actuator holds; -1 where it holds none's."""
        held = [self._holds_position(each) and self._drives_joint(each) for each in self.actuators]
        targets = [int(self.model.actuator_trnid[each, 0]) for each in self.actuators]
        return [self.joints.index(joint) if holds else -1 for joint, holds in zip(targets, held, strict=True)]

    def _holds_position(self, actuator: int) -> bool:
        """A servo on position: its force falls with the position at all. A servo on velocity's does not."""
        affine = self.model.actuator_biastype[actuator] == mujoco.mjtBias.mjBIAS_AFFINE
        return bool(affine and self.model.actuator_biasprm[actuator, 1] != 0)

    def _drives_joint(self, actuator: int) -> bool:
        joint = self.model.actuator_trntype[actuator] == mujoco.mjtTrn.mjTRN_JOINT
        return bool(joint) and int(self.model.actuator_trnid[actuator, 0]) in self.joints

    def write_pose(self, qpos: np.ndarray, ctrl: np.ndarray) -> None:
        """Writes the default pose, and the controls that hold it, into a model's whole ``qpos`` and ``ctrl``."""
        for joint, position in zip(self.joints, self.pose, strict=True):
            if int(self.model.jnt_type[joint]) in (mujoco.mjtJoint.mjJNT_HINGE, mujoco.mjtJoint.mjJNT_SLIDE):
                qpos[self.model.jnt_qposadr[joint]] = position
        ctrl[self.actuators] = self.action_map[0]

    def _plain(self, name: str) -> str:
        return name.removeprefix(f"{self.name}/")

    @property
    def link_names(self) -> list[str]:
        """Of the links, root link first."""
        return [self._plain(self.model.body(b).name) for b in self.bodies]

    @property
    def joint_names(self) -> list[str]:
        """Of the joints, the root's not among them."""
        return [self._plain(self.model.joint(j).name) for j in self.joints]

    @property
    def actuator_names(self) -> list[str]:
        """Of the actuators, in the order of actions."""
        return [self._plain(self.model.actuator(a).name) for a in self.actuators]

    @property
    def control_range(self) -> np.ndarray:
        """(actuators, 2) Lower and upper control limit; ±1 where an actuator has none."""
        limited = self.model.actuator_ctrllimited[self.actuators].astype(bool)
        return np.where(limited[:, None], self.model.actuator_ctrlrange[self.actuators], [[-1.0, 1.0]])

    @property
    def action_range(self) -> np.ndarray:
        """(actuators, 2) Lowest and highest action that reaches an actuator whole."""
        offset, scale = self.action_map
        return (self.control_range - offset[:, None]) / scale[:, None]

    def soft_limits(self, part: float) -> np.ndarray:
        """(2, joints) Ends of that part of each joint's range, about its middle; infinite where it has none."""
        low, high = self.model.jnt_range[self.joints].T
        middle, half = (high + low) / 2, part * (high - low) / 2
        limited = self.model.jnt_limited[self.joints].astype(bool)
        return np.where(limited, (middle - half, middle + half), [[-np.inf], [np.inf]])

    def view(self, world: World) -> EntityView:
        """The entity in a World made from its scene."""
        return EntityView(self, world)


class EntityView:
    """One entity in all worlds of a World. Tensors without "a copy" in their description are live views."""

    def __init__(self, entity: Entity, world: World) -> None:
        """Resolves addresses; a field is bound when first read, best before the first step."""
        self.entity = entity
        self.world = world
        """Whose worlds it is seen in."""
        self._real = world.field("qpos").dtype
        model = entity.model
        joints, root = entity.joints, entity.root_joints
        self._joint_qpos = self._index([int(model.jnt_qposadr[j]) for j in joints])
        self._joint_dof = self._index([int(model.jnt_dofadr[j]) for j in joints])
        qpos, dof = (
            {j: _addresses(at[j], _size(sizes, model, j)) for j in (*root, *joints)}
            for at, sizes in ((model.jnt_qposadr, _QPOS), (model.jnt_dofadr, _DOF))
        )
        self._root_qpos = self._index([a for j in root for a in qpos[j]])
        self._root_dof = self._index([a for j in root for a in dof[j]])
        self._all_qpos = self._index([a for j in (*root, *joints) for a in qpos[j]])
        self._all_dof = self._index([a for j in (*root, *joints) for a in dof[j]])
        self._actuators = self._index(entity.actuators)
        self._links = self._index(entity.bodies)
        self._views: dict[tuple[str, object], Tensor] = {}
        self._sensor_index: dict[tuple[str, ...], Index] = {}
        offset, scale = entity.action_map
        self._map = (self.constant(offset), self.constant(scale)) if offset.any() or (scale != 1).any() else None
        self._origin = self.constant(model.body_pos[entity.bodies[0]])

    def constant(self, values: Sequence[float] | Sequence[Sequence[float]] | np.ndarray) -> Tensor:
        """Numbers as a tensor where the World's tensors are, in the engine's precision.

        They are copied there, for which a device is waited for: make constants when a task or sense is made.
        """
        return torch.tensor(np.asarray(values), dtype=self._real, device=self.world.device)

    def per_world(self, *values: float | tuple[float, ...]) -> Tensor:
        """(n,) Numbers as `constant` gives them; or (W, n), where some are tuples of k numbers, one for each of the
        bodies of a bucket: world w of W is of body w // (W / k)."""
        rows = self.constant(np.stack(np.broadcast_arrays(*values), axis=-1))
        return rows if rows.dim() == 1 else rows.repeat_interleave(self.world.num_worlds // len(rows), dim=0)

    def _index(self, addresses: list[int]) -> Index:
        """A slice where addresses are consecutive, so that reading is a view; else a tensor."""
        if not addresses:
            return slice(0, 0)
        if addresses == list(range(addresses[0], addresses[0] + len(addresses))):
            return slice(addresses[0], addresses[0] + len(addresses))
        return torch.tensor(addresses, device=self.world.device)

    def _part(self, field: str, index: Index) -> Tensor:
        """The columns of a field that are the entity's: a lasting view where they lie side by side, else a copy."""
        if not isinstance(index, slice):
            return self.world.field(field)[:, index]
        key = (field, (index.start, index.stop))
        if key not in self._views:
            self._views[key] = self.world.field(field)[:, index]
        return self._views[key]

    @property
    def joint_pos(self) -> Tensor:
        """(W, joints) Joint angles, rad, or slides, m."""
        return self._part("qpos", self._joint_qpos)

    @property
    def joint_vel(self) -> Tensor:
        """(W, joints) rad/s or m/s."""
        return self._part("qvel", self._joint_dof)

    @property
    def root_pos(self) -> Tensor:
        """(W, 3) World position of the root link, m."""
        if self.entity.root == "free":  # the joint's own coordinates: nothing has to be derived for them
            return self._part("qpos", self._root_qpos)[:, :3]
        if self.entity.mocap >= 0:
            return self.world.field("mocap_pos")[:, self.entity.mocap]
        return self.link_pos[:, 0]

    @property
    def root_quat(self) -> Tensor:
        """(W, 4) World orientation of the root link, (w, x, y, z), of unit length."""
        return self.link_quat[:, 0]

    @property
    def root_axes(self) -> Tensor:
        """(W, 3, 3) The root link's orientation as a matrix: its columns are its axes in the world's frame.

        A row vector of the world times it is that vector in the root link's frame.
        """
        return self._part("xmat", self._links)[:, 0].unflatten(-1, (3, 3))

    @property
    def root_pose(self) -> Tensor:
        """(W, 7) A copy: world position, m, and orientation (w, x, y, z) of the root link."""
        return torch.cat((self.root_pos, self.root_quat), dim=-1)

    @property
    def root_velocity(self) -> Tensor:
        """(W, 6) Linear velocity of the root link in the world's frame, m/s, and angular in its own, rad/s.

        A live view for free roots, a copy for planar and fixed ones.
        """
        part = self._part("qvel", self._root_dof)
        if self.entity.root == "free":
            return part
        velocity = part.new_zeros(self.world.num_worlds, 6)
        if self.entity.root == "planar":
            velocity[:, 0:6:2] = part
        return velocity

    @property
    def joint_torque(self) -> Tensor:
        """(W, joints) Torques of the actuators at each joint during the last substep, N m, or forces, N."""
        return self._part("qfrc_actuator", self._joint_dof)

    @property
    def joint_power(self) -> Tensor:
        """(W, joints) A copy: mechanical power of the actuators at each joint, W; negative where they brake."""
        return self.joint_torque * self.joint_vel

    @property
    def link_pos(self) -> Tensor:
        """(W, links, 3) World positions of the links, m, root link first."""
        return self._part("xpos", self._links)

    @property
    def link_quat(self) -> Tensor:
        """(W, links, 4) World orientations of the links, (w, x, y, z)."""
        return self._part("xquat", self._links)

    @property
    def controls(self) -> Tensor:
        """(W, actuators) What drives the actuators; written by tasks."""
        return self._part("ctrl", self._actuators)

    @controls.setter
    def controls(self, values: Tensor) -> None:
        if isinstance(self._actuators, slice):
            self._part("ctrl", self._actuators).copy_(values)
        else:
            self.world.field("ctrl")[:, self._actuators] = values.to(self.world.field("ctrl").dtype)

    def act(self, actions: Tensor) -> None:
        """Turns (W, actuators) actions into controls; see `Entity.action_map`."""
        self.controls = actions if self._map is None else self._map[0] + self._map[1] * actions

    def sensor(self, *names: str) -> Tensor:
        """(W, n) Readings of sensors, one after the other, in their units; a view where they lie side by side."""
        if names not in self._sensor_index:
            addresses: list[int] = []
            for name in names:
                if name not in self.entity.sensors:
                    known = ", ".join(self.entity.sensors) or "none"
                    raise KeyError(f"{self.entity.name} has no sensor {name!r}; it has {known}")
                start, size = self.entity.sensors[name]
                addresses += range(start, start + size)
            self._sensor_index[names] = self._index(addresses)
        return self._part("sensordata", self._sensor_index[names])

    @property
    def heading(self) -> Tensor:
        """(W,) A copy: direction of the root link's x axis in the horizontal plane, rad."""
        return yaw_of(self.root_quat)

    def to_root(self, vectors: Tensor) -> Tensor:
        """(W, …, 3) World vectors in the root link's frame."""
        quat = self.root_quat
        return rotate_back(quat[:, None] if vectors.dim() == 3 else quat, vectors)

    @property
    def contacts(self) -> Tensor:
        """(W, links) bool, a copy: which links touched something during the last substep, by their touch sensors."""
        return self.sensor(*(f"touch/{link}" for link in self.entity.link_names)) > 0

    @property
    def origin(self) -> Tensor:
        """(3,) A copy: where the root link stands in the default pose, m."""
        return self._origin.clone()

    def set_root_pose(self, pose: Tensor, mask: Tensor) -> None:
        """Puts free roots at a (W, 7) world pose where the mask holds; velocities stay as they are.

        Raises:
            TypeError: the root is planar or fixed.
        """
        if self.entity.root != "free":
            raise TypeError(f"{self.entity.name} has a {self.entity.root} root, which cannot be put anywhere")
        root = self._part("qpos", self._root_qpos)
        root.copy_(torch.where(mask[:, None], pose.to(root.dtype), root))

    def put(self, places: Tensor, mask: Tensor) -> None:
        """Puts roots that are free, or that nothing moves, at (W, 3) world positions where the mask holds; they keep
        their orientation.

        Raises:
            TypeError: the root is planar or fixed.
        """
        if self.entity.root != "free" and self.entity.mocap < 0:
            raise TypeError(f"{self.entity.name} has a {self.entity.root} root, which cannot be put anywhere")
        root = self.root_pos
        root.copy_(torch.where(mask[:, None], places.to(root.dtype), root))

    def perturb(self, size: float, mask: Tensor, generator: torch.Generator) -> None:
        """Adds uniform noise of ±``size`` to all positions and velocities where the mask holds; draws for all worlds.

        Quaternions are not normalised here: the engine does that wherever it uses one.
        """
        for field, columns in (("qpos", self._all_qpos), ("qvel", self._all_dof)):
            whole = self.world.field(field)
            part = whole[:, columns]
            chance = torch.rand(part.shape, dtype=torch.float64, generator=generator, device=part.device)
            moved = part + (2 * size) * (chance - 0.5)
            whole[:, columns] = torch.where(mask[:, None], moved.to(part.dtype), part)


_QPOS = {"mjJNT_FREE": 7, "mjJNT_BALL": 4, "mjJNT_SLIDE": 1, "mjJNT_HINGE": 1}
_DOF = {"mjJNT_FREE": 6, "mjJNT_BALL": 3, "mjJNT_SLIDE": 1, "mjJNT_HINGE": 1}


def _size(sizes: dict[str, int], model: mujoco.MjModel, joint: int) -> int:
    return sizes[mujoco.mjtJoint(int(model.jnt_type[joint])).name]


def _addresses(start: int, count: int) -> range:
    return range(int(start), int(start) + count)


def _named(model: mujoco.MjModel, kind: mujoco.mjtObj, count: int, prefix: str) -> list[int]:
    names = (mujoco.mj_id2name(model, kind, i) for i in range(count))
    return [i for i, name in enumerate(names) if name and name.startswith(f"{prefix}/")]
