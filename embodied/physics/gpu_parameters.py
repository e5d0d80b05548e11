"""Model fields that differ between the worlds of a GPU World, and the constants that follow from them.

The engine's fields are shared by all worlds until one with a row per world takes their place. What follows from a
varying field must get rows too: else the engine works it out for every world and keeps the first one's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mujoco
import mujoco_warp as mjw
import numpy as np
import torch
import warp as wp
from torch import Tensor

from embodied.physics.gpu_limits import refusal

_INERTIA = frozenset(
    [
        *("qpos0", "body_mass", "body_inertia", "body_ipos", "body_iquat", "body_pos", "body_quat", "jnt_pos"),
        *("jnt_axis", "dof_armature", "site_pos", "site_quat", "actuator_gear", "tendon_armature", "eq_data"),
        *("cam_pos", "cam_quat", "light_pos", "light_dir"),
    ]
)
"""Fields that the constants of the default pose follow from."""
_FOLLOW_INERTIA = (
    *("body_subtreemass", "body_invweight0", "dof_invweight0", "tendon_invweight0", "tendon_length0", "actuator_acc0"),
    *("eq_data", "cam_pos0", "cam_poscom0", "cam_mat0", "light_pos0", "light_poscom0", "light_dir0"),
)
_SHAPES = frozenset(["geom_size", "geom_dataid"])
_FOLLOW_SHAPES = ("geom_size", "geom_aabb", "geom_rbound")
_STATIC_PLACES = frozenset(["geom_pos", "geom_quat", "body_pos", "body_quat"])


def following(varying: Sequence[str]) -> tuple[str, ...]:
    """Constants that get a row per world beside the varying fields."""
    names: list[str] = []
    if _INERTIA & set(varying):
        names += _FOLLOW_INERTIA
    if _SHAPES & set(varying):
        names += _FOLLOW_SHAPES
    return tuple(dict.fromkeys(name for name in names if name not in varying))


def moves_static_geoms(varying: Sequence[str]) -> bool:
    """Whether geoms that never move may stand elsewhere in each world, which the engine does not look after."""
    return bool(_STATIC_PLACES & set(varying))


def put_model(model: mujoco.MjModel, num_worlds: int, varying: Sequence[str]) -> mjw.Model:
    """The engine's model on Warp's current device, with a row per world for what varies and what follows from it.

    Raises:
        UserError: the engine has not implemented something that the model has.
    """
    rows = {name: num_worlds for name in (*varying, *following(varying)) if not name.startswith("opt.")}
    try:
        made = mjw.put_model(model, rows)
    except (NotImplementedError, ValueError) as error:
        raise refusal(f"MuJoCo Warp says: {str(error).rstrip('.')}") from None
    for name in (name.removeprefix("opt.") for name in varying if name.startswith("opt.")):
        shared = getattr(made.opt, name)
        spread = wp.array(np.repeat(shared.numpy(), num_worlds, axis=0), dtype=shared.dtype)
        setattr(made.opt, name, spread)
    return made


def views(held: mjw.Model, model: mujoco.MjModel, num_worlds: int, names: Sequence[str]) -> dict[str, Tensor]:
    """(W, …) Writable views of fields that have a row per world, shaped as on the host."""
    found: dict[str, Tensor] = {}
    for name in names:
        host: Any = model.opt if name.startswith("opt.") else model
        device: Any = held.opt if name.startswith("opt.") else held
        short = name.removeprefix("opt.")
        array = getattr(device, short)
        if array.size:
            tensor = wp.to_torch(array, requires_grad=False)
            found[name] = tensor.reshape(num_worlds, *np.shape(getattr(host, short)))
        else:
            found[name] = torch.zeros(num_worlds, *np.shape(getattr(host, short)))
    return found


def static_geoms(model: mujoco.MjModel) -> np.ndarray:
    """Ids of geoms on bodies that nothing moves and that are not put anywhere (mocap)."""
    body = model.geom_bodyid
    still = (model.body_weldid[body] == 0) & (model.body_mocapid[model.body_rootid[body]] < 0)
    return np.flatnonzero(still).astype(np.int32)
