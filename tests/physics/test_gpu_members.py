"""Several bodies in one GPU World, on Warp's CPU device: each moves as it does alone in MuJoCo."""

import mujoco
import numpy as np
import pytest
import torch

pytest.importorskip("mujoco_warp", reason="needs the extra gpu")

from warp._src import context

from embodied.physics.cpu import CpuWorld
from embodied.physics.gpu import GpuWorld
from embodied.physics.gpu_members import MembersWorld
from embodied.scenes import Scene
from embodied.scenes.arenas.flat import FlatArena
from embodied.scenes.arenas.obstacles import ObstacleArena
from embodied.scenes.bucket import make_bucket
from tests.morphologies.kin import kin_bodies

POSITION, VELOCITY = 2e-6, 2e-4
"""Largest difference of the engines, m or rad and those a second, after a control step from the same state."""


def round_scene(body):
    """Friction cones are elliptic: of pyramids, the engines choose other tangents."""
    scene = Scene(FlatArena(), {"robot": body})
    scene.model.opt.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    return scene


@pytest.fixture(scope="module")
def scenes():
    return [round_scene(body) for body in kin_bodies()]


@pytest.fixture(scope="module")
def bucket(scenes):
    return make_bucket(scenes)


def open_members(bucket, worlds=6, **fields):
    return MembersWorld(
        bucket.scene,
        {**bucket.fields, **fields},
        bucket.starts,
        worlds,
        (),
        "warp-cpu",
        bucket.room.contacts,
        bucket.room.constraints,
    )


@pytest.fixture(scope="module")
def world(bucket):
    made = open_members(bucket)
    yield made
    made.close()


def walk(world, scenes, controls):
    """Largest differences of positions and velocities from each body alone in MuJoCo, from the same states on."""
    alone = [CpuWorld(scene, 2, threads=1) for scene in scenes]
    world.reset()
    most, touched = {"qpos": 0.0, "qvel": 0.0}, 0
    for now in controls:
        state = torch.cat([each.state() for each in alone])
        world.set_state(state.float())
        world.field("ctrl").copy_(now)
        world.step(4)
        for each, part in zip(alone, now.split(2), strict=True):
            each.field("ctrl").copy_(part)
            each.step(4)
            touched += int(each.field("ncon").sum())
        for name in most:
            there = torch.cat([each.field(name) for each in alone]).float()
            most[name] = max(most[name], float((world.field(name) - there).abs().max()))
    for each in alone:
        each.close()
    return most["qpos"], most["qvel"], touched


def controls_for(world, steps):
    generator = torch.Generator().manual_seed(0)
    return torch.rand(steps, world.num_worlds, world.model.nu, generator=generator) * 2 - 1


def test_three_bodies_in_one_world_move_like_each_alone_in_mujoco(world, scenes):
    position, velocity, touched = walk(world, scenes, controls_for(world, 40))
    assert touched > 20
    assert position < POSITION
    assert velocity < VELOCITY


@pytest.mark.parametrize("name", ["body_mass", "body_inertia", "dof_invweight0", "actuator_gear", "geom_size"])
def test_each_bodys_own_numbers_are_what_moves_it(bucket, scenes, name):
    """With the first body's in place of them, the others' motion is another one."""
    same = np.repeat(bucket.fields[name][:1], bucket.members, axis=0)
    world = open_members(bucket, **{name: same})
    position, velocity, _ = walk(world, scenes, controls_for(world, 25))
    world.close()
    assert position > 5 * POSITION or velocity > 5 * VELOCITY, (position, velocity)


def test_a_body_of_the_same_size_needs_no_kernel_of_its_own(scenes, bucket):
    def lived(scene):
        room = (bucket.room.contacts, bucket.room.constraints)
        world = GpuWorld(scene, 2, device="warp-cpu", contacts=room[0], constraints=room[1])
        world.forward()
        for _ in range(2):
            world.step(4)
        world.close()
        return {name for name, module in context.user_modules.items() if module.execs}

    first, *others = scenes
    needed = lived(first)
    assert len(needed) > 20
    for other in others:
        assert lived(other) == needed


