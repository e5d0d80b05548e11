"""BucketEnv: one task played by several bodies of one topology at once, each in its own worlds of one device.

World w of W is of body w // (W / k). Bodies share nothing but what their topology fixes: each member has its model's
numbers, its starts, and what the task takes from its body.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from embodied.envs.device_env import DeviceEnv
from embodied.envs.device_starts import DeviceStartPool, DeviceStarts
from embodied.runs.errors import UserError
from embodied.scenes import Scene
from embodied.tasks import Task
from morphologies import Body

STARTS_EACH = 64
"""Starts drawn ahead of each member at once, at most."""


class BucketEnv(DeviceEnv):
    """See `DeviceEnv`."""

    def __init__(
        self, task: Task, bodies: Sequence[Body], worlds_each: int, device: str = "cuda", seed: int = 0
    ) -> None:
        """Compiles each body's scene, compares them, and makes the worlds.

        Args:
            task: must not serve another environment.
            bodies: k, one per member, of one topology and with their limbs in one order; see `morphologies.topology`.
            worlds_each: W / k.
            device: ``cuda``, ``cuda:N`` or ``warp-cpu``.
            seed: of everything random in here.

        Raises:
            NotOneModel: bodies that no one model can hold.
            UserError: a task that several bodies cannot play at once, a device that is not there, or one that cannot
                hold the model.
        """
        if not bodies:
            raise ValueError("a bucket has at least one body")
        self.members = len(bodies)
        """k."""
        self._bodies = bodies
        super().__init__(task, dict.fromkeys(task.agents, bodies[0]), len(bodies) * worlds_each, device, seed)

    def _scene(self, bodies: Mapping[str, Body]) -> Scene:
        from embodied.scenes.bucket import make_bucket  # it needs the extra gpu

        if self.task.body_constants is None:
            raise UserError(f"{_called(self.task)} does not say what it takes from its body, so only one can play it")
        constants = BodyConstants(self.task)
        self.bucket = make_bucket(self._scenes(constants))
        """What the members share, and where they differ."""
        constants.set()
        scene = self.bucket.scene
        if both := [name for name in scene.varying if name in self.bucket.fields]:
            raise UserError(
                f"{_called(self.task)} varies what its bodies differ in: {', '.join(both)}; only one body can play it"
            )
        scene.entities = {name: copy.copy(entity) for name, entity in scene.entities.items()}
        for name in self.task.agents:
            scene.entities[name].body = AllOf(self._bodies)  # type: ignore[assignment]
        return scene

    def _scenes(self, constants: BodyConstants) -> Iterator[Scene]:
        for body in self._bodies:
            scene = self.task.scene(dict.fromkeys(self.task.agents, body))
            constants.note()
            yield scene

    def _world(self, num_worlds: int) -> Any:
        from embodied.physics.gpu_limits import refuse_missing

        refuse_missing(self._device_name)
        from embodied.physics.gpu_members import MembersWorld

        bucket = self.bucket
        varied = (self.scene, bucket.fields, bucket.starts, num_worlds, self.scene.varying, self._device_name)
        return MembersWorld(*varied, bucket.room.contacts, bucket.room.constraints)

    def start_pool(self, size: int) -> BucketStartPool:
        """A pool of starts of every member; see `DeviceEnv.start_pool`."""
        each = min(self.num_worlds // self.members, STARTS_EACH)
        world = self._world(each * self.members)
        return BucketStartPool(copy.deepcopy(self._unstarted), self.scene, world, self.generator, self.members)


class BodyConstants:
    """What a task takes from each of several bodies when it makes their scenes."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._noted: list[dict[str, Any]] = []

    def note(self) -> None:
        """The task has just made one body's scene.

        Raises:
            UserError: it keeps something of its body that it does not name in `Task.body_constants`.
        """
        now = dict(vars(self._task))
        named = set(self._task.body_constants or ())
        for name, value in now.items():
            if name not in named and self._noted and not _same(value, self._noted[0].get(name)):
                raise UserError(
                    f"{_called(self._task)} keeps {name!r} of its body and does not name it in body_constants, so only "
                    "one body can play it"
                )
        self._noted.append({name: copy.copy(value) for name, value in now.items()})

    def set(self) -> None:
        """All bodies' scenes are made: the task gets a number for each of them."""
        for name in self._task.body_constants or ():
            setattr(self._task, name, tuple(float(noted[name]) for noted in self._noted))


class AllOf:
    """What several bodies have in common; asked for anything else, it refuses."""

    def __init__(self, bodies: Sequence[Body]) -> None:
        self._bodies = tuple(bodies)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        values = [getattr(body, name) for body in self._bodies]
        if not all(_same(value, values[0]) for value in values):
            raise UserError(f"the task asks for {name!r} of its body, in which the bodies that play it differ")
        return values[0]


class BucketStartPool(DeviceStartPool):
    """A `DeviceStartPool` in which each member's worlds begin at starts of that member."""

    def __init__(self, task: Task, scene: Scene, world: Any, generator: torch.Generator, members: int) -> None:
        """See `DeviceStartPool`; the world is of a bucket, and its worlds are shared out among the members."""
        super().__init__(task, scene, world, generator)
        self._taken = torch.zeros(members, 1, dtype=torch.int64, device=world.device)
        self._each = world.num_worlds // members
        self._first = self._each * torch.arange(members, device=world.device).unsqueeze(1)

    def take(self, mask: Tensor) -> DeviceStarts:
        """A start for every world (W,); see `DeviceStartPool.take`."""
        assert self._starts is not None, "draw comes before take"
        wanted = mask.view(len(self._taken), -1)
        numbers = wanted.cumsum(dim=1) + self._taken
        self.reused += (wanted & (numbers > self._each)).sum()
        self._taken = numbers[:, -1:]
        return self._starts.rows(((numbers - 1).remainder_(self._each) + self._first).flatten())


def _same(one: Any, two: Any) -> bool:
    if one is two:
        return True
    try:
        return bool(one == two)
    except (TypeError, ValueError, RuntimeError):  # arrays are compared element by element
        return False


def _called(task: Task) -> str:
    return f"the task {getattr(task, 'name', type(task).__name__)}"
