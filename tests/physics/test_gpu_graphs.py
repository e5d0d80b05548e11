"""Recorded steps: the same bits as plain ones, and always on the arrays that are in use."""

import gc
from types import SimpleNamespace

import pytest
import torch
import warp as wp

from embodied.physics import gpu_graphs
from embodied.physics.gpu import GpuWorld
from tests.physics.gpu_worlds import DEVICE, SUBSTEPS, ant, controls, drive, same, started


def test_recorded_steps_give_the_bits_of_plain_ones():
    plain, recorded = started(3, graphs=False), started(3, graphs=True)
    mask = torch.tensor([False, True, False])
    for world in (plain, recorded):
        world.field("sensordata")
    for step, action in enumerate(controls(60, 3)):
        for world in (plain, recorded):
            drive(world, action[None])
        same(plain.state(), recorded.state())
        if step % 20 == 10:
            for world in (plain, recorded):
                world.reset(mask)
                world.forward(mask)
                world.step(1)
            same(plain.field("sensordata"), recorded.field("sensordata"))
        if step % 20 == 0:  # temporary arrays of a recording must live as long as it does
            gc.collect()
            _ = [wp.full(1 << 16, 7.0) for _ in range(20)]
    assert (recorded.field("sensordata") > 0).any()
    assert plain.recordings == 0
    assert recorded.recordings == 4, "a step of 4, a step of 1, reset, forward"


def test_a_graph_is_recorded_at_the_second_call_and_then_kept():
    world = started(2)
    counts = []
    for _ in range(5):
        world.step(2)
        counts.append(world.recordings)
    assert counts == [0, 1, 1, 1, 1]
    world.step(3)
    world.step(3)
    assert world.recordings == 2
    world.step(2)
    assert world.recordings == 2


def test_graphs_hold_the_arrays_that_are_in_use_and_a_replaced_one_is_recorded_anew():
    world = GpuWorld(ant(), 2, device=DEVICE)
    graphs = world._graphs
    for _ in range(3):
        world.step(1)
    name = "step 1"
    in_use = [array.ptr for array in graphs.arrays()]
    held, data = world._held, world._data
    assert {data.qpos.ptr, data.efc.J.ptr, held.opt.gravity.ptr, held.body_mass.ptr} <= set(in_use)
    assert [array.ptr for array in graphs.recorded_with(name)] == in_use
    recordings, velocity = world.recordings, world.field("qvel")[:, 2].clone()
    world._held.opt.gravity = wp.array([[0.0, 0.0, 50.0]], dtype=wp.vec3)  # as any code that expands a field would
    world.field("qpos")[:, 2] = 10.0
    world.step(1)
    assert world.recordings == recordings + 1
    assert (world.field("qvel")[:, 2] > velocity + 0.2).all(), "the new array counts, not the one recorded first"
    assert [array.ptr for array in graphs.recorded_with(name)] == [array.ptr for array in graphs.arrays()]
    world.step(1)
    assert world.recordings == recordings + 1


def test_a_field_that_is_asked_for_late_is_looked_after_from_then_on():
    world = GpuWorld(ant(), 2, device=DEVICE)
    for _ in range(3):
        world.step(1)
    forces = world.field("cfrc_ext")
    world.field("qpos")[1, 0] = float("nan")
    for _ in range(3):
        world.step(1)
    assert forces.isfinite().all()


def test_garbage_is_not_collected_while_recording(monkeypatch):
    seen = []

    class Watched(wp.ScopedCapture):
        def __enter__(self):
            seen.append(gc.isenabled())
            return super().__enter__()

        def __exit__(self, *details):
            seen.append(gc.isenabled())
            return super().__exit__(*details)

    monkeypatch.setattr(gpu_graphs.wp, "ScopedCapture", Watched)
    world = GpuWorld(ant(), 1, device=DEVICE)
    world.step(SUBSTEPS)
    world.step(SUBSTEPS)
    assert seen == [False, False]
    assert gc.isenabled()


@pytest.mark.parametrize(
    ("pool", "driver", "able"),
    [
        (True, (12, 4), True),
        (True, (13, 0), True),
        (True, (12, 3), False),
        (False, (12, 8), False),
        (True, None, False),
    ],
)
def test_a_gpu_records_only_with_a_memory_pool_and_a_driver_that_is_new_enough(monkeypatch, pool, driver, able):
    monkeypatch.setattr(gpu_graphs.wp, "get_cuda_driver_version", lambda: driver)
    assert gpu_graphs.can_capture(SimpleNamespace(is_cpu=False, is_cuda=True, is_mempool_enabled=pool)) is able