def test_a_reset_restores_each_members_own_default_state(world, bucket):
    start = torch.from_numpy(bucket.starts).float().repeat_interleave(2, dim=0)
    world.reset()
    assert torch.equal(world.state(), start)
    world.field("qpos").add_(1.0)
    world.reset(torch.tensor([False, True, False, False, True, True]))
    moved = (world.state() != start).any(dim=1)
    assert moved.tolist() == [True, False, True, True, False, False]


def test_worlds_that_broke_come_back_as_their_own_body(world, bucket):
    world.reset()
    world.field("qvel")[3] = float("nan")
    world.step(1)
    assert world.unhealthy.tolist() == [False, False, False, True, False, False]
    assert [each.get("badqvel") for each in world.member_warnings] == [None, 1, None]
    assert world.warnings["badqvel"] == 1
    place = 3  # the height, behind the time
    assert float(world.state()[3, place]) == pytest.approx(bucket.starts[1, place])


def test_nothing_is_derived_on_the_device(world, bucket):
    """What the host compiled comes back, bit for bit, after whatever the engine derives for parameters of a task."""
    assert world.parameters == {}
    world.refresh_constants()
    kept = world.data(4).model
    for name, rows in bucket.fields.items():
        assert np.array_equal(np.float32(getattr(kept, name)), np.float32(rows[2])), name


def test_a_world_as_mjdata_has_its_members_model(world, scenes):
    world.reset()
    data = world.data(5)
    expected = mujoco.MjData(scenes[2].model)
    mujoco.mj_resetDataKeyframe(scenes[2].model, expected, 0)
    mujoco.mj_forward(scenes[2].model, expected)
    assert np.allclose(data.qacc, expected.qacc, rtol=1e-4, atol=1e-4)
    assert np.allclose(data.xpos, expected.xpos, atol=1e-6)


def test_members_may_differ_in_an_option_and_have_it_on_the_host_too(scenes):
    moons = [round_scene(body) for body in kin_bodies()[:2]]
    moons[1].model.opt.gravity[2] = -1.6
    world = open_members(make_bucket(moons), worlds=2)
    world.reset()
    for _ in range(3):  # through the recorded graph too
        world.step(1)
    fallen = world.field("qvel")[:, 2] / (3 * moons[0].timestep)
    assert fallen.tolist() == pytest.approx([-9.81, -1.6], rel=1e-3)
    assert world.data(1).model.opt.gravity[2] == pytest.approx(-1.6)
    world.close()


def test_what_never_moves_goes_where_the_task_puts_it_in_each_world():
    """A task may vary the places of boxes where its bodies, a single one, do not differ in any."""
    arena = ObstacleArena(ahead=12.0, half_width=3.0, count=4)
    bucket = make_bucket([Scene(arena, {"robot": kin_bodies()[0]})])
    room = (bucket.room.contacts, bucket.room.constraints)
    world = MembersWorld(bucket.scene, bucket.fields, bucket.starts, 2, arena.varying, "warp-cpu", *room)
    arena.draw(world, torch.ones(2, dtype=torch.bool), torch.Generator().manual_seed(0))
    boxes = arena.box_ids(bucket.scene.model)
    for _ in range(3):
        world.step(1)
    assert torch.equal(world.field("geom_xpos")[:, boxes], world.parameters["geom_pos"][:, boxes])
    world.close()


def test_worlds_must_be_shared_out_evenly_and_fields_have_one_master(bucket):
    with pytest.raises(ValueError, match="7 worlds cannot be shared out evenly among 3 members"):
        open_members(bucket, worlds=7)
    with pytest.raises(ValueError, match="the task varies what its bodies differ in: body_mass"):
        MembersWorld(bucket.scene, bucket.fields, bucket.starts, 3, ("body_mass",), "warp-cpu")
