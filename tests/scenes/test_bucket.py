"""Buckets: several bodies' scenes as one model and a table of numbers."""

from dataclasses import replace

import mujoco
import numpy as np
import pytest

pytest.importorskip("mujoco_warp", reason="needs the extra gpu")

from embodied.physics.cpu import CpuWorld
from embodied.scenes import Scene
from embodied.scenes.arenas.flat import FlatArena
from embodied.scenes.bucket import NotOneModel, make_bucket
from morphologies import find_body
from tests.morphologies.kin import kin_bodies


def scene_of(body):
    return Scene(FlatArena(), {"robot": body})


@pytest.fixture(scope="module")
def scenes():
    return [scene_of(body) for body in kin_bodies()]


@pytest.fixture(scope="module")
def bucket(scenes):
    return make_bucket(scenes)


def test_each_row_is_what_mujoco_compiled_for_that_body_alone(bucket, scenes):
    assert bucket.members == 3
    for name in ("body_mass", "body_inertia", "body_invweight0", "dof_invweight0", "body_subtreemass", "actuator_acc0"):
        assert name in bucket.fields
    for name, rows in bucket.fields.items():
        for row, scene in zip(rows, scenes, strict=True):
            assert np.array_equal(row, getattr(scene.model, name)), name


def test_what_is_the_same_in_all_is_not_in_the_table(bucket, scenes):
    for name in ("geom_friction", "dof_damping", "dof_armature", "jnt_solimp"):
        assert name not in bucket.fields
        assert all(np.array_equal(getattr(scenes[0].model, name), getattr(each.model, name)) for each in scenes)


def test_default_states_hold_each_bodys_own_height(bucket, scenes):
    place = scenes[0].model.joint("robot/root").qposadr[0] + 1 + 2  # behind the time
    heights = [body.spawn_height for body in kin_bodies()]
    assert len(set(heights)) == 3
    assert np.allclose(bucket.starts[:, place], heights)


def test_a_bucket_of_one_shares_everything(scenes):
    alone = make_bucket(scenes[:1])
    assert alone.fields == {}
    assert np.array_equal(alone.scene.model.site_size, scenes[0].model.site_size)


def edited(body, edit):
    def spec():
        made = body.spec()
        edit(made)
        return made

    return replace(body, spec=spec)


def test_bodies_of_another_topology_are_refused(scenes):
    with pytest.raises(NotOneModel, match="cannot share a model: they differ in n"):
        make_bucket([scenes[0], scene_of(find_body("ant"))])


@pytest.mark.parametrize(
    ("field", "edit"),
    [
        ("geom_type", lambda spec: setattr(spec.geoms[0], "type", mujoco.mjtGeom.mjGEOM_ELLIPSOID)),
        ("geom_condim", lambda spec: setattr(spec.geoms[1], "condim", 1)),
        ("jnt_limited", lambda spec: setattr(spec.joints[2], "limited", mujoco.mjtLimited.mjLIMITED_FALSE)),
        ("exclude_signature|nexclude", lambda spec: spec.add_exclude(bodyname1="limb/0", bodyname2="limb/2")),
        ("actuator_damping", lambda spec: setattr(spec.actuators[0], "damping", [1.0, 0, 0])),
        ("sensor_cutoff", lambda spec: setattr(spec.sensors[0], "cutoff", 2.0)),
    ],
)
def test_a_field_that_worlds_share_is_named(scenes, field, edit):
    body = kin_bodies()[0]

    def fuller(spec):
        if field == "geom_type":
            spec.geoms[0].size = [0.1, 0.1, 0.1]
        edit(spec)

    with pytest.raises(NotOneModel, match=field):
        make_bucket([scenes[0], scene_of(edited(body, fuller))])


@pytest.mark.parametrize(
    ("name", "value"), [("jacobian", 1), ("impratio", 3.0), ("disableactuator", 2), ("o_margin", 0.1), ("cone", 1)]
)
def test_an_option_that_worlds_share_is_named(scenes, name, value):
    other = scene_of(kin_bodies()[1])
    setattr(other.model.opt, name, value)
    with pytest.raises(NotOneModel, match=f"opt.{name}"):
        make_bucket([scenes[0], other])


def test_an_option_that_worlds_need_not_share_is_in_the_table(scenes):
    other = scene_of(kin_bodies()[1])
    other.model.opt.gravity[2] = -1.6
    assert make_bucket([scenes[0], other]).fields["opt.gravity"].tolist() == [[0, 0, -9.81], [0, 0, -1.6]]


def test_a_site_of_another_size_that_is_no_touch_zone_is_refused(scenes):
    other = edited(kin_bodies()[0], lambda spec: setattr(spec.site("limb/end/1"), "size", [0.02, 0, 0]))
    with pytest.raises(NotOneModel, match="site 'robot/limb/end/1' is no touch zone"):
        make_bucket([scenes[0], scene_of(other)])


def test_touch_reads_the_same_in_a_zone_that_is_wide_enough_for_all(bucket, scenes):
    """Every force on the body is in either zone: on the CPU, bit for bit."""
    for scene in scenes:
        wide = scene_of(scene.entities["robot"].body)
        assert (wide.model.site_size <= bucket.scene.model.site_size).all()
        wide.model.site_size[:] = bucket.scene.model.site_size
        one, two = CpuWorld(scene, 4, threads=1), CpuWorld(wide, 4, threads=1)
        rng = np.random.default_rng(0)
        felt = 0.0
        for _ in range(40):
            controls = rng.uniform(-1, 1, (4, scene.model.nu))
            for world in (one, two):
                world.field("ctrl").numpy()[:] = controls
                world.step(4)
            assert np.array_equal(one.field("sensordata").numpy(), two.field("sensordata").numpy())
            felt += float(one.field("sensordata").numpy()[:, 9 : 9 + len(scene.entities["robot"].bodies)].sum())
        assert felt > 0
        one.close()
        two.close()
