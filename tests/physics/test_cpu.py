"""The World against plain loops over MjData, bit for bit."""

import copy
import os

import mujoco
import numpy as np
import pytest
import torch

from embodied.physics.cpu import CpuWorld
from tests.physics.cpu_worlds import ANT, SUBSTEPS, TORSO, controls, drive, same, started, twins_of


@pytest.mark.parametrize("threads", [1, 2])
def test_stepping_is_bit_identical_to_a_loop_over_mjdata(threads):
    world = started(5, threads)
    for name in ("xpos", "xquat", "cvel", "sensordata"):
        world.field(name)
    twins = twins_of(world)
    touched = False
    for action in controls(40, 5):
        drive(world, action[None])
        for i, data in enumerate(twins):
            data.ctrl[:] = action[i]
            for _ in range(SUBSTEPS):
                mujoco.mj_step(ANT.model, data)
            np.testing.assert_array_equal(world.field("qpos")[i], data.qpos)
            np.testing.assert_array_equal(world.field("qvel")[i], data.qvel)
            assert float(world.field("time")[i].squeeze()) == data.time
            touched |= data.ncon > 0
    assert touched
    assert not world.unhealthy.any()
    assert world.warnings == {}


def test_after_a_step_positions_are_current_and_forces_are_those_of_the_last_substep():
    world = started(3)
    for name in ("xpos", "xquat", "cvel", "sensordata"):
        world.field(name)
    twins = twins_of(world)
    model = ANT.model
    late = [
        address
        for s in range(model.nsensor)
        for address in range(model.sensor_adr[s], model.sensor_adr[s] + model.sensor_dim[s])
        if model.sensor_needstage[s] == mujoco.mjtStage.mjSTAGE_ACC
    ]
    early = sorted(set(range(model.nsensordata)) - set(late))
    assert late
    assert early
    for action in controls(25, 3):
        drive(world, action[None])
        for i, data in enumerate(twins):
            data.ctrl[:] = action[i]
            for _ in range(SUBSTEPS):
                mujoco.mj_step(model, data)
            now = copy.copy(data)
            mujoco.mj_forward(model, now)
            np.testing.assert_array_equal(world.field("xpos")[i], now.xpos)
            np.testing.assert_array_equal(world.field("xquat")[i], now.xquat)
            np.testing.assert_array_equal(world.field("cvel")[i], now.cvel)
            np.testing.assert_array_equal(world.field("sensordata")[i, early], now.sensordata[early])
            np.testing.assert_array_equal(world.field("sensordata")[i, late], data.sensordata[late])


def test_a_stored_state_replays_bit_for_bit():
    world = started(4, threads=2)
    world.field("sensordata")
    actions = controls(30, 4)
    drive(world, actions[:10])
    stored, places = world.state(), world.field("xpos").clone()
    drive(world, actions[10:])
    end, readings = world.state(), world.field("sensordata").clone()
    world.set_state(stored)
    same(world.state(), stored)
    same(world.field("xpos"), places)
    drive(world, actions[10:])
    same(world.state(), end)
    same(world.field("sensordata"), readings)


def test_a_stored_state_replays_in_a_new_world_with_other_threads():
    world, other = started(4, threads=2), CpuWorld(ANT, 4, threads=1)
    actions = controls(20, 4)
    drive(world, actions[:10])
    other.set_state(world.state())
    drive(world, actions[10:])
    drive(other, actions[10:])
    same(world.state(), other.state())


def test_a_masked_set_state_brings_back_only_the_worlds_of_the_mask():
    world, free = started(4), started(4)
    mask = torch.tensor([True, False, False, True])
    actions = controls(20, 4)
    drive(world, actions[:5])
    drive(free, actions[:5])
    stored = world.state()
    drive(world, actions[5:10])
    drive(free, actions[5:10])
    world.set_state(stored, mask)
    same(world.state()[mask], stored[mask])
    same(world.state()[~mask], free.state()[~mask])
    drive(world, actions[10:15])
    drive(free, actions[10:15])
    same(world.state()[~mask], free.state()[~mask])
    # The restored worlds do what a World does that was never anywhere else.
    again = CpuWorld(ANT, 4, threads=1)
    again.set_state(stored)
    drive(again, actions[10:15])
    same(world.state()[mask], again.state()[mask])


