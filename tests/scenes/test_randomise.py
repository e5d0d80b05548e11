"""Randomised physics: within bounds, around the model, and felt by the engine as mechanics says."""

from types import SimpleNamespace

import mujoco
import numpy as np
import pytest
import torch

from embodied.physics.cpu import CpuWorld
from embodied.scenes import Scene
from embodied.scenes.arenas.flat import FlatArena
from embodied.scenes.props import box
from embodied.scenes.randomise import VARYING, Randomiser, Ranges, randomisable
from morphologies import find_body

RANGES = Ranges()
TIMESTEP = 0.005
WORLDS = 200


def randomised(name, num_worlds, ranges=RANGES):
    body = randomisable(find_body(name), ranges, TIMESTEP)
    scene = Scene(FlatArena(), {"robot": body}, TIMESTEP, varying=VARYING)
    world = CpuWorld(scene, num_worlds, scene.varying, threads=1)
    entity = scene.entities["robot"]
    return SimpleNamespace(
        world=world,
        entity=entity,
        root=entity.bodies[0],
        view=entity.view(world),
        randomiser=Randomiser(entity, world, ranges),
        everywhere=torch.ones(num_worlds, dtype=torch.bool),
        parameters={name: value.numpy() for name, value in world.parameters.items()},
    )


@pytest.fixture(scope="module", params=["go1", "ant"])
def drawn(request):
    made = randomised(request.param, WORLDS)
    generator = torch.Generator().manual_seed(3)
    for _ in range(3):  # draws do not add up
        made.randomiser.draw(made.everywhere, generator)
    return made


def spread(values, low, high):
    """Whether values fill a range and stay in it: of 200 uniform draws some come within 5 % of either end."""
    margin = 0.05 * (high - low)
    assert low <= values.min() <= low + margin
    assert high - margin <= values.max() <= high


def test_draws_fill_their_ranges(drawn):
    model, parameters, root = drawn.world.model, drawn.parameters, drawn.root
    spread(parameters["geom_friction"][:, :, 0], 0.4, 1.25)
    assert np.ptp(parameters["geom_friction"][:, :, 0], axis=1).max() == 0.0
    spread(parameters["body_mass"][:, root] / model.body_mass[root], 0.85, 1.15)
    for axis in range(3):
        spread(parameters["body_ipos"][:, root, axis] - model.body_ipos[root, axis], -0.03, 0.03)
    for actuator in drawn.entity.actuators:
        spread(parameters["actuator_gainprm"][:, actuator, 0] / model.actuator_gainprm[actuator, 0], 0.9, 1.1)
    spread(parameters["actuator_delay"], 0.0, 0.02)


def test_inertia_goes_along_with_mass(drawn):
    parameters, model, root = drawn.parameters, drawn.world.model, drawn.root
    heavier = parameters["body_mass"][:, root] / model.body_mass[root]
    np.testing.assert_allclose(parameters["body_inertia"][:, root], model.body_inertia[root] * heavier[:, None])
    np.testing.assert_array_equal(
        parameters["body_mass"][:, root + 1 :], np.tile(model.body_mass[root + 1 :], (WORLDS, 1))
    )
    np.testing.assert_allclose(drawn.randomiser.mass(), parameters["body_mass"].sum(axis=1))


def test_position_gains_stay_those_of_a_spring():
    made = randomised("go1", 50)
    made.randomiser.draw(made.everywhere, torch.Generator().manual_seed(0))
    gain, bias = made.parameters["actuator_gainprm"], made.parameters["actuator_biasprm"]
    np.testing.assert_allclose(gain[:, :, 0], -bias[:, :, 1])
    spread(bias[:, :, 2] / made.world.model.actuator_biasprm[:, 2], 0.9, 1.1)


def test_only_masked_worlds_change_and_no_state():
    made = randomised("go1", 4)
    state = made.world.state()
    before = {name: value.copy() for name, value in made.parameters.items()}
    made.randomiser.draw(torch.tensor([False, True, False, True]), torch.Generator().manual_seed(0))
    assert torch.equal(made.world.state(), state)
    for name, value in made.parameters.items():
        np.testing.assert_array_equal(value[[0, 2]], before[name][[0, 2]])
        assert (value[[1, 3]] != before[name][[1, 3]]).any()


def test_a_worlds_draw_does_not_depend_on_the_mask():
    one, two = randomised("ant", 3), randomised("ant", 3)
    one.randomiser.draw(one.everywhere, torch.Generator().manual_seed(5))
    two.randomiser.draw(torch.tensor([False, True, False]), torch.Generator().manual_seed(5))
    for name in VARYING:
        np.testing.assert_array_equal(one.parameters[name][1], two.parameters[name][1])


def in_the_air(made):
    """Worlds high above the ground, to move freely."""
    made.world.field("qpos")[:, 2] = 50.0


