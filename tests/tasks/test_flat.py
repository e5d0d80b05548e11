"""The flat task against closed forms in the head's position."""

import gymnasium
import numpy as np
import pytest
import torch

import embodied
from embodied.envs import AutoresetEnv, Env
from embodied.gymnasium_ids import gymnasium_id
from embodied.tasks import UnknownTask, find_task, register_task, registry, task_names
from embodied.tasks.flat import Flat
from morphologies import find_body
from tests.envs.short import ShortFlat, actions_for, plain, put


def heads(env):
    """(W, 3): a free root's first three coordinates are where its link stands."""
    return env.world.field("qpos")[:, :3].clone().numpy()


def test_the_reward_is_the_head_s_velocity_along_x_less_the_control_cost():
    env = plain()
    for actions in actions_for(env, 30):
        before = heads(env)
        now = env.advance(actions)
        after = heads(env)
        terms = dict(zip(env.term_names, now.terms, strict=True))
        assert terms.keys() == {"forward", "control_cost"}
        np.testing.assert_allclose(terms["forward"], (after - before)[:, 0] / 0.02, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(terms["control_cost"], -1e-3 * np.square(actions.numpy()).sum(1), rtol=1e-5)


def test_progress_of_a_new_episode_is_measured_from_its_own_start():
    env = plain()
    for actions in actions_for(env, 10):
        env.advance(actions)
    mask = torch.tensor([False, True, False])
    env.reset(mask)
    before = heads(env)
    now = env.advance(torch.zeros(3, 12))
    np.testing.assert_allclose(now.terms[0], (heads(env) - before)[:, 0] / 0.02, rtol=1e-9, atol=1e-9)


def test_the_control_cost_is_that_of_the_unclipped_action_while_motion_is_clipped():
    strong, clipped = plain(), plain()
    actions = torch.full((3, 12), 3.0)
    actions[1] = -7.0
    one, other = strong.advance(actions), clipped.advance(actions.clamp(-1, 1))
    assert torch.equal(one.terms[0], other.terms[0])
    assert torch.equal(strong.world.field("qpos"), clipped.world.field("qpos"))
    np.testing.assert_allclose(one.terms[1], [-1e-3 * 12 * 9, -1e-3 * 12 * 49, -1e-3 * 12 * 9], rtol=1e-6)
    np.testing.assert_allclose(other.terms[1], [-1e-3 * 12] * 3, rtol=1e-6)


@pytest.mark.parametrize("body", ["ant", "kangaroo", "crab"])
def test_a_head_at_half_its_cleared_height_has_fallen(body):
    env = plain(num_worlds=3, body=body)
    threshold = 0.5 * (find_body(body).spawn_height - 0.2)
    put(env, 0, z=threshold - 1e-6)
    put(env, 1, z=threshold + 1e-6)
    assert env.task.terminated().tolist() == [True, False, False]


def test_falling_over_ends_the_episode_at_the_step_in_which_it_happens():
    env = plain(num_worlds=4)
    threshold = 0.5 * (find_body("ant").spawn_height - 0.2)
    fallen = 0
    for actions in actions_for(env, 60):
        now = env.advance(actions)
        np.testing.assert_array_equal(now.terminated.numpy(), heads(env)[:, 2] <= threshold)
        fallen += int(now.terminated.sum())
    assert fallen


@pytest.mark.parametrize(
    ("place", "ends"),
    [
        ({"y": 74.01}, True),
        ({"y": -74.01}, True),
        ({"y": 73.98}, False),
        ({"y": -73.98}, False),
        ({"x": 146.01}, True),
        ({"x": 145.98}, False),
        ({"x": -100.0}, False),
    ],
)
def test_an_episode_ends_a_metre_before_the_arena_does(place, ends):
    env = plain()
    put(env, 1, **place)
    now = env.advance(torch.zeros(3, 12))
    assert now.terminated.tolist() == [False, ends, False]
    assert not now.unhealthy.any()


def test_the_edges_themselves_belong_to_the_end():
    env = plain()
    put(env, 0, y=74.0)
    put(env, 1, x=146.0)
    assert env.task.terminated().tolist() == [True, True, False]


def test_a_thousand_steps_truncate_and_do_not_terminate():
    # Held in the air by a fixed root, it can neither fall nor leave.
    body = find_body("ant", root="fixed")
    env = AutoresetEnv(Env(Flat(), {"robot": body}, 1))
    env.reset()
    zero = torch.zeros(1, 12)
    for step in range(1, 1001):
        _, _, terminated, truncated, info = env.step(zero)
        assert not terminated.any()
        assert bool(truncated) == (step == 1000)
    assert info["episode"]["length"].tolist() == [1000]
    assert env.control_dt * 1000 == pytest.approx(20.0)


def test_episodes_start_within_the_reset_noise_of_the_default_state():
    env = plain(num_worlds=64)
    model = env.world.model
    qpos, qvel = env.world.field("qpos"), env.world.field("qvel")
    offset = qpos - torch.from_numpy(model.qpos0)
    loose = [i for i in range(model.nq) if i not in range(3, 7)]
    assert offset[:, loose].abs().max() <= 5e-3
    assert qvel.abs().max() <= 5e-3
    # Where the quaternion is normalised after the noise, its vector part grows by half a percent at most.
    assert offset[:, 3:7].abs().max() <= 5e-3 * 1.0051
    np.testing.assert_allclose(env.world.field("xquat")[:, 1].norm(dim=1), 1.0, atol=1e-12)
    for values in (offset[:, loose], qvel):
        assert values.abs().max() > 4.9e-3
        assert values.mean().abs() < 3e-4  # five standard errors of 64 x 15 uniform draws
        assert float(values.std()) == pytest.approx(5e-3 / 3**0.5, rel=0.05)
        assert len(values.flatten().unique()) == values.numel()


def test_a_task_reads_by_name_and_a_wrong_one_is_answered_with_the_close_ones():
    assert isinstance(find_task("flat"), Flat)
    assert find_task("flat") is not find_task("flat")
    task = Flat()
    assert find_task(task) is task
    with pytest.raises(UnknownTask, match="did you mean flat"):
        embodied.make("flatt")
    with pytest.raises(UnknownTask, match=r"known are .*flat"):
        find_task("swimming upstream")


def test_a_registered_task_is_found_by_its_name(monkeypatch):
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    register_task("tiny_flat", lambda: ShortFlat(7))
    gymnasium.registry.pop(gymnasium_id("tiny_flat"))
    assert "tiny_flat" in task_names()
    env = embodied.make("tiny_flat", "tripod", num_worlds=2)
    assert env.episode_steps == 7
    env.reset()
    for _ in range(7):
        truncated = env.step(torch.zeros(2, *env.action_space.shape))[3]
    assert truncated.all()
