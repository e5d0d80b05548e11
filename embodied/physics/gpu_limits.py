"""What a GPU World cannot hold, refused with the reason before anything is allocated; asking needs no GPU."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Sequence

import mujoco

from embodied.runs.errors import UserError

MOST_DENSE = 60
"""Degrees of freedom that the engine's dense solver takes."""
OLDEST = (3, 17)
"""MuJoCo Warp that first batches single model fields and tells of overflows world by world."""
INSTALL = "pip install 'embodied[gpu]'"


def refuse_missing(device: str) -> None:
    """Refuses a device whose libraries or hardware are not there.

    Raises:
        UserError: what to install, or which devices there are.
    """
    missing = [name for name in ("mujoco_warp", "warp") if importlib.util.find_spec(name) is None]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise UserError(f"device {device} needs {' and '.join(missing)}, which {verb} not installed: {INSTALL}")
    start_warp()
    trouble = version_trouble(importlib.metadata.version("mujoco"), importlib.metadata.version("mujoco-warp"))
    if trouble:
        raise UserError(f"device {device} cannot be used: {trouble}")
    if device.startswith("cuda"):
        _refuse_missing_gpu(device)


def version_trouble(engine: str, warp_engine: str) -> str | None:
    """Why these versions of MuJoCo and MuJoCo Warp do not go together; None where they do."""
    engine_version, warp_version = _numbers(engine), _numbers(warp_engine)
    if warp_version < OLDEST:
        return f"mujoco-warp {warp_engine} is older than {'.'.join(map(str, OLDEST))}; install a newer one: {INSTALL}"
    if engine_version[0] != warp_version[0]:
        return f"mujoco-warp {warp_engine} is not made for mujoco {engine}; install them together: {INSTALL}"
    return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


def _refuse_missing_gpu(device: str) -> None:
    import torch
    import warp as wp

    number = int(device.partition(":")[2] or 0)
    seen = wp.get_cuda_device_count()
    if seen == 0:
        raise UserError(f"no CUDA device was found for {device}; use --device cpu, or check the driver with nvidia-smi")
    if not torch.cuda.is_available():
        raise UserError(f"torch {torch.__version__} was built without CUDA, so it cannot use {device}; install another")
    if number >= min(seen, torch.cuda.device_count()):
        names = ", ".join(f"cuda:{i}" for i in range(seen))
        raise UserError(f"there is no {device} on this machine; it has {names}")


def start_warp() -> None:
    """Starts Warp without its announcing itself and every kernel that it loads; what it warns of is still said."""
    import warp as wp

    if wp.config.log_level == wp.LOG_INFO:
        wp.config.log_level = wp.LOG_WARNING
    wp.init()


def refuse_model(model: mujoco.MjModel) -> None:
    """Refuses a model that a GPU World cannot hold; what else MuJoCo Warp has not implemented, it says itself.

    Raises:
        UserError: which part of the model, and the way out where there is one.
    """
    opt = model.opt
    if model.nplugin:
        raise refusal("it has plugins, which run on the CPU alone")
    if opt.solver == mujoco.mjtSolver.mjSOL_PGS:
        raise refusal("its solver is PGS; choose Newton or CG")
    if model.nv > MOST_DENSE and opt.jacobian == mujoco.mjtJacobian.mjJAC_DENSE:
        raise refusal(
            f"it has {model.nv} degrees of freedom and a dense Jacobian, which goes to {MOST_DENSE}; "
            "choose jacobian auto or sparse"
        )
    if opt.enableflags & mujoco.mjtEnableBit.mjENBL_SLEEP:
        raise refusal("it lets bodies sleep, which a stored state does not tell of; disable the flag sleep")
    if model.nflex:
        raise refusal("it has flexible bodies, whose state between steps a World does not store")
    late = [model.sensor(i).name for i in range(model.nsensor) if model.sensor_history[i, 0] > 0]
    if late:
        raise refusal(f"sensors with a delay or interval are not read there after a step: {_some(late)}")


def refuse_varying(model: mujoco.MjModel, varying: Sequence[str]) -> None:
    """Refuses model fields that worlds of a GPU World cannot have of their own.

    Raises:
        ValueError: no field of that name varies on any device.
        UserError: it varies on the CPU alone, or would be ignored.
    """
    from mujoco.batch import MODEL_FIELDS

    unknown = [name for name in varying if name not in MODEL_FIELDS]
    if unknown:
        raise ValueError(f"model fields that cannot vary between worlds: {', '.join(unknown)}")
    batched = batched_fields()
    shared = [name for name in varying if name not in batched]
    if shared:
        raise UserError(f"on a GPU all worlds share these model fields, which vary on the CPU alone: {_some(shared)}")
    for names, present, reason in (
        (
            ("dof_damping", "dof_dampingpoly", "tendon_damping", "tendon_dampingpoly"),
            not _motor_damping(model),
            "motors",
        ),
        (("tendon_stiffness", "tendon_stiffnesspoly"), _any(model, "tendon_stiffness"), "zero"),
        (("tendon_damping", "tendon_dampingpoly"), _any(model, "tendon_damping"), "zero"),
        (("body_gravcomp",), _any(model, "body_gravcomp"), "zero"),
        (("opt.density", "opt.viscosity", "opt.wind"), bool(model.opt.density or model.opt.viscosity), "zero"),
    ):
        ignored = [name for name in names if name in varying and not present]
        if ignored and reason == "motors":
            raise UserError(f"on a GPU {_some(ignored)} cannot vary where actuators have damping of their own")
        if ignored:
            raise UserError(
                f"on a GPU {_some(ignored)} can vary only where the model has some of it; all of it is zero"
            )


def held_fields() -> dict[str, tuple[str, ...]]:
    """Model fields that the engine holds, ``opt.`` ones included, with shapes as it names them; () for numbers."""
    import dataclasses

    import mujoco_warp as mjw

    fields = {field.name: field.type for field in dataclasses.fields(mjw.Model)}
    fields |= {f"opt.{field.name}": field.type for field in dataclasses.fields(mjw.Option)}
    return {name: tuple(getattr(kind, "shape", ()) or ()) for name, kind in fields.items()}


def batched_fields() -> dict[str, tuple[str, ...]]:
    """Those that it holds world by world."""
    return {name: shape for name, shape in held_fields().items() if shape[:1] == ("*",)}


def _motor_damping(model: mujoco.MjModel) -> bool:
    return bool(model.actuator_damping.any() or model.actuator_dampingpoly.any())


def _any(model: mujoco.MjModel, name: str) -> bool:
    return bool(getattr(model, name).any())


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def refusal(reason: str) -> UserError:
    """That a model cannot run on a GPU, as an error."""
    return UserError(f"this model cannot run on a GPU: {reason}. On the CPU it can: --device cpu")
