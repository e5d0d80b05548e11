"""How large a GPU World's buffers for contacts and constraints are: measured by random play on the host, with a margin.

The rule. In 16 worlds bodies are dropped in every orientation and driven by random controls for two seconds; where the
model has height fields, all over them. A world gets room for

- constraints: all equalities, all dry friction, all limits, and the rows of twice the most contacts that any world had
  at once, or of `FEWEST`; rounded up, as a kernel is compiled for each number. Each world has its own, more are lost.
- contacts: those twice as many, or as many pairs of geoms as ever came near each other, as the engine's first sieve
  sees it, whichever is more. They are pooled: one world may have more as long as others have fewer.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import mujoco
import numpy as np

from embodied.physics.cpu import silence_engine_log
from embodied.physics.world import SceneModel

FEWEST = 8
"""Contacts that a world gets at least."""
ROUNDED = 32
"""Constraint rows come in multiples of this: bodies of like size then share their kernels."""
MARGIN = 2
"""Times the most contacts seen."""
ON_FIELD = 4
"""Contacts of a geom with a height field: the GPU's engine keeps the four farthest apart, the CPU's all."""
WORLDS = 16
SECONDS = 2.0
GLANCES = 80
"""How often contacts are counted in that time."""


@dataclass(frozen=True)
class BufferSizes:
    """Of one world."""

    contacts: int
    """Contacts, and pairs of geoms that come near; pooled over all worlds."""
    constraints: int
    """Constraint rows."""


def buffer_sizes(scene: SceneModel, varying: tuple[str, ...] = ()) -> BufferSizes:
    """Sizes by the rule above; the same at every call, and measured at the first for a model."""
    if scene.model not in _seen:
        _seen[scene.model] = _most_seen(scene, varying)
    contacts, pairs = _seen[scene.model]
    contacts = max(MARGIN * contacts, FEWEST)
    return BufferSizes(max(contacts, pairs), constraint_room(scene.model, contacts, varying))


def constraint_room(model: mujoco.MjModel, contacts: int, varying: tuple[str, ...] = ()) -> int:
    """Room for the rows that the model can have with that many contacts."""
    return -(-constraint_rows(model, contacts, varying) // ROUNDED) * ROUNDED


_seen: WeakKeyDictionary[mujoco.MjModel, tuple[int, int]] = WeakKeyDictionary()


def constraint_rows(model: mujoco.MjModel, contacts: int, varying: tuple[str, ...] = ()) -> int:
    """The most rows that the model can have with that many contacts."""
    sizes = {"mjEQ_CONNECT": 3, "mjEQ_WELD": 6}
    equality = sum(sizes.get(mujoco.mjtEq(int(kind)).name, 1) for kind in model.eq_type)
    rubbing = np.concatenate(
        [
            np.full(loss.shape, name in varying) | (loss > 0)
            for name, loss in (
                ("dof_frictionloss", model.dof_frictionloss),
                ("tendon_frictionloss", model.tendon_frictionloss),
            )
        ]
    )
    # A joint whose range is narrower than its margins can stand at both ends at once.
    limits = 2 * int(model.jnt_limited.sum() + model.tendon_limited.sum())
    dimensions = int(max([1, *model.geom_condim, *model.pair_dim]))
    pyramid = model.opt.cone == mujoco.mjtCone.mjCONE_PYRAMIDAL
    each = max(1, 2 * (dimensions - 1)) if pyramid else dimensions
    return equality + int(rubbing.sum()) + limits + contacts * each


def _most_seen(scene: SceneModel, varying: tuple[str, ...]) -> tuple[int, int]:
    """The most contacts, and the most pairs near each other, of a world at once."""
    silence_engine_log()
    model = copy.copy(scene.model)
    rng = np.random.default_rng(0)
    near, data = _Nearness(model), mujoco.MjData(model)
    limited = model.actuator_ctrllimited[:, None].astype(bool)
    low, high = np.where(limited, model.actuator_ctrlrange, [[-1.0, 1.0]]).T
    substeps = max(1, round(SECONDS / model.opt.timestep / GLANCES))
    contacts = pairs = 0
    for world in range(WORLDS):
        _drop(model, data, world if "geom_dataid" in varying else 0, rng)
        for _ in range(GLANCES):
            data.ctrl[:] = rng.uniform(low, high)
            mujoco.mj_step(model, data, substeps)
            contacts, pairs = max(contacts, _contacts(model, data)), max(pairs, near.count(data))
    return contacts, pairs


def _drop(model: mujoco.MjModel, data: mujoco.MjData, field: int, rng: np.random.Generator) -> None:
    """Turns free bodies any way; over height fields, also puts them anywhere, above one of the fields."""
    mujoco.mj_resetData(model, data)
    if model.nkey:
        data.qpos[:] = model.key_qpos[0]
    fields = np.flatnonzero(model.geom_type == mujoco.mjtGeom.mjGEOM_HFIELD)
    for geom in fields:
        model.geom_dataid[geom] = _alike(model, model.geom_dataid[geom], field)
    for joint in np.flatnonzero(model.jnt_type == mujoco.mjtJoint.mjJNT_FREE):
        at = int(model.jnt_qposadr[joint])
        turn = rng.normal(size=4)
        data.qpos[at + 3 : at + 7] = turn / np.linalg.norm(turn)
        for geom in fields[:1]:
            half_x, half_y, rise, _ = model.hfield_size[model.geom_dataid[geom]]
            data.qpos[at : at + 2] = rng.uniform(-0.9, 0.9, 2) * (half_x, half_y) + model.geom_pos[geom, :2]
            data.qpos[at + 2] += model.geom_pos[geom, 2] + rise


def _alike(model: mujoco.MjModel, field: int, turn: int) -> int:
    """One of the height fields of the same size, in turn."""
    sizes = np.column_stack((model.hfield_size, model.hfield_nrow, model.hfield_ncol))
    pool = np.flatnonzero((sizes == sizes[field]).all(axis=1))
    return int(pool[turn % len(pool)])


def _contacts(model: mujoco.MjModel, data: mujoco.MjData) -> int:
    """How many contacts the GPU's engine would make of these."""
    pairs, counts = np.unique(data.contact.geom, axis=0, return_counts=True)
    on_field = (model.geom_type[pairs] == mujoco.mjtGeom.mjGEOM_HFIELD).any(axis=1)
    return int(np.where(on_field, np.minimum(counts, ON_FIELD), counts).sum())


