"""Three tasks played in the GPU's World, on Warp's CPU device: each step leads where the CPU's leads."""

import pytest
import torch

pytest.importorskip("mujoco_warp", reason="needs the extra gpu")

from embodied.envs import Env
from embodied.envs.device_env import DeviceEnv
from embodied.scenes.arrays import DeviceArrays, arrays_of
from embodied.tasks import find_task
from morphologies import find_body

HEIGHT = 5.0
"""m above the start: in the air both engines are at parity, whatever their contacts."""
TOLERANCE = 2e-3
"""Per 1 + the size of the number, after a control step from the same state."""


@pytest.fixture(scope="module", params=["flat", "variable", "velocity"])
def played(request):
    """The same task in either World."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("embodied.tasks.variable.FIELDS", 2)
        one, other = find_task(request.param), find_task(request.param)
    bodies = {"robot": find_body(one.default_body)}
    cpu, device = Env(one, bodies, 3, seed=1, threads=1), DeviceEnv(other, bodies, 3, "warp-cpu", seed=2)
    assert isinstance(arrays_of(device.world), DeviceArrays)
    yield cpu, device
    cpu.close()
    device.close()


def near(here, there, what):
    gap = (here.double() - there.double()).abs() / (1 + there.double().abs())
    assert float(gap.max()) < TOLERANCE, what


def test_a_task_is_the_same_in_either_world(played):
    cpu, device = played
    state = {name: value.clone() for name, value in cpu.state_dict().items()}
    for name, value in device.world.parameters.items():
        value.copy_(cpu.world.parameters[name])
    if device.world.parameters:
        device.world.refresh_constants()
    robot = cpu.scene.entities["robot"].view(cpu.world)
    robot.put(robot.root_pos + torch.tensor([0.0, 0.0, HEIGHT]), torch.ones(3, dtype=torch.bool))
    robot.root_velocity[:] += torch.tensor([0.5, -0.3, 2.0, 0.4, -0.6, 0.2])
    cpu.world.forward()
    chance = torch.Generator().manual_seed(0)
    for _ in range(5):
        device.world.set_state(cpu.world.state().float())
        device.generator.set_state(cpu.generator.get_state())
        for name, value in cpu.task.memory.items():
            device.task.memory[name].copy_(value)
        actions = torch.rand(3, *cpu.action_space.shape, generator=chance) - 0.5
        expected, now = cpu.advance(actions), device.advance(actions)
        assert device.term_names == cpu.term_names
        for name, here, there in zip(cpu.term_names, now.terms, expected.terms, strict=True):
            near(here, there, name)
        assert torch.equal(now.terminated, expected.terminated)
        for name, group in expected.observation.items():
            near(now.observation[name], group, name)
        measured = device.task.metrics()
        for name, value in cpu.task.metrics().items():
            near(measured[name], value, name)
    cpu.load_state_dict(state)


def test_a_reset_touches_the_worlds_of_its_mask_and_no_others(played):
    _, device = played
    device.advance(torch.zeros(3, *device.action_space.shape))
    before = {name: value.clone() for name, value in device.state_dict().items()}
    device.reset(torch.tensor([False, True, False]))
    after = device.state_dict()
    for name, value in before.items():
        if name != "generator":
            assert torch.equal(after[name][[0, 2]], value[[0, 2]]), name
    assert not torch.equal(after["world"][1], before["world"][1])
