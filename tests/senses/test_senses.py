"""Senses against MjData, and what observations promise while bodies flail."""

import itertools

import gymnasium
import mujoco
import numpy as np
import pytest
import torch

import embodied
from embodied.senses import ObservationSpec, Term
from morphologies import describe, find_body, random_genome

RANDOM = [random_genome(np.random.default_rng(seed)) for seed in (11, 12, 13)]


def flailing(body, num_worlds=4, steps=0, seed=0):
    env = embodied.make("flat", body, num_worlds=num_worlds, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    observation, _ = env.reset()
    for _ in range(steps):
        observation = env.step(random_actions(env, generator))[0]
    return env, observation, generator


def random_actions(env, generator):
    return torch.rand(env.num_worlds, *env.action_space.shape, generator=generator) * 2 - 1


@pytest.mark.parametrize("body", ["ant", "crab", "kangaroo", *RANDOM], ids=lambda b: b if isinstance(b, str) else "")
def test_observations_of_a_flailing_body_lie_in_their_space(body):
    env, observation, generator = flailing(body)
    space = env.observation_space
    assert space["proprio"].dtype == np.float32
    for _ in range(200):
        assert observation["proprio"].dtype == torch.float32
        rows = observation["proprio"].numpy()
        assert all(space.contains({"proprio": row}) for row in rows)
        observation, _, _, _, info = env.step(random_actions(env, generator))
        assert all(space.contains({"proprio": row}) for row in info["final_obs"]["proprio"].numpy())
    assert env.unhealthy_worlds == 0
    assert env.world.warnings == {}


@pytest.mark.parametrize("body", ["ant", "biped", "crab", "hound", "kangaroo", "tripod", *RANDOM])
def test_sizes_follow_from_hinges_and_limbs(body):
    env, observation, _ = flailing(body, num_worlds=2)
    figures = describe(find_body(body).spec().compile())
    size = 2 * figures.joints + 3 * figures.limbs + 16
    assert env.observation_space["proprio"].shape == (size,)
    assert observation["proprio"].shape == (2, size)
    assert env.action_space.shape == (figures.motors,)
    if body == "ant":
        assert size == 64


def test_readings_are_those_of_mjdata_at_a_fresh_start():
    """Straight after a reset all stages are computed, so plain MuJoCo gives every number."""
    env, observation, _ = flailing("kangaroo")
    check_readings(env, observation, forces=True)


def test_readings_are_those_of_mjdata_in_motion():
    env, observation, _ = flailing("kangaroo", steps=12)
    check_readings(env, observation, forces=False)


def check_readings(env, observation, forces):
    model = env.world.model
    places = env.observation_spec.slices("proprio")
    limbs = sum(model.body(b).name.startswith("robot/limb/") for b in range(model.nbody))
    hinges = [model.joint(j).name for j in range(model.njnt) if model.jnt_type[j] == mujoco.mjtJoint.mjJNT_HINGE]
    for world in range(env.num_worlds):
        now = env.world.data(world)
        data = mujoco.MjData(model)
        data.qpos[:], data.qvel[:] = now.qpos, now.qvel
        mujoco.mj_forward(model, data)
        root = data.body("robot/torso/0")
        velocity = np.zeros(6)
        mujoco.mj_objectVelocity(model, data, mujoco.mjtObj.mjOBJ_XBODY, root.id, velocity, 0)
        matrix = root.xmat.reshape(3, 3)
        ends = [matrix.T @ (data.site(f"robot/limb/end/{i}").xpos - root.xpos) for i in range(limbs)]
        expected = {
            "joint_pos": [data.joint(name).qpos[0] for name in hinges],
            "joint_vel": [data.joint(name).qvel[0] for name in hinges],
            "root_linear_velocity": velocity[3:],
            "root_angular_velocity": matrix.T @ velocity[:3],
            "gyro": matrix.T @ velocity[:3],
            "velocimeter": matrix.T @ velocity[3:],
            "limb_ends": np.ravel([end[:2] for end in ends]),
        }
        if forces:
            links = ["torso/0", *(f"limb/{i}" for i in range(limbs))]
            expected["accelerometer"] = data.sensor("robot/accelerometer").data
            expected["touch"] = [data.sensor(f"robot/touch/{link}").data[0] for link in links]
        else:
            assert {"accelerometer", "touch"} == places.keys() - expected.keys()
        for term, values in expected.items():
            np.testing.assert_allclose(
                observation["proprio"][world, places[term]], values, rtol=1e-5, atol=1e-6, err_msg=term
            )


def test_touch_is_the_sum_of_normal_forces_on_each_link():
    env, _, _ = flailing("crab", steps=40)
    model, touched = env.world.model, False
    env.world.forward()
    readings = env.observation_spec.read()["proprio"][:, env.observation_spec.slices("proprio")["touch"]]
    for world in range(env.num_worlds):
        now = env.world.data(world)
        data = mujoco.MjData(model)
        data.qpos[:], data.qvel[:], data.ctrl[:] = now.qpos, now.qvel, now.ctrl
        data.qacc_warmstart[:] = now.qacc_warmstart
        mujoco.mj_forward(model, data)
        expected = np.zeros(model.nbody)
        for i, contact in enumerate(data.contact):
            force = np.zeros(6)
            mujoco.mj_contactForce(model, data, i, force)
            for geom in contact.geom:
                expected[model.geom_bodyid[geom]] += force[0]
        # Zones reach 1 cm beyond the geoms, so every contact of a link lies in its own.
        np.testing.assert_allclose(readings[world], expected[1:], rtol=1e-3, atol=1e-3)
        touched |= bool(expected.any())
    assert touched


def test_a_body_in_free_fall_feels_nothing():
    env, _, _ = flailing("ant", num_worlds=1)
    env.world.reset()
    env.world.forward()
    readings, places = env.observation_spec.read()["proprio"][0], env.observation_spec.slices("proprio")
    for term in places.keys() - {"limb_ends"}:
        np.testing.assert_allclose(readings[places[term]], np.zeros(len(readings[places[term]])), atol=1e-9)


def test_the_specification_prints_a_table_of_every_term():
    env, _, _ = flailing("ant", num_worlds=1)
    lines = str(env.observation_spec).splitlines()
    assert lines[0].split() == ["group", "term", "columns", "shape", "unit", "frame", "limit", "noise"]
    assert [line.split()[1] for line in lines[1:]] == [
        "joint_pos",
        "root_linear_velocity",
        "root_angular_velocity",
        "joint_vel",
        "accelerometer",
        "gyro",
        "velocimeter",
        "touch",
        "limb_ends",
    ]
    columns = [tuple(map(int, line.split()[2].split(":"))) for line in lines[1:]]
    assert columns[0][0] == 0
    assert columns[-1][1] == 64
    assert all(one[1] == other[0] for one, other in itertools.pairwise(columns))
    for word in ("rad/s", "m/s²", "head", "world", "N"):
        assert any(word in line.split() for line in lines)


class Fixed:
    """A sense that reads numbers it was given."""

    def __init__(self, name, values, limit):
        self.values = torch.as_tensor(values, dtype=torch.float64)
        self.terms = (Term(name, self.values.shape[1], "m", limit),)

    def read(self):
        return self.values


def test_groups_are_laid_out_side_by_side_and_judged_each_by_its_limits():
    near = Fixed("near", [[0.5, 1.0], [0.5, -1.5], [0.0, 0.0], [float("nan"), 0.0]], 1.0)
    far = Fixed("far", [[5.0], [5.0], [-11.0], [0.0]], 10.0)
    spec = ObservationSpec({"one": [near, far], "two": [far]}, torch.device("cpu"))
    assert isinstance(spec.space, gymnasium.spaces.Dict)
    assert spec.space["one"].shape == (3,)
    np.testing.assert_array_equal(spec.space["one"].high, [1, 1, 10])
    np.testing.assert_array_equal(spec.space["one"].low, [-1, -1, -10])
    assert spec.slices("one") == {"near": slice(0, 2), "far": slice(2, 3)}
    observation = spec.read()
    assert observation["one"].dtype == torch.float32
    np.testing.assert_array_equal(observation["one"][1], [0.5, -1.5, 5.0])
    assert spec.outside(observation).tolist() == [False, True, True, True]
    inside = [spec.space.contains({name: g[i].numpy() for name, g in observation.items()}) for i in range(3)]
    assert inside == [True, False, False]


def test_an_observation_is_a_copy_that_later_steps_leave_alone():
    env, _, generator = flailing("ant", steps=3)
    observation = env.step(random_actions(env, generator))[0]["proprio"]
    kept = observation.clone()
    for _ in range(5):
        env.step(random_actions(env, generator))
    assert torch.equal(observation, kept)
