import pytest
import torch

from embodied.bench.gpu import BARE, ENVIRONMENT, PPO, RSL_RL, OnGpu, bench_gpu
from embodied.envs import make
from embodied.runs.errors import UserError
from tests.bench.silence import Silent

NO_GPU = "needs a GPU that torch can use; there is none"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so():
    with pytest.raises(UserError, match="cuda"):
        bench_gpu(OnGpu(worlds=4), Silent())


def test_the_bare_engine_makes_the_simulation_of_the_environment():
    pytest.importorskip("mujoco_warp", reason="MuJoCo Warp comes with the extra gpu")
    from embodied.bench.bare_warp import BareWarp

    env = make("flat", "ant", 4, "warp-cpu")
    bare = BareWarp(env)
    env.reset(0)
    bare.place(env)
    generator = torch.Generator().manual_seed(0)
    for _ in range(4):
        actions = 2.0 * torch.rand(4, env.action_space.shape[0], generator=generator) - 1.0
        *_, terminated, truncated, _ = env.step(actions)
        assert not (terminated | truncated).any()
        bare.step(actions)
    torch.testing.assert_close(bare.views["qpos"], env.world.field("qpos"), rtol=0.0, atol=1e-6)
    torch.testing.assert_close(bare.views["qvel"], env.world.field("qvel"), rtol=0.0, atol=1e-4)
    env.close()


@pytest.mark.slow
def test_every_layer_is_timed_on_warp_s_cpu_device():
    pytest.importorskip("mujoco_warp", reason="MuJoCo Warp comes with the extra gpu")
    _check(bench_gpu(OnGpu(worlds=8, device="warp-cpu", rollouts=2), Silent()))


@pytest.mark.skipif(not torch.cuda.is_available(), reason=NO_GPU)
def test_every_layer_is_timed_on_a_gpu():
    _check(bench_gpu(OnGpu(worlds=256, rollouts=2), Silent()))


def _check(figures):
    assert set(figures["steps_per_second"]) == {BARE, ENVIRONMENT, PPO, RSL_RL}
    assert set(figures["ratio_to_bare"]) == {ENVIRONMENT, PPO, RSL_RL}
    assert all(rate > 0 for rate in figures["steps_per_second"].values())
