"""Compiling what a file says, with the element named that makes it impossible or gives a number that is none."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mujoco
import numpy as np

from morphologies.read.errors import RobotError

CHECKED = {
    "body": ("body_pos", "body_quat", "body_mass", "body_inertia", "body_ipos", "body_iquat", "body_gravcomp"),
    "joint": (
        "jnt_pos", "jnt_axis", "jnt_range", "jnt_stiffness", "jnt_margin", "jnt_solref", "jnt_solimp", "jnt_actfrcrange"
    ),
    "geom": (
        "geom_pos", "geom_quat", "geom_size", "geom_friction", "geom_margin", "geom_gap", "geom_solref", "geom_solimp",
        "geom_solmix", "geom_rbound",
    ),
    "site": ("site_pos", "site_quat", "site_size"),
    "actuator": (
        "actuator_gear", "actuator_gainprm", "actuator_biasprm", "actuator_dynprm", "actuator_ctrlrange",
        "actuator_forcerange", "actuator_lengthrange",
    ),
    "tendon": ("tendon_range", "tendon_stiffness", "tendon_damping", "tendon_armature", "tendon_frictionloss"),
    "equality": ("eq_data", "eq_solref", "eq_solimp"),
}  # fmt: skip
"""Compiled fields by the kind of element that a row belongs to."""
DOF_FIELDS = ("dof_armature", "dof_damping", "dof_frictionloss")
LARGEST = 1e10
"""Beyond this a number is as good as infinite: the engine's own bound, mjMAXVAL."""


@contextmanager
def quiet() -> Iterator[None]:
    """The engine's warnings go neither to the screen nor into a log file of its own."""
    before, silent = mujoco.MjLogConfig.get(), mujoco.MjLogConfig.get()
    silent.logto_console = silent.logto_file = False
    silent.set()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        before.set()


def compiled(spec: mujoco.MjSpec, path: Path, problems: list[str] | None = None) -> mujoco.MjModel:
    """The model of a spec, all its numbers finite.

    Inertias that no body can have are evened out, as the compiler's ``balanceinertia`` does, and told in ``problems``.

    Raises:
        RobotError: it does not compile, or has a number that is not finite.
    """
    try:
        with quiet():
            model = _compile(spec, path, problems)
    except (ValueError, RuntimeError, TypeError, mujoco.FatalError) as error:
        raise RobotError(path, f"does not compile: {reason(error)}") from None
    refuse_non_finite(model, path)
    return model


def _compile(spec: mujoco.MjSpec, path: Path, problems: list[str] | None) -> mujoco.MjModel:
    try:
        return spec.compile()
    except ValueError as error:
        text = " ".join(str(error).split())
        if "inertia must satisfy" not in text or spec.compiler.balanceinertia:
            raise
        spec.compiler.balanceinertia = True
        if problems is not None:
            problems.append(f"an inertia violates the triangle inequality and was evened out ({text})")
        return spec.compile()


def reason(error: BaseException) -> str:
    """What the engine says, in one line."""
    text = " ".join(str(error).split())
    return "the engine failed without a reason, as it does where memory ends" if "unknown exception" in text else text


def refuse_non_finite(model: mujoco.MjModel, path: Path) -> None:
    """Raises RobotError for the first number of a model that is not finite, naming its element."""
    for kind, fields in CHECKED.items():
        for field in fields:
            values = np.asarray(getattr(model, field), dtype=float)
            if not values.size:
                continue
            values = values.reshape(len(values), -1)
            # A bound beyond all reason is none, which is how files write "unlimited".
            limit = np.inf if "range" in field else LARGEST
            wrong = ~np.isfinite(values) | (np.abs(values) > limit)
            if wrong.any():
                row, column = np.argwhere(wrong)[0]
                name = getattr(model, kind)(int(row)).name or f"number {row}"
                raise RobotError(path, f"{kind} {name!r} has the {field.split('_', 1)[1]} {values[row, column]}")
    for field in DOF_FIELDS:
        values = getattr(model, field)
        if not np.isfinite(values).all():
            dof = int(np.argmin(np.isfinite(values)))
            name = model.joint(int(model.dof_jntid[dof])).name
            raise RobotError(path, f"joint {name!r} has the {field.split('_', 1)[1]} {values[dof]}")
    for field in ("mesh_vert", "qpos0"):
        if not np.isfinite(getattr(model, field)).all():
            raise RobotError(path, f"{'a mesh' if field == 'mesh_vert' else 'a joint'} has numbers that are not finite")