def test_a_state_is_a_copy_and_one_of_another_shape_is_refused():
    world = started(2)
    stored = world.state()
    kept = stored.clone()
    drive(world, controls(2, 2))
    same(stored, kept)
    with pytest.raises(ValueError, match=r"\(3, "):
        world.set_state(torch.zeros(3, stored.shape[1], dtype=torch.float64))


def test_rows_of_states_can_be_taken_and_put_by_number():
    world, twin = started(4), started(4)
    actions = controls(12, 4)
    drive(world, actions[:5])
    drive(twin, actions[:5])
    rows = world.rows(torch.tensor([1, 3]))
    np.testing.assert_array_equal(rows, world.state()[[1, 3]])
    kept = rows.copy()
    drive(world, actions[5:7])
    np.testing.assert_array_equal(rows, kept)
    world.set_rows(torch.tensor([3, 1]), rows[::-1])
    world.set_rows(np.array([0, 2]), twin.state().numpy()[[0, 2]])
    drive(world, actions[5:])
    drive(twin, actions[5:])
    same(world.state(), twin.state())


@pytest.mark.parametrize("mask", [[False, True, False], [False, False, False], [True, True, True], [True, False, True]])
def test_masked_reset_and_forward_leave_the_other_worlds_untouched(mask):
    mask = torch.tensor(mask)
    world, twin = started(3), started(3)
    for each in (world, twin):
        for name in ("xpos", "sensordata", "cfrc_ext"):
            each.field(name)
        drive(each, controls(25, 3))
    world.reset(mask)
    world.forward(mask)
    fresh = CpuWorld(ANT, 3)
    for name in ("qpos", "qvel", "ctrl", "time", "xpos", "sensordata", "cfrc_ext"):
        same(world.field(name)[~mask], twin.field(name)[~mask])
    for name in ("qpos", "qvel", "ctrl", "time"):
        same(world.field(name)[mask], fresh.field(name)[mask])
    reference = mujoco.MjData(ANT.model)
    mujoco.mj_forward(ANT.model, reference)
    for i in mask.nonzero().flatten().tolist():
        np.testing.assert_array_equal(world.field("qpos")[i], ANT.model.qpos0)
        np.testing.assert_array_equal(world.field("xpos")[i], reference.xpos)
    more = controls(10, 3, seed=2)
    drive(world, more)
    drive(twin, more)
    same(world.state()[~mask], twin.state()[~mask])


def test_a_reset_world_repeats_its_first_episode():
    world = CpuWorld(ANT, 2)
    actions = controls(20, 2)
    drive(world, actions)
    first = world.state()
    world.reset()
    drive(world, actions)
    same(world.state(), first)


def test_forward_describes_what_was_written_without_advancing():
    world = started(2)
    world.field("xpos")
    world.field("qpos")[1, 0] = 7.5
    world.forward()
    assert float(world.field("xpos")[1, TORSO, 0]) == 7.5
    assert float(world.field("time").sum()) == 0.0


def test_views_are_live_both_ways():
    world = started(2)
    qpos, xpos = world.field("qpos"), world.field("xpos")
    before = xpos.clone()
    drive(world, controls(3, 2))
    assert qpos.data_ptr() == world.field("qpos").data_ptr()
    np.testing.assert_array_equal(qpos[1], world.data(1).qpos)
    assert not torch.equal(before, xpos)
    np.testing.assert_array_equal(xpos[:, TORSO], qpos[:, :3])
    qpos[0, 1] = 3.25
    assert world.data(0).qpos[1] == 3.25
    assert world.state()[0].eq(3.25).any()
    assert qpos.dtype == torch.float64


