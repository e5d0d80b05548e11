"""The World on Warp's CPU device, against MuJoCo itself and against its own promises."""

import mujoco
import numpy as np
import pytest
import torch

from embodied.physics.cpu import CpuWorld
from embodied.physics.devices import open_world, torch_device
from embodied.physics.gpu import GpuWorld
from embodied.runs.errors import UserError
from embodied.scenes.arenas.flat import FlatArena
from embodied.scenes.randomise import Ranges, randomisable
from morphologies import find_body
from tests.physics.gpu_worlds import DEVICE, SUBSTEPS, ant, controls, drive, elliptic, near, same, started


@pytest.fixture(scope="module")
def world():
    """One World that tests start anew; made once."""
    made = started(4)
    for name in ("xpos", "xquat", "cvel", "sensordata", "qacc", "qfrc_actuator"):
        made.field(name)
    yield made
    made.close()


@pytest.fixture
def begun(world):
    """The same World, just above the ground with velocities of its own."""
    world.reset()
    rng = np.random.default_rng(0)
    world.field("qpos")[:, 2] = 0.35
    world.field("qvel")[:] = torch.from_numpy(rng.uniform(-0.5, 0.5, (4, ant().model.nv)))
    return world


def test_devices_are_named_and_others_are_refused():
    assert [torch_device(name) for name in ("cpu", "cuda", "cuda:3", "warp-cpu")] == ["cpu", "cuda", "cuda:3", "cpu"]
    for wrong in ("gpu", "cuda:", "cuda:one", "mps", "warp", ""):
        with pytest.raises(UserError, match="devices are cpu, cuda"):
            open_world(ant(), 1, device=wrong)
    assert isinstance(open_world(ant(), 2, device="cpu", threads=1), CpuWorld)
    world = open_world(ant(), 2, device=DEVICE)
    assert isinstance(world, GpuWorld)
    assert world.device == torch.device("cpu")


def test_it_starts_in_the_state_that_the_cpu_world_starts_in():
    body = randomisable(find_body("go1"), Ranges(), 0.005)  # position actuators that hold a pose, with delays
    scene = elliptic(FlatArena(), body)
    assert scene.model.nhistory
    there, here = GpuWorld(scene, 2, device=DEVICE), CpuWorld(scene, 2)
    assert there.state().shape == here.state().shape
    near(there.state(), here.state(), 1e-6)
    for name in ("qpos", "ctrl", "history", "mocap_pos", "time", "xmat", "sensordata", "geom_xpos"):
        assert there.field(name).shape == here.field(name).shape
    moved = there.state() + 1.0
    there.set_state(moved)
    there.reset(torch.tensor([False, True]))
    near(there.state()[1], here.state()[1], 1e-6)
    same(there.state()[0], moved[0])


def test_fields_are_views_of_the_engines_own_memory(world):
    for name in ("qpos", "xpos", "xmat", "sensordata", "xfrc_applied"):
        assert world.field(name).data_ptr() == getattr(world._data, name).ptr
        assert world.field(name) is world.field(name)
    assert world.field("xmat").shape == (4, ant().model.nbody, 9)
    with pytest.raises(ValueError, match="no field 'ncon'"):
        world.field("ncon")


def test_after_a_step_positions_are_current_and_forces_are_those_of_the_last_substep(begun):
    model, data = ant().model, mujoco.MjData(ant().model)
    late = model.sensor_needstage == mujoco.mjtStage.mjSTAGE_ACC
    addresses = [
        np.concatenate([np.arange(model.sensor_adr[s], model.sensor_adr[s] + model.sensor_dim[s]) for s in kind])
        for kind in (np.flatnonzero(late), np.flatnonzero(~late))
    ]
    touched = False
    for action in controls(25, 4):
        drive(begun, action[None])
        for i in range(4):
            data.qpos[:], data.qvel[:] = begun.field("qpos")[i], begun.field("qvel")[i]
            mujoco.mj_forward(model, data)
            near(begun.field("xpos")[i], torch.from_numpy(data.xpos), 1e-6)
            near(begun.field("xquat")[i], torch.from_numpy(data.xquat), 1e-6)
            near(begun.field("cvel")[i], torch.from_numpy(data.cvel), 1e-5)
            near(begun.field("sensordata")[i, addresses[1]], torch.from_numpy(data.sensordata[addresses[1]]), 1e-5)
        before = begun.field("sensordata")[:, addresses[0]].clone()
        touched |= bool((before > 0).any())
        begun.set_state(begun.state())  # derives positions anew, and leaves forces alone
        same(begun.field("sensordata")[:, addresses[0]], before)
    assert touched
    assert not begun.unhealthy.any()


