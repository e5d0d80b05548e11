"""Every task on a GPU: CUDA itself tells whether it was waited for."""

import pytest
import torch

pytest.importorskip("mujoco_warp", reason="needs the extra gpu")
if not torch.cuda.is_available():
    pytest.skip("needs a CUDA GPU", allow_module_level=True)

from embodied.envs.device_env import DeviceEnv
from embodied.tasks import find_task, task_names
from morphologies import find_body

WORLDS = 32


@pytest.mark.parametrize("name", task_names())
def test_no_control_step_and_no_reset_waits_for_the_gpu(name):
    task = find_task(name)
    env = DeviceEnv(task, {"robot": find_body(task.default_body)}, WORLDS, "cuda")
    actions = torch.rand(WORLDS, *env.action_space.shape, device="cuda") - 0.5
    mask = torch.arange(WORLDS, device="cuda") % 3 == 0
    env.reset(mask)
    env.advance(actions)  # the first calls load kernels and record graphs
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(4):
            env.advance(actions)
            env.reset(mask)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    now = env.advance(actions)
    assert all(bool(torch.isfinite(group).all()) for group in now.observation.values())
    assert not now.unhealthy.any()
    env.close()
