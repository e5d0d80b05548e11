"""Entities against MjData read by name."""

import re
from pathlib import Path

import mujoco
import numpy as np
import pytest
import torch

import embodied
from embodied.physics.cpu import CpuWorld
from embodied.scenes import Scene
from embodied.scenes.arenas.flat import FlatArena
from morphologies import Body, find_body

ROOTS = ("free", "planar", "fixed")


def flailing(root="free", num_worlds=3, steps=30, place=(1.0, -2.0), body="ant"):
    """A body with a root of some kind beside another one, in motion."""
    bodies = {"other": find_body("crab"), "robot": find_body(body, root=root)}
    scene = Scene(FlatArena(), bodies, places={"robot": place, "other": (-30.0, 0.0)})
    world = CpuWorld(scene, num_worlds)
    view = scene.entities["robot"].view(world)
    rng = np.random.default_rng(0)
    for _ in range(steps):
        view.controls = torch.from_numpy(rng.uniform(-1, 1, tuple(view.controls.shape)))
        world.step(4)
    return scene, world, view


def current(scene, world, i):
    data = world.data(i)
    now = mujoco.MjData(scene.model)
    now.qpos[:], now.qvel[:] = data.qpos, data.qvel
    mujoco.mj_forward(scene.model, now)
    return now


@pytest.mark.parametrize("root", ROOTS)
def test_poses_velocities_and_joints_are_those_of_mjdata(root):
    scene, world, view = flailing(root)
    model = scene.model
    entity = scene.entities["robot"]
    torso = model.body("robot/torso/0").id
    assert view.root_pose.shape == (3, 7)
    assert view.root_velocity.shape == (3, 6)
    for i in range(3):
        data = current(scene, world, i)
        np.testing.assert_allclose(view.root_pose[i, :3], data.body("robot/torso/0").xpos, atol=1e-12)
        np.testing.assert_allclose(view.root_pose[i, 3:], data.body("robot/torso/0").xquat, atol=1e-12)
        np.testing.assert_array_equal(view.root_pos[i], view.root_pose[i, :3])
        np.testing.assert_array_equal(view.root_quat[i], view.root_pose[i, 3:])
        seen_from_world, seen_from_body = np.zeros(6), np.zeros(6)
        mujoco.mj_objectVelocity(model, data, mujoco.mjtObj.mjOBJ_XBODY, torso, seen_from_world, 0)
        mujoco.mj_objectVelocity(model, data, mujoco.mjtObj.mjOBJ_XBODY, torso, seen_from_body, 1)
        np.testing.assert_allclose(view.root_velocity[i, :3], seen_from_world[3:], atol=1e-9)
        np.testing.assert_allclose(view.root_velocity[i, 3:], seen_from_body[:3], atol=1e-9)
        for k, name in enumerate(entity.joint_names):
            assert float(view.joint_pos[i, k]) == data.joint(f"robot/{name}").qpos[0]
            assert float(view.joint_vel[i, k]) == data.joint(f"robot/{name}").qvel[0]
        for k, name in enumerate(entity.link_names):
            np.testing.assert_allclose(view.link_pos[i, k], data.body(f"robot/{name}").xpos, atol=1e-12)
            np.testing.assert_allclose(view.link_quat[i, k], data.body(f"robot/{name}").xquat, atol=1e-12)
        for k, name in enumerate(entity.actuator_names):
            assert float(view.controls[i, k]) == world.data(i).actuator(f"robot/{name}").ctrl[0]
        for name in ("velocimeter", "gyro", "limb/end/0"):
            np.testing.assert_allclose(view.sensor(name)[i], data.sensor(f"robot/{name}").data, atol=1e-9)
    assert view.joint_vel.abs().max() > 0.1