def test_a_stored_state_replays_bit_for_bit(begun):
    actions = controls(30, 4)
    drive(begun, actions[:10])
    stored, places = begun.state(), begun.field("xpos").clone()
    drive(begun, actions[10:])
    end, readings = begun.state(), begun.field("sensordata").clone()
    begun.set_state(stored)
    same(begun.state(), stored)
    same(begun.field("xpos"), places)
    drive(begun, actions[10:])
    same(begun.state(), end)
    same(begun.field("sensordata"), readings)


def test_masks_leave_the_other_worlds_bit_for_bit(begun):
    mask = torch.tensor([True, False, False, True])
    actions = controls(20, 4)
    drive(begun, actions[:10])
    stored = begun.state()
    drive(begun, actions[10:])
    late, readings = begun.state(), begun.field("sensordata").clone()
    begun.set_state(stored, mask)
    same(begun.state()[mask], stored[mask])
    same(begun.state()[~mask], late[~mask])
    begun.reset(mask)
    same(begun.state()[~mask], late[~mask])
    begun.forward(mask)
    same(begun.state()[~mask], late[~mask])
    same(begun.field("sensordata")[~mask], readings[~mask])
    assert not (begun.field("sensordata")[mask] == readings[mask]).all()
    data = mujoco.MjData(ant().model)
    data.qpos[:] = ant().model.key_qpos[0]
    mujoco.mj_forward(ant().model, data)
    near(begun.field("sensordata")[0], torch.from_numpy(data.sensordata), 1e-4)


def test_a_state_of_the_cpu_world_can_be_taken_over(begun):
    here = CpuWorld(ant(), 4)
    here.field("qvel")[:] = 0.3
    here.step(5)
    begun.set_state(here.state())
    near(begun.state(), here.state(), 1e-5)
    with pytest.raises(ValueError, match="the state has shape"):
        begun.set_state(here.state()[:, 1:])


@pytest.mark.parametrize("field", ["qpos", "qvel"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1e12])
def test_a_lost_world_is_ended_counted_and_started_anew_and_its_neighbours_never_notice(begun, field, value):
    counted = begun.warnings
    actions = controls(8, 4)
    drive(begun, actions[:3])
    stored = begun.state()
    drive(begun, actions[3:])
    undisturbed = begun.state()
    begun.set_state(stored)
    begun.field(field)[2, 4] = value
    drive(begun, actions[3:4])
    assert begun.unhealthy.tolist() == [False, False, True, False]
    met = {name: n - counted.get(name, 0) for name, n in begun.warnings.items() if n != counted.get(name, 0)}
    assert met["bad" + field] == 1
    assert begun.in_trouble
    for name in ("qpos", "qvel", "xpos", "cvel", "sensordata", "qacc", "qfrc_actuator", "qacc_warmstart"):
        assert begun.field(name).isfinite().all(), name
    near(begun.field("qpos")[2], torch.from_numpy(ant().model.key_qpos[0]), 1e-6)
    ended = begun.unhealthy
    drive(begun, actions[4:])
    assert not begun.unhealthy.any()
    assert ended.tolist() == [False, False, True, False], "what was handed out must not change"
    rest = torch.tensor([0, 1, 3])
    same(begun.state()[rest], undisturbed[rest])


