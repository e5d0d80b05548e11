"""Device environments on a GPU: what Warp's CPU device cannot show."""

import pytest
import torch

pytest.importorskip("mujoco_warp", reason="needs the extra gpu")
if not torch.cuda.is_available():
    pytest.skip("needs a CUDA GPU", allow_module_level=True)

from embodied.envs.device_vector import DRAW_EVERY
from tests.envs.on_device import UnalikeShortFlat, autoreset, unreset
from tests.envs.short import actions_for

WORLDS, STEPS = 64, 12


@pytest.fixture(scope="module")
def env():
    made = autoreset(WORLDS, STEPS, device="cuda")
    yield made
    made.close()


def on_gpu(env, steps, seed=0):
    return [action.to(env.device) for action in actions_for(env, steps, seed)]


def warmed_up(env):
    """The first calls load kernels and record graphs, for which the GPU is waited for."""
    env.reset(seed=0)
    for action in on_gpu(env, 2 * DRAW_EVERY + 2):
        env.step(action)
    return env


@pytest.mark.parametrize("begun", ["drawn ahead", "begun in place"])
def test_steps_never_wait_for_the_gpu(env, begun):
    env = env if begun == "drawn ahead" else autoreset(WORLDS, STEPS, task=UnalikeShortFlat, device="cuda")
    warmed_up(env)
    actions = on_gpu(env, 2 * DRAW_EVERY)
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for action in actions:
            *_, info = env.step(action)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert info["finished"].device.type == "cuda"


def test_memory_does_not_grow(env):
    warmed_up(env)
    actions = on_gpu(env, DRAW_EVERY)
    sizes = []
    for _ in range(4):
        for action in actions:
            env.step(action)
        sizes.append(torch.cuda.memory_allocated())
    assert sizes[1] == sizes[2] == sizes[3]


def test_the_gpu_goes_where_the_cpu_device_goes(env):
    gpu, cpu = unreset(WORLDS, device="cuda"), unreset(WORLDS)
    gpu.load_state_dict({**cpu.state_dict(), "generator": gpu.generator.get_state()})
    for action in actions_for(cpu, 5):
        one, other = gpu.advance(action.to("cuda")), cpu.advance(action)
        torch.testing.assert_close(one.terms.cpu(), other.terms, rtol=1e-3, atol=1e-3)
        assert torch.equal(one.terminated.cpu(), other.terminated)
    difference = gpu.world.field("qpos").cpu() - cpu.world.field("qpos")
    assert difference.abs().max() < 1e-3
    gpu.close()
    cpu.close()


def test_a_state_is_restored_from_tensors_of_the_host(env):
    """As a checkpoint holds them. The engine itself repeats itself on a GPU only up to the order of its sums."""
    observation, *_ = warmed_up(env).step(on_gpu(env, 1)[0])
    state = {name: value.cpu() for name, value in env.state_dict().items()}
    env.reset(seed=4)
    restored = env.load_state_dict(state)
    assert torch.equal(restored["proprio"], observation["proprio"])
    assert torch.equal(env.world.state().cpu(), state["world"])
    again = {name: value.cpu() for name, value in env.state_dict().items()}
    assert all(torch.equal(again[name], state[name]) for name in ("steps", "sums", "generator", "pool/taken"))


def test_figures_are_looked_up_on_the_host(env):
    env.reset(seed=0)
    for action in on_gpu(env, STEPS):
        *_, info = env.step(action)
    episode = info["episode"]
    assert episode["world"].tolist() == list(range(WORLDS))
    assert episode["return"].device.type == episode["terms"]["forward"].device.type == "cpu"
    torch.testing.assert_close(episode["return"], info["episode_return"].cpu())
