"""Scenes against the models of their bodies alone."""

import dataclasses

import mujoco
import numpy as np
import pytest

from embodied.scenes import Scene
from embodied.scenes.arenas.flat import FlatArena
from morphologies import Body, Genome, Hinge, Limb, body_from_genome, find_body

HINGE = Hinge("y", (-30, 30), 150)


def overlapping_twins(root="free"):
    """A body whose twins start inside each other, so that their contact is excluded."""
    ends = Limb("end", 45, 90, 0.2, (HINGE,), mirrored=True)
    return body_from_genome(Genome(500, 500, (Limb("head", 180, 90, 0.2, (HINGE,), limbs=(ends,)),)), root=root)


def names(model, kind, count):
    return [mujoco.mj_id2name(model, kind, i) for i in range(count)]


def test_two_bodies_share_a_scene_with_their_names_as_prefixes():
    ant, crab = find_body("ant"), find_body("crab")
    scene = Scene(FlatArena(), {"left": ant, "right": crab}, places={"left": (0, 3), "right": (0, -3)})
    model = scene.model
    for name, body in (("left", ant), ("right", crab)):
        alone = body.spec().compile()
        entity = scene.entities[name]
        assert entity.link_names == names(alone, mujoco.mjtObj.mjOBJ_BODY, alone.nbody)[1:]
        assert entity.joint_names == names(alone, mujoco.mjtObj.mjOBJ_JOINT, alone.njnt)[1:]
        assert entity.actuator_names == names(alone, mujoco.mjtObj.mjOBJ_ACTUATOR, alone.nu)
        assert sorted(entity.sensors) == sorted(names(alone, mujoco.mjtObj.mjOBJ_SENSOR, alone.nsensor))
        for link in entity.link_names:
            assert model.body(f"{name}/{link}").mass[0] == alone.body(link).mass[0]
        np.testing.assert_array_equal(model.actuator_gear[entity.actuators], alone.actuator_gear)
    assert model.nu == 12 + crab.description.motors
    assert not set(scene.entities["left"].bodies) & set(scene.entities["right"].bodies)


def test_bodies_stand_at_their_places_at_spawn_height():
    ant, crab = find_body("ant"), find_body("crab", root="planar")
    scene = Scene(FlatArena(), {"a": ant, "b": crab, "c": ant}, places={"a": (1.5, -2), "b": (4, 2.5)})
    data = mujoco.MjData(scene.model)
    mujoco.mj_forward(scene.model, data)
    np.testing.assert_allclose(data.body("a/torso/0").xpos, [1.5, -2, ant.spawn_height], atol=1e-12)
    np.testing.assert_allclose(data.body("b/torso/0").xpos, [4, 2.5, crab.spawn_height], atol=1e-12)
    np.testing.assert_allclose(data.body("c/torso/0").xpos, [0, 0, ant.spawn_height], atol=1e-12)


@pytest.mark.parametrize("root", ["free", "planar", "fixed"])
def test_contact_excludes_survive_composition(root):
    """Defect 6 of the original: the excludes a body was accepted with were lost while it learned."""
    body = overlapping_twins(root)
    alone = body.spec().compile()
    scene = Scene(FlatArena(), {"a": body, "b": body}, places={"a": (0, 4), "b": (0, -4)})
    assert alone.nexclude >= 1
    assert scene.model.nexclude == 2 * alone.nexclude
    data = mujoco.MjData(scene.model)
    mujoco.mj_forward(scene.model, data)
    assert data.ncon == 0


def test_bodies_of_one_scene_touch_each_other():
    scene = Scene(FlatArena(), {"a": find_body("ant"), "b": find_body("ant")}, places={"b": (0.1, 0)})
    data = mujoco.MjData(scene.model)
    mujoco.mj_forward(scene.model, data)
    pairs = {
        frozenset(scene.model.body(scene.model.geom_bodyid[g]).name.split("/")[0] for g in contact.geom)
        for contact in data.contact
    }
    assert frozenset({"a", "b"}) in pairs


def test_time_steps_are_as_asked():
    scene = Scene(FlatArena(), {"robot": find_body("ant")}, timestep=0.002, decimation=5)
    assert scene.model.opt.timestep == scene.timestep == 0.002
    assert scene.control_dt == pytest.approx(0.01)


def test_composing_again_gives_the_same_model_and_leaves_the_first_alone():
    ant = find_body("ant")
    one, two = (Scene(FlatArena(), {"robot": ant}).model for _ in range(2))
    assert one is not two
    kept = one.body_mass.copy()
    two.body_mass[:] = 9.0
    np.testing.assert_array_equal(one.body_mass, kept)
    np.testing.assert_array_equal(Scene(FlatArena(), {"robot": ant}).model.body_mass, kept)


def test_a_place_for_a_body_that_is_not_there_is_refused_by_name():
    with pytest.raises(ValueError, match="robott"):
        Scene(FlatArena(), {"robot": find_body("ant")}, places={"robott": (1, 1)})


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_model_with_numbers_that_are_none_is_refused(number):
    def spec():
        spec = mujoco.MjSpec()
        body = spec.worldbody.add_body(name="torso/0", pos=[number, 0, 0])
        body.add_geom(size=[0.1, 0, 0])
        return spec

    with pytest.raises(ValueError):
        Scene(FlatArena(), {"robot": Body("broken", spec, "fixed", 1.0)})
    with pytest.raises(ValueError):
        Scene(FlatArena(), {"robot": dataclasses.replace(find_body("ant"), spawn_height=number)})


def test_the_floor_lies_at_zero_and_has_the_paper_s_friction():
    model = Scene(FlatArena(), {"robot": find_body("ant")}).model
    floor = model.geom("floor")
    assert floor.type[0] == mujoco.mjtGeom.mjGEOM_PLANE
    assert floor.pos[2] == 0
    np.testing.assert_array_equal(floor.friction, [0.7, 0.1, 0.1])