class _Nearness:
    """Pairs of geoms that may touch and whose bounding spheres do, or that a sphere lies below a plane's height."""

    def __init__(self, model: mujoco.MjModel) -> None:
        one, two = np.triu_indices(model.ngeom, k=1)
        weld, parent = model.body_weldid, model.body_parentid
        a, b = weld[model.geom_bodyid[one]], weld[model.geom_bodyid[two]]
        above_a, above_b = weld[parent[a]], weld[parent[b]]
        meant = (model.geom_contype[one] & model.geom_conaffinity[two]) != 0
        meant |= (model.geom_contype[two] & model.geom_conaffinity[one]) != 0
        meant &= (a != b) & ((model.body_dofnum[a] > 0) | (model.body_dofnum[b] > 0))
        meant &= ~((a != 0) & (b != 0) & ((a == above_b) | (b == above_a)))
        one, two = np.concatenate([one[meant], model.pair_geom1]), np.concatenate([two[meant], model.pair_geom2])
        flat = model.geom_rbound == 0
        swap = flat[two]
        self._one, self._two = np.where(swap, two, one), np.where(swap, one, two)  # planes first
        self._plane = flat[self._one]
        room = model.geom_rbound + model.geom_margin + model.geom_gap
        self._reach = room[self._one] + room[self._two]

    def count(self, data: mujoco.MjData) -> int:
        """Of them now."""
        apart = data.geom_xpos[self._two] - data.geom_xpos[self._one]
        height = (apart * data.geom_xmat[self._one, 2::3]).sum(axis=-1)
        distance = np.where(self._plane, height, np.linalg.norm(apart, axis=-1))
        return int((distance <= self._reach).sum())
