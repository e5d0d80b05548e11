"""make: an environment from a task's and a body's name."""

from __future__ import annotations

from pathlib import Path

from embodied.envs.device_env import DeviceEnv
from embodied.envs.device_vector import DeviceVectorEnv
from embodied.envs.env import Env
from embodied.envs.foreign import ForeignEnv, is_foreign
from embodied.envs.vector import AutoresetEnv
from embodied.physics.devices import is_gpu_world
from embodied.runs.errors import UserError
from embodied.tasks import Task, find_task
from embodied.tasks.registry import load_plugins
from morphologies import Body, Genome, find_body


def make(
    task: str | Task,
    body: str | Path | Genome | Body | None = None,
    num_worlds: int = 1,
    device: str = "cpu",
    seed: int = 0,
    threads: int | None = None,
) -> AutoresetEnv:
    """A batched environment.

    Args:
        task: a registered name, or a Task made for this call; or an environment from elsewhere, ``gymnasium:<id>`` or
            ``dm_control:<domain>-<task>``, for which a `ForeignEnv` is returned: a `VectorEnv` without World and Task.
        body: a name, a genome file, a genome or a Body; by default the task's own.
        num_worlds: worlds stepped together.
        device: where they are simulated: "cpu", for which this is an `AutoresetEnv`; or "cuda", "cuda:1" and so on, or
            "warp-cpu", the same code without a GPU, for which it is a `DeviceVectorEnv` with the same attributes.
        seed: of everything random in the environment.
        threads: for the physics on "cpu"; by default all usable cores.

    Raises:
        UnknownTask, UnknownBody, GenomeError: what their names say.
        ValueError: no whole number of worlds or threads.
        UserError: a device that is not known, not there, or cannot hold the model; an environment from elsewhere that
            cannot be made, or a body or another device than the CPU for one.
    """
    on_device = is_gpu_world(device)
    for name, number in (("num_worlds", num_worlds), ("threads", 1 if threads is None else threads)):
        if not isinstance(number, int) or number < 1:
            raise ValueError(f"{name} must be a whole number of at least 1, not {number}")
    if isinstance(task, str) and is_foreign(task):
        if body is not None:
            raise UserError(f"{task} brings a body of its own; leave body out, or name one of our tasks")
        if on_device:
            raise UserError(f"environments from elsewhere are simulated on the CPU: leave the device {device} out")
        return ForeignEnv(task, num_worlds, seed)  # type: ignore[return-value]
    load_plugins()
    found = find_task(task)
    bodies = bodies_of(found, body)
    if on_device:
        return DeviceVectorEnv(DeviceEnv(found, bodies, num_worlds, device, seed))  # type: ignore[return-value]
    return AutoresetEnv(Env(found, bodies, num_worlds, seed, threads))


def bodies_of(task: Task, body: str | Path | Genome | Body | None) -> dict[str, Body]:
    """The same body for every agent of a task."""
    return dict.fromkeys(task.agents, find_body(task.default_body if body is None else body))