def test_a_planar_root_moves_only_in_its_plane_and_a_fixed_one_not_at_all():
    _, _, planar = flailing("planar", place=(1.0, -2.0))
    pose = planar.root_pose
    np.testing.assert_allclose(pose[:, 1], -2.0, atol=1e-12)
    np.testing.assert_allclose(pose[:, [4, 6]], 0.0, atol=1e-12)
    np.testing.assert_array_equal(planar.root_velocity[:, [1, 3, 5]], np.zeros((3, 3)))
    assert (planar.root_velocity[:, [0, 2, 4]].abs() > 1e-3).any(dim=0).all()
    scene, _, fixed = flailing("fixed", place=(1.0, -2.0))
    height = find_body("ant").spawn_height
    np.testing.assert_allclose(fixed.root_pose, [[1.0, -2.0, height, 1, 0, 0, 0]] * 3, atol=1e-12)
    np.testing.assert_array_equal(fixed.root_velocity, np.zeros((3, 6)))
    assert scene.entities["robot"].root_joints == []


@pytest.mark.parametrize("root", ROOTS)
def test_the_origin_is_where_the_root_link_starts(root):
    _, _, view = flailing(root, place=(1.0, -2.0))
    np.testing.assert_allclose(view.origin, [1.0, -2.0, find_body("ant").spawn_height], atol=1e-12)


def test_joint_and_root_readings_are_live_views():
    _, world, view = flailing()
    joints, velocity, links = view.joint_pos, view.root_velocity, view.link_pos
    before = joints.clone(), velocity.clone(), links.clone()
    world.step(4)
    for old, live, again in zip(
        before, (joints, velocity, links), (view.joint_pos, view.root_velocity, view.link_pos), strict=True
    ):
        assert not torch.equal(old, live)
        assert torch.equal(live, again)


def test_controls_reach_only_their_own_entity():
    scene, world, view = flailing()
    other = scene.entities["other"].view(world)
    view.controls = torch.full((3, 12), 0.25)
    assert (view.controls == 0.25).all()
    assert (other.controls == 0).all()


@pytest.mark.parametrize("root", ROOTS)
def test_perturbing_stays_within_its_size_its_mask_and_its_entity(root):
    scene, world, view = flailing(root, num_worlds=4, steps=3)
    other = scene.entities["other"].view(world)
    mask = torch.tensor([True, False, True, False])
    before, beside = world.state(), other.joint_pos.clone()
    generator = torch.Generator().manual_seed(0)
    joints, speeds, velocity = view.joint_pos.clone(), view.joint_vel.clone(), view.root_velocity.clone()
    view.perturb(5e-3, mask, generator)
    assert torch.equal(world.state()[~mask], before[~mask])
    assert torch.equal(other.joint_pos, beside)
    for old, new in ((joints, view.joint_pos), (speeds, view.joint_vel), (velocity, view.root_velocity)):
        assert (new - old)[mask].abs().max() <= 5e-3
    assert ((view.joint_pos - joints)[mask] != 0).all()
    world.forward()
    for i in range(4):
        assert float(torch.linalg.vector_norm(view.root_quat[i])) == pytest.approx(1.0, abs=1e-12)


def test_perturbing_depends_on_the_generator_alone():
    ends = []
    for global_seed in (0, 1):
        torch.manual_seed(global_seed)
        _, world, view = flailing(steps=1)
        view.perturb(0.1, torch.tensor([True, True, False]), torch.Generator().manual_seed(5))
        ends.append(world.state())
    assert torch.equal(*ends)


def test_free_roots_can_be_put_where_the_mask_holds():
    _, world, view = flailing()
    before, velocity = view.root_pose, view.root_velocity.clone()
    quat = torch.tensor([0.5, 0.5, 0.5, 0.5])
    pose = torch.cat((torch.tensor([[3.0, 4.0, 1.0]] * 3), quat.expand(3, 4)), dim=1)
    mask = torch.tensor([False, True, False])
    view.set_root_pose(pose, mask)
    world.forward()
    np.testing.assert_allclose(view.root_pose[1], pose[1], atol=1e-12)
    np.testing.assert_allclose(view.root_pose[[0, 2]], before[[0, 2]], atol=1e-12)
    assert torch.equal(view.root_velocity, velocity)


