"""make: an environment from a task's and a body's name."""

from __future__ import annotations

from pathlib import Path

from embodied.envs.env import Env
from embodied.envs.foreign import ForeignEnv, is_foreign
from embodied.envs.vector import AutoresetEnv
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
        device: where they are simulated; "cpu".
        seed: of everything random in the environment.
        threads: for the physics; by default all usable cores.

    Raises:
        UnknownTask, UnknownBody, GenomeError: what their names say.
        ValueError: a device that there is no World for.
        UserError: an environment from elsewhere that cannot be made, or a body for one.
    """
    if device != "cpu":
        raise ValueError(f"there is no World for the device {device!r} yet; use cpu")
    for name, number in (("num_worlds", num_worlds), ("threads", 1 if threads is None else threads)):
        if not isinstance(number, int) or number < 1:
            raise ValueError(f"{name} must be a whole number of at least 1, not {number}")
    if isinstance(task, str) and is_foreign(task):
        if body is not None:
            raise UserError(f"{task} brings a body of its own; leave body out, or name one of our tasks")
        return ForeignEnv(task, num_worlds, seed)  # type: ignore[return-value]
    load_plugins()
    found = find_task(task)
    return AutoresetEnv(Env(found, bodies_of(found, body), num_worlds, seed, threads))


def bodies_of(task: Task, body: str | Path | Genome | Body | None) -> dict[str, Body]:
    """The same body for every agent of a task."""
    return dict.fromkeys(task.agents, find_body(task.default_body if body is None else body))
