"""DeviceEnv on Warp's CPU device: the same task as on CPU threads, in the other engine and without looking at data."""

import copy

import pytest
import torch

pytest.importorskip("mujoco_warp", reason="needs the extra gpu")

from embodied.envs import Env
from embodied.runs.errors import UserError
from embodied.testing.device_rules import DeviceRules
from morphologies import find_body
from tests.envs.on_device import RoundShortFlat, UnalikeShortFlat, unreset
from tests.envs.short import actions_for

TOLERANCE = {
    "joint_pos": 1e-6,
    "root_linear_velocity": 1e-4,
    "root_angular_velocity": 5e-4,
    "joint_vel": 1e-3,
    "accelerometer": 2e-2,
    "gyro": 5e-4,
    "velocimeter": 1e-4,
    "touch": 5e-3,
    "limb_ends": 1e-6,
}
"""Largest difference of the engines after one control step from the same state, per 1 + the size of the number."""


@pytest.fixture(scope="module")
def env():
    made = unreset()
    yield made
    made.close()


@pytest.fixture(scope="module")
def twin():
    made = unreset(seed=1)
    yield made
    made.close()


def same_place(env, state):
    """Puts an environment where another one was."""
    return env.load_state_dict({name: value.clone() for name, value in state.items()})


def test_each_of_30_control_steps_leads_where_the_cpu_s_leads_from_the_same_state(env):
    cpu = Env(RoundShortFlat(1000), {"robot": find_body("ant")}, 3, seed=4)
    for actions in actions_for(cpu, 30):
        env.world.set_state(cpu.world.state().float())
        for name, value in cpu.task.memory.items():
            env.task.memory[name].copy_(value)
        expected, now = cpu.advance(actions), env.advance(actions)
        assert env.term_names == cpu.term_names
        torch.testing.assert_close(now.terms, expected.terms.float(), rtol=1e-4, atol=1e-4)
        assert torch.equal(now.terminated, expected.terminated)
        assert torch.equal(now.unhealthy, expected.unhealthy)
        for name, place in cpu.spec.slices("proprio").items():
            one, other = now.observation["proprio"][:, place], expected.observation["proprio"][:, place]
            torch.testing.assert_close(one, other, rtol=TOLERANCE[name], atol=TOLERANCE[name], msg=name)
    cpu.close()


def test_both_engines_walk_together_for_30_control_steps(env):
    cpu = Env(RoundShortFlat(1000), {"robot": find_body("ant")}, 3, seed=4)
    env.world.set_state(cpu.world.state().float())
    for name, value in cpu.task.memory.items():
        env.task.memory[name].copy_(value)
    for actions in actions_for(cpu, 30):
        expected, now = cpu.advance(actions), env.advance(actions)
        torch.testing.assert_close(now.terms, expected.terms.float(), rtol=1e-3, atol=1e-3)
    difference = env.world.field("qpos") - cpu.world.field("qpos")
    assert difference.abs().max() < 1e-3
    cpu.close()


def test_the_spaces_and_the_tensors_are_those_of_the_cpu(env):
    cpu = Env(RoundShortFlat(1000), {"robot": find_body("ant")}, 3)
    assert env.spec.space == cpu.spec.space
    assert env.action_space == cpu.action_space
    now = env.advance(torch.zeros(3, 12))
    assert now.observation["proprio"].dtype == now.terms.dtype == torch.float32
    assert now.terminated.dtype == now.unhealthy.dtype == torch.bool
    cpu.close()


def test_a_control_step_and_a_reset_read_nothing(env):
    first, *actions = actions_for(env, 4)
    everywhere = torch.ones(3, dtype=torch.bool)
    env.advance(first)  # views of fields are made when they are first asked for
    env.reset(everywhere)
    with DeviceRules("cpu"):
        for action in actions:
            env.advance(action)
        env.reset(everywhere)


def test_a_masked_reset_begins_only_where_the_mask_holds(env):
    for actions in actions_for(env, 10):
        before = env.advance(actions).observation["proprio"]
    states = env.world.state()
    mask = torch.tensor([True, False, True])
    observation = env.reset(mask)["proprio"]
    assert torch.equal(env.world.state()[~mask], states[~mask])
    assert torch.equal(observation[~mask], before[~mask])
    assert env.world.field("time").flatten()[mask].eq(0).all()
    assert not torch.equal(observation[0], observation[2])


@pytest.mark.parametrize(("field", "value"), [("qpos", float("nan")), ("qvel", float("inf")), ("qvel", 1e12)])
def test_a_world_whose_physics_failed_ends_with_its_last_healthy_observation_and_no_reward(env, twin, field, value):
    env.reset(torch.ones(3, dtype=torch.bool))
    actions = actions_for(env, 8)
    for step in range(3):
        last = env.advance(actions[step])
    same_place(twin, env.state_dict())
    env.world.field(field)[1, 8] = value
    now, beside = env.advance(actions[3]), twin.advance(actions[3])
    assert now.unhealthy.tolist() == now.terminated.tolist() == [False, True, False]
    assert now.terms[:, 1].tolist() == [0.0, 0.0]
    assert torch.equal(now.observation["proprio"][1], last.observation["proprio"][1])
    others = [0, 2]
    assert torch.equal(now.observation["proprio"][others], beside.observation["proprio"][others])
    assert torch.equal(now.terms[:, others], beside.terms[:, others])
    env.reset(torch.tensor([False, True, False]))
    for step in range(4, 8):
        now, beside = env.advance(actions[step]), twin.advance(actions[step])
        assert not now.unhealthy.any()
        assert torch.isfinite(now.observation["proprio"]).all()
        assert torch.isfinite(now.terms).all()
        assert torch.equal(now.observation["proprio"][others], beside.observation["proprio"][others])


