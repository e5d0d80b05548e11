"""Which device worlds run on, by a string, and the one door to either kind of World."""

from __future__ import annotations

import re
from collections.abc import Sequence

from embodied.physics.cpu import CpuWorld
from embodied.physics.world import SceneModel, World
from embodied.runs.errors import UserError

WARP_CPU = "warp-cpu"
"""The GPU World's code on Warp's CPU device: slow; to try it, and what is built on it, without a GPU."""
KNOWN = "cpu, cuda, cuda:N (the N-th GPU, from 0) and warp-cpu (the GPU code on the CPU: slow, for trying it)"


def check_device(device: str) -> str:
    """The device, if there is one of that name; says nothing on whether this machine has it.

    Raises:
        UserError: no such device.
    """
    if not re.fullmatch(r"cpu|cuda(:\d+)?|warp-cpu", device):
        raise UserError(f"there is no device {device!r}; devices are {KNOWN}")
    return device


def is_gpu_world(device: str) -> bool:
    """Whether worlds on the device are a `GpuWorld`, whose tensors are float32 and on the device."""
    return check_device(device) != "cpu"


def torch_device(device: str) -> str:
    """Where the tensors of worlds on the device lie, and networks that read them."""
    return device if check_device(device).startswith("cuda") else "cpu"


def open_world(
    scene: SceneModel,
    num_worlds: int = 1,
    varying: Sequence[str] = (),
    device: str = "cpu",
    threads: int | None = None,
) -> World:
    """Makes a World on a device.

    Args:
        scene: gives the model.
        num_worlds: how many.
        varying: names of model fields that get values per world.
        device: ``cpu``, ``cuda``, ``cuda:N`` or ``warp-cpu``.
        threads: native threads, on the CPU alone; by default as many as cores are usable.

    Raises:
        UserError: no such device, or the model cannot be held on it.
    """
    if not is_gpu_world(device):
        return CpuWorld(scene, num_worlds, varying, threads)
    from embodied.physics.gpu_limits import refuse_missing

    refuse_missing(device)
    from embodied.physics.gpu import GpuWorld

    return GpuWorld(scene, num_worlds, varying, device)