def test_a_world_that_was_lost_moves_like_one_that_never_was(begun):
    begun.field("qpos")[1, :] = float("nan")
    begun.step(SUBSTEPS)
    begun.reset()
    actions = controls(40, 1).expand(40, 4, -1)  # long enough to fall and touch
    drive(begun, actions)
    assert (begun.field("sensordata") > 0).any()
    for other in (0, 2, 3):
        same(begun.state()[1], begun.state()[other])


def test_controls_that_are_no_numbers_are_unhealthy(begun):
    counted = begun.warnings.get("badctrl", 0)
    begun.field("ctrl")[0, 1] = float("nan")
    begun.step(SUBSTEPS)
    assert begun.unhealthy.tolist() == [True, False, False, False]
    assert begun.warnings["badctrl"] == counted + 1
    begun.reset(begun.unhealthy)
    begun.step(SUBSTEPS)
    assert not begun.unhealthy.any()


def test_too_few_constraint_rows_are_told_and_spare_the_neighbours():
    small, whole = started(3, constraints=2), started(3)
    ended = torch.zeros(3, dtype=torch.bool)
    for each in (small, whole):
        each.field("qpos")[0, 2] = 30.0  # in the air: it has no contacts, and its joints rest within their limits
        each.field("qvel")[0] = 0.0
    for _ in range(30):
        for each in (small, whole):
            each.step(SUBSTEPS)
        ended |= small.unhealthy
        assert not whole.unhealthy.any()
    assert ended.tolist() == [False, True, True]
    assert small.warnings["cnstrfull"] > 10
    assert set(small.warnings) == {"cnstrfull"}
    assert whole.warnings == {}
    same(small.state()[0], whole.state()[0])


def test_too_little_room_for_contacts_is_told():
    small = started(3, contacts=1, constraints=60)
    drive(small, torch.zeros(30, 3, ant().model.nu))
    assert small.unhealthy.all(), "room is pooled: whose contacts were dropped nobody knows"
    assert small.warnings["pairsfull"] > 10


def test_rays_are_those_of_the_cpu_world(begun):
    here = CpuWorld(ant(), 4)
    here.set_state(begun.state().double())
    begun.forward()
    here.forward()
    rng = np.random.default_rng(0)
    origins = torch.from_numpy(rng.normal(0, 0.4, (4, 30, 3)) + np.array([0, 0, 0.5]))
    directions = torch.from_numpy(rng.normal(0, 2, (4, 30, 3)))
    seen = set()
    for options in ({}, {"exclude": 1}, {"groups": [0]}, {"groups": [1, 2]}, {"exclude": 2, "groups": [1]}):
        there, expected = begun.ray(origins, directions, **options), here.ray(origins, directions, **options)
        near(there[0], expected[0], 1e-5)
        np.testing.assert_array_equal(there[1], expected[1])
        seen |= set(there[1].flatten().tolist())
    assert len(seen) > 4


def test_one_world_can_be_looked_at_on_the_host(begun):
    drive(begun, controls(5, 4))
    data = begun.data(3)
    near(begun.field("xpos")[3], torch.from_numpy(data.xpos), 1e-6)
    assert data.time == pytest.approx(5 * SUBSTEPS * ant().timestep, rel=1e-5)


def test_views_made_in_inference_mode_can_be_written_outside_it():
    world = GpuWorld(ant(), 1, device=DEVICE)
    with torch.inference_mode():
        world.field("qfrc_applied")
        world.step(1)
    world.field("qfrc_applied")[:] = 0.0
    world.step(1)


def test_closing_twice_does_nothing():
    world = GpuWorld(ant(), 1, device=DEVICE)
    world.close()
    world.close()


def test_there_is_at_least_one_world_and_room():
    with pytest.raises(ValueError, match="at least one world"):
        GpuWorld(ant(), 0, device=DEVICE)
    with pytest.raises(ValueError, match="room for contacts is 1 at least"):
        GpuWorld(ant(), 1, device=DEVICE, contacts=0)
