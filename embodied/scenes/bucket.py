"""A bucket: scenes of several bodies of one topology, as one model and a table of the numbers in which they differ.

Each scene is compiled by MuJoCo on the host. Their models are then compared field by field: a GPU World can give each
of its worlds its own value of some fields, and of no others. What it cannot must be equal, or the bodies are refused
by the field's name: a difference that was passed over would be simulated wrongly without a word.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from embodied.physics.cpu import CpuWorld
from embodied.physics.gpu_buffers import BufferSizes, buffer_sizes
from embodied.physics.gpu_limits import batched_fields, held_fields
from embodied.scenes.scene import Scene

START_STATES = frozenset(("key_time", "key_qpos", "key_qvel", "key_act", "key_ctrl", "key_mpos", "key_mquat"))
"""Model fields that a World reads when it is made, and that become each member's own default state."""
ONLY_SLEEP = frozenset(("dof_length",))
"""Model fields that are read for bodies that sleep, which a GPU World refuses."""
FOLDED = (
    *("actuator_armature", "actuator_damping", "actuator_dampingpoly", "pair_signature", "sensor_needstage"),
    *("opt.impratio", "opt.jacobian", "opt.disableactuator"),
    *("opt.o_margin", "opt.o_solref", "opt.o_solimp", "opt.o_friction"),
)
"""Model fields that the engine does not hold as such, but makes others of when it takes a model over."""
ROWS_STEP = 32
"""Room for constraints is a multiple of it: the engine compiles a kernel for every size that it meets, and finds more
of them in its cache."""
ZONES = "site_size"
"""What all worlds share, and touch sensors read; see `_widened`."""


class NotOneModel(ValueError):
    """Bodies that no one model can hold; the message names the field in which they differ."""


@dataclass(frozen=True)
class Bucket:
    """k bodies in one model."""

    scene: Scene
    """Of the first body; its model's touch zones hold those of all bodies."""
    fields: dict[str, np.ndarray]
    """(k, …) Model fields in which bodies differ, as MuJoCo compiled them."""
    starts: np.ndarray
    """(k, n) Full default states."""
    room: BufferSizes
    """That the body needs which needs most, of the first, second, fourth, eighth and so on. They are built alike, and
    the sizes have a margin of two; what a body needs beyond them is counted as any overflow is."""

    @property
    def members(self) -> int:
        """k."""
        return len(self.starts)


def make_bucket(scenes: Iterable[Scene]) -> Bucket:
    """The bucket of some bodies' scenes, which may be made one after the other.

    Raises:
        NotOneModel: there is a field in which they differ and that worlds share.
        ValueError: no scenes.
    """
    held, batched = held_fields(), batched_fields()
    first: Scene | None = None
    rows: dict[str, list[np.ndarray]] = {}
    starts, rooms, zones = [], [], []
    for scene in scenes:
        first = first or scene
        for name in _different(first.model, scene.model, held):
            if name not in batched and name != ZONES:
                raise NotOneModel(f"these bodies cannot share a model: they differ in {name}, which all worlds share")
        rows = rows or {name: [] for name in batched if _value(scene.model, name) is not None}
        for name, found in rows.items():
            found.append(np.array(_value(scene.model, name)))
        zones.append(np.array(scene.model.site_size))
        _refuse_narrow_zones(scene.model, zones)
        world = CpuWorld(scene, 1, threads=1)
        starts.append(world.state()[0].numpy())
        world.close()
        if (len(starts) & (len(starts) - 1)) == 0:  # of the first, second, fourth, eighth, …: measuring takes a while
            rooms.append(buffer_sizes(scene, scene.varying))
    if first is None:
        raise ValueError("a bucket has at least one body")
    return Bucket(
        scene=_widened(first, zones),
        fields={name: np.stack(found) for name, found in rows.items() if _vary(found)},
        starts=np.stack(starts),
        room=BufferSizes(
            max(room.contacts for room in rooms),
            ROWS_STEP * math.ceil(max(room.constraints for room in rooms) / ROWS_STEP),
        ),
    )


def _vary(rows: list[np.ndarray]) -> bool:
    return any(not np.array_equal(rows[0], row) for row in rows[1:])


def _different(one: mujoco.MjModel, two: mujoco.MjModel, held: dict[str, Any]) -> list[str]:
    """Names of what the engine holds, or reads when it takes a model over, and that is not the same in both."""
    found = []
    for name in (*held, *FOLDED):
        if name in START_STATES or name in ONLY_SLEEP or name == "opt":
            continue
        values = [_value(model, name) for model in (one, two)]
        if values[0] is not None and not np.array_equal(*values):  # type: ignore[arg-type]
            found.append(name)
    return found


def _value(model: mujoco.MjModel, name: str) -> np.ndarray | None:
    """A field of a model; None for what only the engine's own model has, which follows from the others."""
    owner = model.opt if name.startswith("opt.") else model
    value = getattr(owner, name.removeprefix("opt."), None)
    return None if value is None or isinstance(value, str) else np.asarray(value)


def _refuse_narrow_zones(model: mujoco.MjModel, zones: list[np.ndarray]) -> None:
    """Where sites differ in size, they must be touch zones that hold the whole of their body."""
    for site in np.flatnonzero((zones[0] != zones[-1]).any(axis=-1)):
        used = (model.sensor_objtype == mujoco.mjtObj.mjOBJ_SITE) & (model.sensor_objid == site)
        touch = (model.sensor_type[used] == mujoco.mjtSensor.mjSENS_TOUCH).all()
        if not (touch and _holds_its_body(model, int(site))):
            name = model.site(int(site)).name
            raise NotOneModel(
                f"these bodies cannot share a model: they differ in {ZONES}, which all worlds share, and the site "
                f"{name!r} is no touch zone around all of its body"
            )


def _holds_its_body(model: mujoco.MjModel, site: int) -> bool:
    """Whether a capsule or ball goes round each geom of its body, which has the same shape and place."""
    kinds = (int(mujoco.mjtGeom.mjGEOM_CAPSULE), int(mujoco.mjtGeom.mjGEOM_SPHERE))
    geoms = np.flatnonzero(model.geom_bodyid == model.site_bodyid[site])
    return bool(
        len(geoms)
        and model.site_type[site] in kinds
        and (model.geom_type[geoms] == model.site_type[site]).all()
        and np.allclose(model.geom_pos[geoms], model.site_pos[site])
        and np.allclose(model.geom_quat[geoms], model.site_quat[site])
        and (model.geom_size[geoms] <= model.site_size[site] + 1e-9).all()
    )


def _widened(scene: Scene, zones: list[np.ndarray]) -> Scene:
    """The scene with touch zones as large as any member's.

    A touch sensor adds up the normal forces of the contacts of its body that lie in its zone. A zone that holds all of
    the body, and so all of its contacts, reads the same however much larger it is.
    """
    shared = copy.copy(scene)
    shared.model = copy.copy(scene.model)
    shared.model.site_size[:] = np.max(zones, axis=0)
    return shared
