import pytest

from embodied.bench.memory import MemoryHeld, bench_memory, slope
from embodied.learning.ppo import PPOConfig
from tests.bench.silence import Silent


def test_the_slope_leaves_out_what_comes_before_it_has_settled():
    steps = [0, 1_000_000, 2_000_000, 4_000_000, 6_000_000, 8_000_000, 10_000_000]
    steady = [100.0, 300.0, 400.0, 400.0, 400.0, 400.0, 400.0]
    assert slope(steps, steady) == pytest.approx(0.0, abs=1e-6)
    assert slope(steps, [0.5 * s / 1e6 for s in steps]) == pytest.approx(512.0)  # half a MiB is 512 KiB
    assert slope(steps[:2], steady[:2]) is None


def test_memory_is_looked_at_as_often_as_asked_for():
    config = MemoryHeld(steps=320, looks=5, worlds=4, threads=1, ppo=PPOConfig(rollout_steps=8, minibatch=16))
    figures = bench_memory(config, Silent())
    assert figures["steps"] == [0, 64, 128, 192, 256, 320]
    assert all(held > 1.0 for held in figures["resident_mib"])
