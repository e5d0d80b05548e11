"""The velocity task in its worlds: what is sensed, asked, rewarded and ended, against the engine's own figures."""

import math

import mujoco
import numpy as np
import pytest
import torch

from embodied.envs import make
from embodied.runs.errors import UserError
from embodied.tasks.velocity import Velocity, falls_per_minute
from embodied.tasks.velocity_commands import commands_of
from embodied.testing import check_task
from morphologies import find_body


def made(num_worlds=4, body="go1", seed=0, **options):
    env = make(Velocity(**options), body, num_worlds, seed=seed, threads=1)
    env.reset(seed)
    return env, env.env.task


def zeros(env):
    return torch.zeros(env.num_worlds, *env.action_space.shape)


def noise(env, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return lambda: 0.5 * torch.randn(env.num_worlds, *env.action_space.shape, generator=generator)


@pytest.mark.parametrize("body", ["go1", "ant"])
@pytest.mark.parametrize("randomise", [True, False])
def test_the_contract(body, randomise):
    check_task(lambda: Velocity(randomise=randomise), body)


def test_the_contract_on_rough_ground():
    check_task(lambda: Velocity(terrain=("rough", "stairs_up")), "go1", steps=30)


def test_a_body_that_cannot_go_anywhere_is_refused():
    with pytest.raises(UserError, match="planar"):
        make(Velocity(), find_body("ant", root="planar"))


def test_groups_hold_what_they_say():
    env, _ = made()
    terms = {group: [term.name for term in found] for group, found in env.observation_spec.groups.items()}
    policy = ["gyro", "gravity", "command", "joint_deviation", "joint_vel", "last_action"]
    assert terms == {"policy": policy, "privileged": ["velocimeter", *policy, "foot_contacts"]}
    assert env.observation_space["policy"].shape == (3 * 3 + 3 * 12,)
    rough, _ = made(2, terrain="rough")
    assert rough.observation_spec.groups["privileged"][-1].shape == (17, 11)
    assert rough.observation_space["policy"] == env.observation_space["policy"]


def test_privileged_readings_are_the_engines_own():
    env, task = made()
    act = noise(env)
    for _ in range(15):
        observation = env.step(act())[0]
    slices = env.observation_spec.slices("privileged")
    for world in range(env.num_worlds):
        seen = {name: observation["privileged"][world, place].numpy() for name, place in slices.items()}
        data = mujoco.MjData(env.world.model)
        data.qpos[:], data.qvel[:] = env.world.field("qpos")[world], env.world.field("qvel")[world]
        mujoco.mj_forward(env.world.model, data)
        rotation = data.body("robot/trunk").xmat.reshape(3, 3)
        np.testing.assert_allclose(seen["gravity"], rotation.T @ [0, 0, -1], atol=1e-6)
        np.testing.assert_allclose(seen["gyro"], data.qvel[3:6], atol=1e-5)
        at_trunk = rotation.T @ data.qvel[:3]
        np.testing.assert_allclose(seen["velocimeter"], at_trunk, atol=1e-5)
        np.testing.assert_allclose(seen["joint_deviation"], data.qpos[7:] - env.world.model.key_qpos[0][7:], atol=1e-6)
        np.testing.assert_allclose(seen["joint_vel"], data.qvel[6:], atol=1e-5)
    assert torch.equal(
        observation["privileged"][:, slices["last_action"]].double(), task.memory["action"].float().double()
    )


def test_instruments_err_within_their_bounds():
    env, task = made(200)
    act = noise(env)
    for _ in range(3):
        observation = env.step(act())[0]
    policy, privileged = (env.observation_spec.slices(group) for group in ("policy", "privileged"))
    offsets = task.memory["encoder_offsets"].numpy()
    assert 0.014 < np.abs(offsets).max() <= 0.015

    def error(name):
        return (observation["policy"][:, policy[name]] - observation["privileged"][:, privileged[name]]).numpy()

    for name, bound, known in (
        ("gyro", 0.2, 0),
        ("gravity", 0.05, 0),
        ("joint_deviation", 0.01, offsets),
        ("joint_vel", 1.5, 0),
    ):
        off = error(name) - known
        assert 0.97 * bound < np.abs(off).max() <= bound * 1.001
        assert abs(off.mean()) < 0.1 * bound
    for name in ("command", "last_action"):
        assert np.all(error(name) == 0.0)


def test_rewards_of_a_played_step_by_hand():
    env, task = made(8, randomise=False)
    act = noise(env)
    action = before = None
    for _ in range(40):
        before, action = action, act()
        speeds = env.world.field("qvel")[:, 6:].numpy().copy()
        asked = task.memory["command"].numpy().copy()
        _, reward, terminated, _, info = env.step(action)
    assert not terminated.any()
    model, terms = env.world.model, {name: value.numpy() for name, value in info["terms"].items()}
    for world in range(8):
        data = env.world.data(world)
        rotation = data.body("robot/trunk").xmat.reshape(3, 3)
        velocity, turning = rotation.T @ data.qvel[:3], data.qvel[3:6]
        error = np.sum((asked[world, :2] - velocity[:2]) ** 2)
        expected = {
            "tracking_linear": 0.02 * math.exp(-4 * error),
            "tracking_angular": 0.01 * math.exp(-4 * (asked[world, 2] - turning[2]) ** 2),
            "vertical": -0.04 * velocity[2] ** 2,
            "roll_pitch": -0.001 * (turning[0] ** 2 + turning[1] ** 2),
            "tilt": -0.05 * (rotation[2, 0] ** 2 + rotation[2, 1] ** 2),
            "torque": -4e-6 * (12.0 / 12.012) ** 2 * np.sum(env.world.field("qfrc_actuator")[world, 6:].numpy() ** 2),
            "acceleration": -5e-9 * np.sum(((data.qvel[6:] - speeds[world]) / 0.02) ** 2),
            "action_rate": -2e-4 * np.sum((action - before)[world].double().numpy() ** 2),
        }
        for name, value in expected.items():
            assert terms[name][world] == pytest.approx(value, rel=1e-5, abs=1e-9), name
    assert reward.numpy() == pytest.approx(sum(terms.values()), abs=1e-6)
    assert model.opt.timestep * env.decimation == pytest.approx(0.02)


def test_joints_beyond_nine_tenths_of_their_range_cost():
    env, task = made(1, randomise=False)
    joint = task.robot.entity.joint_names.index("FR_hip_joint")  # -0.863 to 0.863: soft limits at 0.7767
    for _ in range(10):
        task.robot.root_pos[:, 2] = 5.0
        action = zeros(env)
        action[0, joint] = -(0.863 + 0.0) / 0.25 + 0.4  # towards the lower limit
        info = env.step(action)[4]
    beyond = -0.9 * 0.863 - float(task.robot.joint_pos[0, joint])
    assert beyond > 0.01
    assert float(info["terms"]["limits"]) == pytest.approx(-10.0 * 0.02 * beyond)


def lean(task, angle, height=2.0):
    """Puts robots in the air, leaning."""
    pose = torch.tensor([0.0, 0.0, height, math.cos(angle / 2), math.sin(angle / 2), 0.0, 0.0], dtype=torch.float64)
    task.robot.set_root_pose(
        pose.repeat(len(task.memory["steps"]), 1), torch.ones(len(task.memory["steps"]), dtype=torch.bool)
    )
    task.robot.root_velocity[:] = 0.0


@pytest.mark.parametrize(
    ("degrees", "ends"), [(0.0, False), (68.0, False), (-68.0, False), (72.0, True), (180.0, True)]
)
def test_leaning_beyond_70_degrees_ends_an_episode(degrees, ends):
    env, task = made(2, randomise=False)
    lean(task, math.radians(degrees))
    assert env.step(zeros(env))[2].tolist() == [ends] * 2


def test_a_trunk_on_the_ground_ends_an_episode_and_counts_as_a_fall():
    env, _ = made(2, randomise=False)
    folded = torch.zeros(2, 12)
    folded[:, 1::3] = (2.6 - 0.9) / 0.25
    folded[:, 2::3] = (-2.7 + 1.8) / 0.25
    for _ in range(100):
        _, _, terminated, _, info = env.step(folded)
        if terminated.any():
            break
    episode = info["episode"]
    assert terminated.any()
    assert set(episode["metrics"]["fall"].tolist()) == {1.0}
    assert episode["metrics"]["seconds"].tolist() == pytest.approx((episode["length"] * 0.02).tolist())


def test_standing_on_its_feet_is_no_contact_and_a_thigh_is():
    env, _ = made(1, randomise=False)
    for _ in range(50):
        info = env.step(zeros(env))[4]
    assert float(info["terms"]["contact"]) == 0.0
    assert env.step(zeros(env))[0]["privileged"][0, -4:].tolist() == [1.0] * 4
    kneeling = zeros(env)
    kneeling[0, 2::3] = (-2.7 + 1.8) / 0.25
    lowest = 0.0
    for _ in range(30):
        lowest = min(lowest, float(env.step(kneeling)[4]["terms"]["contact"]))
    assert lowest <= -0.02


def test_commands_fill_their_ranges_and_a_tenth_stands():
    commands = commands_of(np.random.default_rng(0).random((4000, 4)))
    standing = (commands == 0).all(axis=1)
    assert standing.mean() == pytest.approx(0.1, abs=3 * math.sqrt(0.09 / 4000))
    walking = commands[~standing]
    for column, bound in enumerate((1.0, 0.5, 1.0)):
        assert 0.99 * bound < walking[:, column].max() <= bound
        assert -bound <= walking[:, column].min() < -0.99 * bound
        assert walking[:, column].std() == pytest.approx(bound / math.sqrt(3), rel=0.03)


def test_commands_change_every_ten_seconds_and_are_seen_before_they_count():
    env, task = made(3, randomise=False)
    task.memory["steps"][1] += 200
    first = task.memory["command"].clone()
    place = env.observation_spec.slices("policy")["command"]
    changed = {}
    for step in range(1, 501):
        observation, _, _, _, info = env.step(zeros(env))
        now = task.memory["command"]
        assert torch.equal(observation["policy"][:, place].double(), now.float().double())
        for world in range(3):
            if world not in changed and not torch.equal(now[world], first[world]):
                changed[world] = step
                # What this step earned is still how the old command was followed.
                turning = task.robot.root_velocity[world, 5]
                error = float(first[world, 2] - turning)
                assert float(info["terms"]["tracking_angular"][world]) == pytest.approx(0.01 * math.exp(-4 * error**2))
    assert changed == {0: 500, 1: 300, 2: 500}


def test_pushes_come_every_eight_seconds_at_half_a_metre_a_second():
    env, task = made(16)
    act = zeros(env)
    pushed = {world: [] for world in range(16)}
    for step in range(850):
        before = task.robot.root_velocity[:, :2].clone()
        task.act(act)
        change = (task.robot.root_velocity[:, :2] - before).norm(dim=1)
        for world in change.nonzero().flatten().tolist():
            assert float(change[world]) == pytest.approx(0.5)
            pushed[world].append(step)
        env.world.step(env.decimation)
    for steps in pushed.values():
        assert len(steps) in (2, 3)
        assert steps[0] < 400
        assert set(np.diff(steps)) == {400}
    assert len({steps[0] for steps in pushed.values()}) > 8


def test_without_uncertainty_nobody_is_pushed_and_nothing_varies():
    env, task = made(2, randomise=False)
    assert env.world.parameters == {}
    before = task.robot.root_velocity.clone()
    for _ in range(450):
        task.act(zeros(env))
    assert torch.equal(task.robot.root_velocity, before)


def test_air_time_is_counted_from_lift_off_to_landing():
    _, task = made(1, randomise=False)
    down, up = np.ones((1, 4), dtype=bool), np.array([[False, True, True, True]])
    task._landings(down)
    task._landings(down)
    for _ in range(30):
        assert (task._landings(up) == 0.5).all()
    # Up for 30 steps; the first of them still counts as standing, and the landing step as flying.
    assert task._landings(down)[0].tolist() == pytest.approx([30 * 0.02, 0.5, 0.5, 0.5])
    assert (task._landings(down) == 0.5).all()
    task._landings(up)
    assert (task._landings(down) == 0.5).all(), "a bounce of one step is no landing"


def test_metrics_by_hand():
    env, task = made(3, randomise=False)
    act = noise(env)
    errors, turns, work, way = (np.zeros(3) for _ in range(4))
    for _ in range(60):
        asked = task.memory["command"].numpy().copy()
        env.step(act())
        for world in range(3):
            data = env.world.data(world)
            velocity = data.body("robot/trunk").xmat.reshape(3, 3).T @ data.qvel[:3]
            errors[world] += np.hypot(*(asked[world, :2] - velocity[:2])) / 60
            turns[world] += abs(asked[world, 2] - data.qvel[5]) / 60
            torque = env.world.field("qfrc_actuator")[world, 6:].numpy()
            work[world] += 0.02 * np.maximum(torque * data.qvel[6:], 0.0).sum()
            way[world] += 0.02 * np.hypot(*velocity[:2])
    found = {name: value.numpy() for name, value in task.metrics().items()}
    np.testing.assert_allclose(found["velocity_error"], errors, rtol=1e-6)
    np.testing.assert_allclose(found["yaw_rate_error"], turns, rtol=1e-6)
    np.testing.assert_allclose(found["cost_of_transport"], work / (12.012 * 9.81 * np.maximum(way, 1.0)), rtol=1e-6)
    assert found["seconds"].tolist() == pytest.approx([1.2] * 3)


def test_falls_a_minute_are_all_falls_over_all_time():
    assert falls_per_minute(torch.tensor([1.0, 0.0, 1.0]), torch.tensor([2.0, 20.0, 8.0])) == pytest.approx(4.0)


def test_levels_rise_and_fall_with_what_was_walked():
    env, task = made(4, terrain=("slopes_up", "stairs_down"), randomise=False)
    everywhere = torch.ones(4, dtype=torch.bool)
    assert set(task.memory["level"].tolist()) <= {0, 1, 2}
    task.memory["level"][:] = torch.tensor([1, 1, 3, 0])
    task.memory["steps"][:] = torch.tensor([1000, 500, 1000, 1000])
    task.figures.asked[:] = [10.0, 5.0, 10.0, 10.0]  # the second fell half way
    task.figures.followed[:] = [9.0, 4.9, 7.0, 9.0]
    task.figures.reached[:] = [3.0, 3.0, 3.0, 3.0]
    env.env.reset(everywhere)
    assert task.memory["level"].tolist() == [2, 0, 3, 1]
    assert task.ground.field_ids.tolist() == [2, 6 + 0, 3, 6 + 1]
    assert task.metrics()["terrain_level"].tolist() == [2, 0, 3, 1]
    env.reset(5)
    levels = task.memory["level"].clone()
    _, again = made(4, terrain=("slopes_up", "stairs_down"), randomise=False, seed=5)
    assert torch.equal(levels, again.memory["level"]), "a seed begins the curriculum anew"
    assert set(levels.tolist()) <= {0, 1, 2}


def test_robots_start_on_the_ground_of_their_tile():
    env, task = made(4, terrain=("slopes_up", "slopes_down"), curriculum=False)
    clearance = task.robot.entity.body.spawn_height
    height = task.ground.height(task.robot.root_pos[:, None, :2])[:, 0]
    np.testing.assert_allclose(task.robot.root_pos[:, 2], height + clearance)
    for _ in range(30):
        env.step(zeros(env))
    away = task.robot.root_pos[:, 2] - task.ground.height(task.robot.root_pos[:, None, :2])[:, 0]
    assert ((away > 0.15) & (away < 0.35)).all()
