"""What a Task promises that is to be played on a GPU as well; held to it without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import torch

from embodied.envs.make import bodies_of
from embodied.senses import DeviceObservationSpec
from embodied.tasks import Task
from embodied.testing.alongside import Alongside
from embodied.testing.device_rules import DeviceRules, Waited
from embodied.testing.meta_world import MetaWorld
from morphologies import Body

RESET_EVERY = 10
"""Control steps."""


def check_device_task(make_task: Callable[[], Task], body: str | Body | None = None, steps: int = 30) -> None:
    """Asserts that a task is the same on a device as on the CPU, and that no control step waits for the device.

    The task is played on the CPU; beside it a second one sees the same worlds in single precision, as on a device, and
    has to do, give and remember the same from the same states, actions, memory and chance. Then it is taken through a
    reset and a control step on a World that has shapes and no numbers, under `DeviceRules`.

    Args:
        make_task: gives a fresh task each time.
        body: as for `make`.
        steps: control steps to compare.
    """
    _check_numbers(make_task, body, steps)
    _check_waiting(make_task, body)


def _check_numbers(make_task: Callable[[], Task], body: str | Body | None, steps: int) -> None:
    both = Alongside(make_task, body)
    space = both.env.action_space
    low, high = torch.from_numpy(space.low), torch.from_numpy(space.high)
    generator = torch.Generator().manual_seed(0)
    masks = [torch.tensor([True, False, True]), torch.tensor([False, True, False])]
    for step in range(steps):
        if step % RESET_EVERY == 0:
            both.reset(masks[step // RESET_EVERY % 2])
        both.step(low + (high - low) * torch.rand(len(masks[0]), len(low), generator=generator))
    both.env.close()


def _check_waiting(make_task: Callable[[], Task], body: str | Body | None) -> None:
    task = make_task()
    scene = task.scene(bodies_of(task, body))
    world = MetaWorld(scene, 3)
    generator = torch.Generator()
    with _named(task, "start"):
        task.start(scene, world, generator)
    with _named(task, "senses"):
        spec = DeviceObservationSpec(task.senses(), world.device)
    mask = torch.empty(3, dtype=torch.bool, device="meta")
    actions = torch.empty(3, *task.action_space().shape, device="meta")
    calls: dict[str, Callable[[], object]] = {
        "reset": lambda: task.reset(mask),
        "begin": lambda: task.begin(mask),
        "act": lambda: task.act(actions),
        "rewards": task.rewards,
        "terminated": task.terminated,
        "the senses' read": lambda: spec.outside(spec.read()),
        "metrics": task.metrics,
    }
    for rules in (nullcontext(), DeviceRules()):  # what is called for the first time may prepare what it needs
        with rules:
            for name, call in calls.items():
                with _named(task, name):
                    call()
    for name, value in task.memory.items():
        assert value.device == world.device, f"memory {name} of the task {task.name} is not on the device of its World"
    world.close()


@contextmanager
def _named(task: Task, method: str) -> Iterator[None]:
    """Says of what goes wrong where that was."""
    try:
        yield
    except (Waited, RuntimeError, NotImplementedError, TypeError, ValueError) as error:
        raise AssertionError(f"{method} of the task {task.name} cannot be on a device: {error}") from error
