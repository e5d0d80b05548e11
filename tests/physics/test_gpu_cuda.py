"""What only a CUDA device can show: graphs, streams, no waiting, and the same parity as on Warp's CPU device."""

import numpy as np
import pytest
import torch

from embodied.physics.gpu import GpuWorld
from embodied.scenes.arenas.flat import FlatArena
from embodied.scenes.arenas.legged import LeggedArena
from embodied.scenes.randomise import VARYING, Ranges, randomisable
from morphologies import find_body
from tests.physics.gpu_worlds import SUBSTEPS, ant, controls, elliptic
from tests.physics.test_parity import WORLDS, agree_on_height_fields, agree_on_level_ground

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")

MANY = 512


def begun(scene=None, seed=0, **options):
    scene = scene or ant()
    world = GpuWorld(scene, MANY, scene.varying, "cuda", **options)
    world.field("sensordata")
    rng = np.random.default_rng(seed)
    world.field("qpos")[:, 2] = 0.35
    world.field("qvel").copy_(torch.from_numpy(rng.uniform(-0.5, 0.5, (MANY, scene.model.nv))))
    return world


def drive(world, actions):
    for action in actions:
        world.field("ctrl").copy_(action)
        world.step(SUBSTEPS)


def test_recorded_steps_do_what_plain_ones_do():
    plain, recorded = begun(graphs=False), begun(graphs=True)
    for action in controls(10, MANY).cuda():
        for world in (plain, recorded):
            drive(world, action[None])
    assert plain.recordings == 0
    assert recorded.recordings >= 1
    # Threads add up in any order: bits may differ, and a little grows with time.
    apart = (plain.field("qpos") - recorded.field("qpos")).abs().amax(dim=1)
    assert apart.median() < 1e-5
    assert apart.max() < 1e-2


def test_a_deterministic_world_repeats_every_bit():
    ends = []
    for _ in range(2):
        world = begun(deterministic=True)
        drive(world, controls(40, MANY).cuda())
        ends.append(world.state())
        world.close()
    assert torch.equal(*ends)


def test_nothing_of_a_control_step_waits_for_the_gpu():
    scene = elliptic(FlatArena(), randomisable(find_body("ant"), Ranges(), 0.005), VARYING)
    world = begun(scene)
    mask = torch.arange(MANY, device="cuda") % 7 == 0
    stored, actions = world.state(), controls(4, MANY).cuda()
    rays = torch.rand(MANY, 5, 3, device="cuda")

    def step(action):
        drive(world, action[None])
        world.reset(mask | world.unhealthy)
        world.parameters["body_mass"].mul_(1.0)
        world.refresh_constants(mask)
        world.set_state(stored, mask)
        world.forward(mask)
        world.ray(rays, rays)

    for action in actions[:3]:  # kernels are loaded, graphs recorded
        step(action)
    torch.cuda.synchronize()
    before = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode("error")
    try:
        step(actions[3])
    finally:
        torch.cuda.set_sync_debug_mode(before)


def test_steps_keep_their_order_with_torch_on_any_stream():
    plain, aside = begun(deterministic=True), begun(deterministic=True)
    actions = controls(20, MANY).cuda()
    drive(plain, actions)
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        drive(aside, actions)
        end = aside.state()
    stream.synchronize()
    assert torch.equal(end, plain.state())


def test_a_lost_world_is_noted_on_the_device():
    world = begun()
    drive(world, controls(3, MANY).cuda())
    world.field("qvel")[7, 3] = float("nan")
    world.step(SUBSTEPS)
    assert world.unhealthy.device.type == "cuda"
    assert world.unhealthy.nonzero().flatten().tolist() == [7]
    assert world.warnings["badqvel"] == 1
    assert world.field("qpos").isfinite().all()


def test_memory_does_not_grow_with_steps():
    world = begun()
    actions = controls(1, MANY).cuda()
    for _ in range(20):
        drive(world, actions)
    torch.cuda.synchronize()
    free = torch.cuda.mem_get_info()[0]
    for _ in range(500):
        drive(world, actions)
    torch.cuda.synchronize()
    assert free - torch.cuda.mem_get_info()[0] < 1 << 20


def test_both_worlds_agree_on_a_plane():
    agree_on_level_ground(elliptic(FlatArena(), find_body("ant")), times=3, device="cuda")


def test_both_worlds_agree_on_rough_ground():
    arena = LeggedArena(kinds=("rough",), levels=2, size=6.0, cell=0.1, border=2.0)
    places = torch.from_numpy(np.random.default_rng(0).uniform(-2, 2, (WORLDS, 2)))
    agree_on_height_fields(arena, find_body("ant"), places, [1] * WORLDS, device="cuda")