@pytest.mark.parametrize("root", ["planar", "fixed"])
def test_other_roots_refuse_to_be_put_anywhere(root):
    _, _, view = flailing(root, steps=1)
    with pytest.raises(TypeError, match=root):
        view.set_root_pose(torch.zeros(3, 7), torch.ones(3, dtype=torch.bool))


def test_contacts_are_the_links_that_mujoco_found_touching():
    scene, world, view = flailing(steps=0)
    names = scene.entities["robot"].link_names
    seen = set()
    for _ in range(60):
        before = world.state()
        world.step(1)
        for i in range(3):
            # Touch is that of the substep just made, which began from the state before.
            data = world.data(i)
            mujoco.mj_setState(scene.model, data, before[i].numpy(), _state_kind(scene.model, before.shape[1]))
            mujoco.mj_forward(scene.model, data)
            touching = {
                scene.model.body(scene.model.geom_bodyid[geom]).name.removeprefix("robot/")
                for contact in data.contact
                if contact.efc_address >= 0 and data.efc_force[contact.efc_address] > 0
                for geom in contact.geom
            }
            found = {name for name, touches in zip(names, view.contacts[i].tolist(), strict=True) if touches}
            assert found <= touching
            seen |= found
    assert seen


def _state_kind(model, size):
    return next(
        kind
        for kind in (mujoco.mjtState.mjSTATE_FULLPHYSICS, mujoco.mjtState.mjSTATE_INTEGRATION)
        if mujoco.mj_stateSize(model, kind) == size
    )


def test_a_sensor_that_is_not_there_is_refused_with_those_that_are():
    _, _, view = flailing(steps=1)
    with pytest.raises(KeyError, match=r"smell.*gyro"):
        view.sensor("gyro", "smell")


def test_a_prop_without_joints_can_be_viewed_and_perturbed():
    def spec():
        spec = mujoco.MjSpec()
        spec.worldbody.add_body(name="block").add_geom(size=[0.1, 0, 0])
        return spec

    bodies = {"robot": find_body("ant"), "block": Body("block", spec, "fixed", 0.5)}
    scene = Scene(FlatArena(), bodies, places={"block": (5.0, 0.0)})
    world = CpuWorld(scene, 2)
    view = scene.entities["block"].view(world)
    view.perturb(0.1, torch.ones(2, dtype=torch.bool), torch.Generator().manual_seed(0))
    world.forward()
    assert view.joint_pos.shape == (2, 0)
    assert scene.entities["block"].control_range.shape == (0, 2)
    np.testing.assert_allclose(view.root_pos, [[5.0, 0.0, 0.5]] * 2, atol=1e-12)


def test_a_motor_without_limits_takes_one_unit_either_way():
    entity = Scene(FlatArena(), {"robot": find_body("ant")}).entities["robot"]
    np.testing.assert_array_equal(entity.control_range, [[-1.0, 1.0]] * 12)
    entity.model.actuator_ctrlrange[0] = [-0.25, 0.75]
    entity.model.actuator_ctrllimited[1] = 0
    entity.model.actuator_ctrlrange[1] = [0, 0]
    np.testing.assert_array_equal(entity.control_range[:2], [[-0.25, 0.75], [-1.0, 1.0]])


WITHOUT_WORLDS = ("bench", "export", "motion")
"""Rooms with models of their own: the bare engine as a yardstick, a bundle that runs without the framework, and the
kinematics of a robot by itself."""


def test_only_physics_and_scenes_read_the_engine_s_arrays():
    room = Path(embodied.__file__).parent
    forbidden = re.compile(r"\bq(pos|vel)\[|\.q(pos|vel)\b|[\"']q(pos|vel)[\"']")
    found = [
        f"{path.relative_to(room)}:{number}: {line.strip()}"
        for path in sorted(room.rglob("*.py"))
        if path.relative_to(room).parts[0] not in ("physics", "scenes", *WITHOUT_WORLDS)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if forbidden.search(line)
    ]
    assert found == []