def test_a_field_bound_late_is_current_at_once():
    world = started(2)
    drive(world, controls(5, 2))
    before = world.state()
    same(world.field("xpos")[:, TORSO], world.field("qpos")[:, :3])
    same(world.state(), before)


def test_parameters_vary_per_world_and_only_there():
    world = started(3, varying=("body_mass",))
    plain = started(3)
    actions = controls(20, 3)
    limb = ANT.model.body("robot/limb/1").id
    world.parameters["body_mass"][1, limb] *= 3
    world.refresh_constants(torch.tensor([False, True, False]))
    heavy = copy.copy(ANT.model)
    heavy.body_mass[limb] *= 3
    mujoco.mj_setConst(heavy, mujoco.MjData(heavy))
    twin = twins_of(world, heavy)[1]
    drive(world, actions)
    drive(plain, actions)
    for action in actions:
        twin.ctrl[:] = action[1]
        for _ in range(SUBSTEPS):
            mujoco.mj_step(heavy, twin)
    np.testing.assert_array_equal(world.field("qpos")[1], twin.qpos)
    same(world.state()[[0, 2]], plain.state()[[0, 2]])
    assert not torch.equal(world.field("qpos")[1], plain.field("qpos")[1])
    world.reset()
    assert float(world.parameters["body_mass"][1, limb]) == heavy.body_mass[limb]


@pytest.mark.parametrize("exclude", [-1, TORSO])
def test_rays_hit_what_mj_ray_hits(exclude):
    world = started(3)
    drive(world, controls(5, 3))
    rng = np.random.default_rng(0)
    origins = torch.from_numpy(rng.uniform(-0.6, 0.6, (3, 40, 3))) + world.field("qpos")[:, None, :3]
    directions = torch.from_numpy(rng.normal(size=(3, 40, 3)))
    distance, geom = world.ray(origins, directions, exclude)
    assert distance.shape == geom.shape == (3, 40)
    for i in range(3):
        data = mujoco.MjData(ANT.model)
        data.qpos[:] = world.field("qpos")[i]
        mujoco.mj_kinematics(ANT.model, data)
        for k in range(40):
            found = np.zeros(1, np.int32)
            expected = mujoco.mj_ray(
                ANT.model, data, origins[i, k].numpy(), directions[i, k].numpy(), None, 1, exclude, found
            )
            assert float(distance[i, k]) == pytest.approx(expected, abs=1e-12)
            assert int(geom[i, k]) == found[0]
    assert (geom == ANT.model.geom("floor").id).any()
    assert (geom > 0).any()
    assert (distance == -1).any()
    torso_geom = ANT.model.geom("robot/torso/0").id
    assert bool((geom == torso_geom).any()) == (exclude == -1)


def test_casting_rays_does_not_change_what_follows():
    world, twin = started(2), started(2)
    actions = controls(10, 2)
    drive(world, actions[:5])
    drive(twin, actions[:5])
    world.ray(torch.zeros(2, 1, 3, dtype=torch.float64), torch.ones(2, 1, 3, dtype=torch.float64))
    drive(world, actions[5:])
    drive(twin, actions[5:])
    same(world.state(), twin.state())


@pytest.mark.parametrize("count", [0, -3])
def test_a_world_without_worlds_is_refused(count):
    with pytest.raises(ValueError, match=str(count)):
        CpuWorld(ANT, count)


def test_a_field_that_cannot_vary_is_refused_by_name():
    with pytest.raises(ValueError, match="body_weight"):
        CpuWorld(ANT, 2, varying=("body_mass", "body_weight"))


def test_closing_gives_the_threads_back():
    before = len(os.listdir("/proc/self/task"))
    world = started(4, threads=2)
    drive(world, controls(2, 4))
    world.close()
    assert len(os.listdir("/proc/self/task")) <= before