def test_a_heavier_trunk_falls_alike_and_is_pushed_less():
    made = randomised("go1", 2)
    in_the_air(made)
    mass, root = made.parameters["body_mass"], made.root
    mass[1, root] *= 1.15
    made.parameters["body_inertia"][1, root] *= 1.15
    made.world.refresh_constants()
    made.world.field("xfrc_applied")[:, root, 0] = 60.0
    total = made.randomiser.mass()
    made.world.step(20)
    momentum = [
        (mass[w] * mujoco_body_velocity(made, w)[:, 0]).sum() for w in range(2)
    ]  # of all links along x: force times time
    np.testing.assert_allclose(momentum, 60.0 * 20 * TIMESTEP, rtol=1e-3)
    down = [(mass[w] * mujoco_body_velocity(made, w)[:, 2]).sum() / total[w] for w in range(2)]
    np.testing.assert_allclose(down, -9.81 * 20 * TIMESTEP, rtol=1e-3)


def mujoco_body_velocity(made, world):
    """(bodies, 3) Velocities of the links' centres of mass, by the engine's own reckoning in one MjData."""
    data = made.world.data(world)
    model = made.world._batch.get_model(world)
    found = np.zeros((model.nbody, 6))
    for body in range(1, model.nbody):
        mujoco.mj_objectVelocity(model, data, mujoco.mjtObj.mjOBJ_BODY, body, found[body], 0)
    return found[:, 3:]


@pytest.mark.parametrize("name", ["go1", "ant"])
def test_a_shifted_centre_of_mass_is_where_the_engine_has_it(name):
    made = randomised(name, 2)
    made.parameters["body_ipos"][1, made.root] += [0.03, -0.02, 0.01]
    made.world.refresh_constants()
    made.world.forward()
    shift = made.world.field("xipos")[1, made.root] - made.world.field("xipos")[0, made.root]
    np.testing.assert_allclose(shift, [0.03, -0.02, 0.01], atol=1e-12)


def test_friction_decides_how_far_a_box_slides():
    """At v it comes to rest after v²/(2 μ g), or a little less where it tips."""
    body = randomisable(find_body("ant"), RANGES, TIMESTEP)
    scene = Scene(
        FlatArena(),
        {"robot": body},
        TIMESTEP,
        varying=VARYING,
        places={"box": (3.0, 3.0)},
        props={"box": box(0.1, 2.0)},
    )
    world = CpuWorld(scene, 3, scene.varying, threads=1)
    randomiser = Randomiser(scene.entities["robot"], world, RANGES)
    randomiser.draw(torch.ones(3, dtype=torch.bool), torch.Generator().manual_seed(1))
    friction = world.parameters["geom_friction"][:, 0, 0].numpy()
    assert np.ptp(friction) > 0.2
    slider = scene.entities["box"].view(world)
    world.step(50)
    at = slider.root_pos[:, 0].clone()
    slider.root_velocity[:, 0] = 2.0
    world.step(300)
    np.testing.assert_allclose(slider.root_pos[:, 0] - at, 4.0 / (2 * friction * 9.81), rtol=0.12)


def test_contacts_of_a_robot_have_the_drawn_friction():
    made = randomised("go1", 3)
    made.randomiser.draw(made.everywhere, torch.Generator().manual_seed(2))
    made.world.step(100)
    for world in range(3):
        contacts = made.world.data(world).contact
        assert len(contacts.friction) >= 4
        assert set(contacts.friction[:, 0]) == {made.parameters["geom_friction"][world, 0, 0]}


def test_a_delay_holds_torques_back_by_that_many_substeps():
    made = randomised("ant", 5)
    in_the_air(made)
    made.parameters["actuator_delay"][:] = np.array([0.0, 0.005, 0.01, 0.015, 0.02])[:, None]
    actuator = made.entity.actuators[0]
    force = made.world.field("actuator_force")
    seen = []
    made.view.controls = torch.ones_like(made.view.controls)
    for _ in range(6):
        made.world.step(1)
        seen.append(force[:, actuator].clone().numpy() != 0.0)
    assert np.array(seen).argmax(axis=0).tolist() == [0, 1, 2, 3, 4]


def test_a_delayed_body_begins_as_if_it_had_held_its_pose():
    """Before the first command arrives the actuators hold the default pose, as they do without any delay."""
    made = randomised("go1", 2)
    made.parameters["actuator_delay"][:] = np.array([0.0, 0.02])[:, None]
    made.world.step(7)
    made.world.reset()
    made.view.act(torch.zeros(2, 12))
    for _ in range(5):
        made.world.step(1)
        np.testing.assert_allclose(made.view.joint_torque[0], made.view.joint_torque[1], rtol=1e-12)
    assert float((made.view.joint_pos - torch.from_numpy(made.entity.pose)).abs().max()) < 0.05


def test_stiffer_gains_pull_harder():
    made = randomised("go1", 2)
    in_the_air(made)
    made.parameters["actuator_delay"][:] = 0.0
    made.parameters["actuator_gainprm"][1, :, 0] *= 1.1
    made.parameters["actuator_biasprm"][1, :, 1] *= 1.1
    made.view.act(torch.full((2, 12), 0.4))
    made.world.step(1)
    # At rest 0.1 rad from the target: 3.5 N m for a gain of 35.
    np.testing.assert_allclose(made.view.joint_torque[0, 0], 3.5, rtol=1e-6)
    np.testing.assert_allclose(made.view.joint_torque[1], 1.1 * made.view.joint_torque[0], rtol=1e-6)
