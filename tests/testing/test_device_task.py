"""Every task on a device: the same as on the CPU, and never waited for. And the check itself finds what is wrong."""

import numpy as np
import pytest
import torch

from embodied.tasks import find_task, task_names
from embodied.tasks.flat import Flat
from embodied.testing import check_device_task


@pytest.mark.parametrize("name", task_names())
def test_every_task_is_the_same_on_a_device_and_never_waited_for(name, monkeypatch):
    for pooled in ("variable", "manipulation", "escape"):
        monkeypatch.setattr(f"embodied.tasks.{pooled}.FIELDS", 2)  # quicker drawn, and enough to tell them apart
    check_device_task(lambda: find_task(name))


class ReadsBack(Flat):
    def rewards(self):
        terms = super().rewards()
        if bool((terms["forward"] > 0).any()):
            terms["forward"] = terms["forward"] * 1.0
        return terms


class ByMask(Flat):
    def begin(self, mask):
        self.memory["previous_x"][mask] = self._x[mask]


class InNumpy(Flat):
    def terminated(self):
        return torch.from_numpy(super().terminated().numpy() | np.zeros(3, dtype=bool))


class ConstantInAStep(Flat):
    def act(self, actions):
        super().act(actions * actions.new_tensor([1.0]))


class ConstantOfTheHost(Flat):
    def start(self, scene, world, generator):
        super().start(scene, world, generator)
        self._centre = torch.zeros(3)

    def metrics(self):
        return {"away": torch.linalg.vector_norm(self.head - self._centre, dim=-1)}


class MemoryOfTheHost(Flat):
    def start(self, scene, world, generator):
        super().start(scene, world, generator)
        self.memory["age"] = torch.zeros(world.num_worlds)


class DrawnOnTheHost(Flat):
    def reset(self, mask):
        super().reset(mask)
        chance = torch.rand(len(mask), generator=self.generator)
        self.robot.root_velocity[:, 0] += torch.where(mask, chance, 0.0)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (ReadsBack, "rewards of the task flat cannot be on a device"),
        (ByMask, "begin of the task flat cannot be on a device"),
        (InNumpy, "terminated of the task flat cannot be on a device"),
        (ConstantInAStep, "act of the task flat .* brings numbers to the device"),
        (ConstantOfTheHost, "metrics of the task flat cannot be on a device"),
        (MemoryOfTheHost, "memory age of the task flat is not on the device"),
        (DrawnOnTheHost, "reset of the task flat cannot be on a device"),
    ],
)
def test_what_waits_for_a_device_is_found(broken, said):
    with pytest.raises(AssertionError, match=said):
        check_device_task(broken, steps=2)


class SinglePrecision(Flat):
    """What does not differ on the CPU may on a device: thousandths lost against a million."""

    def rewards(self):
        return {"far": (self._x + 1e6) - 1e6}


class OtherOnADevice(Flat):
    def rewards(self):
        return {"kind": torch.full_like(self._x, float(self._x.dtype == torch.float32))}


@pytest.mark.parametrize(("broken", "term"), [(SinglePrecision, "far"), (OtherOnADevice, "kind")])
def test_what_differs_on_a_device_is_found(broken, term):
    with pytest.raises(AssertionError, match=f"the reward term {term} differs from the CPU's"):
        check_device_task(broken, steps=2)