def test_an_action_that_is_no_number_ends_its_world_alone(env, twin):
    env.reset(torch.ones(3, dtype=torch.bool))
    same_place(twin, env.state_dict())
    actions = actions_for(env, 1)[0]
    spoiled = actions.clone()
    spoiled[2, 5] = float("nan")
    now, beside = env.advance(spoiled), twin.advance(actions)
    assert now.unhealthy.tolist() == [False, False, True]
    assert now.terms[:, 2].tolist() == [0.0, 0.0]
    assert torch.equal(now.observation["proprio"][:2], beside.observation["proprio"][:2])
    env.reset(torch.tensor([False, False, True]))
    assert not env.advance(actions).unhealthy.any()


def test_a_world_that_leaves_its_observation_space_is_unhealthy_too(env):
    env.reset(torch.ones(3, dtype=torch.bool))
    last = env.advance(torch.zeros(3, 12)).observation["proprio"]
    env.world.field("qvel")[2, 0] = 500.0  # m/s; finite, and nothing the engine minds
    now = env.advance(torch.zeros(3, 12))
    assert now.unhealthy.tolist() == [False, False, True]
    assert torch.equal(now.observation["proprio"][2], last[2])


def test_a_reward_that_is_not_finite_counts_as_nothing_and_is_counted(env):
    env.reset(torch.ones(3, dtype=torch.bool))
    before = env.not_finite.clone()
    env.task.memory["previous_x"][:2] = torch.tensor([float("nan"), float("inf")])
    now = env.advance(torch.full((3, 12), 0.5))
    assert now.terms[0, :2].tolist() == [0.0, 0.0]
    assert now.terms[0, 2] != 0
    assert not now.unhealthy.any()
    assert (env.not_finite - before).tolist() == [2, 0]


def test_it_goes_on_from_its_state_bit_for_bit_in_a_new_environment(env, twin):
    actions = actions_for(env, 12)
    now = env.advance(actions[0])
    observation = same_place(twin, env.state_dict())
    assert torch.equal(observation["proprio"], now.observation["proprio"])
    for step in range(1, 12):
        one, two = env.advance(actions[step]), twin.advance(actions[step])
        assert torch.equal(one.observation["proprio"], two.observation["proprio"])
        assert torch.equal(one.terms, two.terms)
        if step == 6:
            mask = torch.tensor([False, True, True])
            assert torch.equal(env.reset(mask)["proprio"], twin.reset(mask)["proprio"])


def test_a_start_of_the_pool_goes_on_as_its_world_in_the_pool_would(env):
    """One start per world, and each world in which it is written plays it as the one it was drawn in does."""
    pool = env.start_pool(3)
    pool.draw()
    env.reset(torch.ones(3, dtype=torch.bool))
    kept = env.world.state()
    mask = torch.tensor([True, False, True])
    starts = pool.take(mask)
    shown = env.begin_at(mask, starts)
    assert torch.equal(env.world.state()[mask], starts.state[mask])
    assert torch.equal(env.world.state()[~mask], kept[~mask])
    assert torch.equal(shown["proprio"][mask], starts.observation["proprio"][mask])
    assert torch.equal(env.task.memory["previous_x"][mask], starts.memory["previous_x"][mask])
    # What a forward pass feels there is what was shown.
    env.world.forward(mask)
    assert torch.allclose(env.spec.read()["proprio"][mask], shown["proprio"][mask], atol=1e-6)
    pool.close()


def test_the_pool_hands_out_each_start_once_and_then_begins_again(env):
    pool = env.start_pool(4)
    pool.draw()
    rows = {tuple(row.tolist()): number for number, row in enumerate(pool._starts.state)}
    assert len(rows) == 4
    given = []
    for mask in ([True, False, True], [False] * 3, [False, True, False], [True, True, False]):
        chosen = torch.tensor(mask)
        with DeviceRules("cpu"):
            starts = pool.take(chosen)
        given += [rows[tuple(row.tolist())] for row in starts.state[chosen]]
    assert given == [0, 1, 2, 3, 0]
    assert int(pool.reused) == 1
    pool.close()


@pytest.mark.parametrize("shape", [(3, 1), (1, 12), (12,), (3, 11)])
def test_actions_of_another_shape_are_refused(env, shape):
    with pytest.raises(ValueError, match="12"):
        env.advance(torch.zeros(*shape))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_refused():
    with pytest.raises(UserError, match="cuda"):
        unreset(device="cuda")


def test_a_task_can_be_asked_for_again_after_an_environment_was_made():
    """The pool plays a copy of the task as it was before it took its World."""
    made = unreset(task=UnalikeShortFlat)
    assert copy.deepcopy(made._unstarted).memory == {}
    made.close()
