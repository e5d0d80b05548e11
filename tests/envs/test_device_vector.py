"""DeviceVectorEnv on Warp's CPU device, against a twin that never resets and against sums kept by hand."""

import numpy as np
import pytest
import torch

pytest.importorskip("mujoco_warp", reason="needs the extra gpu")

import embodied
from embodied.envs import device_vector
from embodied.envs.contract import RewardNotFinite
from embodied.learning.evaluate import evaluate, zero_actor
from embodied.runs.errors import UserError
from embodied.testing.device_rules import DeviceRules
from tests.envs.on_device import UnalikeShortFlat, autoreset, unreset
from tests.envs.short import actions_for, put

STEPS = 12
"""Of an episode."""


@pytest.fixture(scope="module")
def env():
    made = autoreset(steps=STEPS)
    yield made
    made.close()


@pytest.fixture(scope="module")
def unalike():
    made = autoreset(steps=STEPS, task=UnalikeShortFlat)
    yield made
    made.close()


@pytest.fixture(scope="module")
def twin():
    made = unreset(seed=7)
    yield made
    made.close()


@pytest.fixture(params=["drawn ahead", "begun in place"])
def either(request, env, unalike):
    return env if request.param == "drawn ahead" else unalike


def beside(twin, env):
    """Puts a twin that never resets where the environment is."""
    twin.load_state_dict({name: value for name, value in env.state_dict().items() if "/" in name or name in _OWN})


_OWN = ("world", "generator")


def test_a_step_reads_nothing_whether_episodes_end_in_it_or_not(either):
    either.reset(seed=1)
    actions = list(actions_for(either, 2 * STEPS))
    either.step(actions.pop())  # views of fields are made when they are first asked for
    either.reset(seed=1)
    actions += actions_for(either, 1)
    with DeviceRules("cpu"):
        for action in actions:
            *_, info = either.step(action)
    assert info["finished"].all()


def test_a_truncated_episode_s_last_observation_is_that_of_an_env_that_never_resets(either, twin):
    either.reset(seed=5)
    beside(twin, either)
    for step, actions in enumerate(actions_for(either, STEPS), 1):
        observation, reward, terminated, truncated, info = either.step(actions)
        unreset = twin.advance(actions)
        assert torch.equal(info["final_obs"]["proprio"], unreset.observation["proprio"])
        torch.testing.assert_close(reward, unreset.terms.sum(dim=0))
        assert not terminated.any()
        assert torch.equal(info["finished"], truncated)
        assert truncated.all() == (step == STEPS)
        if step < STEPS:
            assert torch.equal(observation["proprio"], unreset.observation["proprio"])
    assert not torch.equal(observation["proprio"], info["final_obs"]["proprio"])
    assert either.world.field("time").eq(0).all()
    assert either.world.field("qpos")[:, :2].abs().max() <= 5e-3


def test_a_terminated_world_is_reset_within_the_step_and_the_others_go_on(either, twin):
    either.reset(seed=1)
    put(either, 1, y=80.0)
    beside(twin, either)
    observation, _, terminated, truncated, info = either.step(torch.zeros(3, 12))
    unreset = twin.advance(torch.zeros(3, 12))
    assert terminated.tolist() == unreset.terminated.tolist() == info["finished"].tolist() == [False, True, False]
    assert not truncated.any()
    assert not info["unhealthy"].any()
    final = info["final_obs"]["proprio"]
    assert torch.equal(final, unreset.observation["proprio"])
    others = [0, 2]
    assert torch.equal(observation["proprio"][others], final[others])
    assert not torch.equal(observation["proprio"][1], final[1])
    assert either.world.field("qpos")[1, :2].abs().max() <= 5e-3
    for actions in actions_for(either, 5, seed=1):
        observation = either.step(actions)[0]["proprio"]
        assert torch.equal(observation[others], twin.advance(actions).observation["proprio"][others])


def test_a_world_that_begins_at_a_drawn_start_goes_on_as_one_that_was_begun_in_place(env, twin):
    """Derived fields are not computed when a start is written: what is felt in the first step must not depend on it."""
    env.reset(seed=3)
    for actions in actions_for(env, STEPS):
        env.step(actions)
    beside(twin, env)
    twin.world.forward()
    for actions in actions_for(env, 4, seed=2):
        observation, reward, *_ = env.step(actions)
        now = twin.advance(actions)
        assert torch.equal(observation["proprio"], now.observation["proprio"])
        torch.testing.assert_close(reward, now.terms.sum(dim=0))


def test_an_episode_that_ends_at_its_last_step_is_terminated_and_not_truncated(env):
    env.reset(seed=0)
    for step in range(STEPS):
        if step == STEPS - 1:
            put(env, 2, y=80.0)
        _, _, terminated, truncated, info = env.step(torch.zeros(3, 12))
    assert terminated.tolist() == [False, False, True]
    assert truncated.tolist() == [True, True, False]
    assert info["episode_length"].tolist() == [STEPS] * 3


def test_an_unhealthy_world_ends_and_begins_anew(either):
    before, broken = either.unhealthy_worlds, int(either.counters["worlds_broken"])
    last = either.reset(seed=0)[0]["proprio"]
    actions = actions_for(either, 10)
    for step in range(10):
        if step == 6:
            either.world.field("qvel")[0, 3] = float("nan")
        observation, reward, terminated, truncated, info = either.step(actions[step])
        assert info["unhealthy"].tolist() == [step == 6, False, False]
        if step == 6:
            assert terminated.tolist() == [True, False, False]
            assert not truncated.any()
            assert reward[0] == 0
            assert all(term[0] == 0 for term in info["terms"].values())
            assert torch.equal(info["final_obs"]["proprio"][0], last[0])
            assert info["episode"]["world"].tolist() == [0]
            assert info["episode"]["length"].tolist() == [7]
            assert either.world.field("time").flatten()[0] == 0
        last = observation["proprio"]
        assert torch.isfinite(last).all()
    assert either.unhealthy_worlds == before + 1
    assert int(either.counters["worlds_broken"]) > broken


def test_episode_figures_are_the_sums_kept_by_hand(either):
    either.reset(seed=0)
    returns, lengths = np.zeros(3), np.zeros(3, dtype=int)
    terms = {"forward": np.zeros(3), "control_cost": np.zeros(3)}
    for step, actions in enumerate(actions_for(either, 30)):
        if step == 17:
            put(either, 1, y=80.0)
        x = either.world.field("qpos")[:, 0].clone()
        _, reward, terminated, truncated, info = either.step(actions)
        returns += reward.numpy()
        lengths += 1
        for name, kept in terms.items():
            kept += info["terms"][name].numpy()
        torch.testing.assert_close(reward, sum(info["terms"].values()))
        done = (terminated | truncated).numpy()
        episode = info["episode"]
        assert (info["finished"].numpy() == done).all()
        assert episode["world"].tolist() == done.nonzero()[0].tolist()
        np.testing.assert_allclose(info["episode_return"].numpy()[done], returns[done], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(episode["return"], returns[done], rtol=1e-4, atol=1e-4)
        assert episode["length"].tolist() == info["episode_length"].numpy()[done].tolist() == lengths[done].tolist()
        for name, kept in terms.items():
            np.testing.assert_allclose(episode["terms"][name], kept[done], rtol=1e-4, atol=1e-4)
            kept[done] = 0
        # The metric is that of the episode which ended, not of the one that has begun.
        assert torch.allclose(episode["metrics"]["distance"], x[done], atol=0.5)
        assert torch.equal(episode["metrics"]["distance"], info["episode_metrics"]["distance"][done])
        np.testing.assert_array_equal(truncated, (lengths >= STEPS) & ~terminated.numpy())
        returns[done], lengths[done] = 0, 0


def test_episodes_begun_at_different_ages_end_at_different_times_and_tell_their_true_length(env):
    env.reset(seed=0)
    env.episode_length.copy_(torch.tensor([0, 4, 9]))
    ended = {}
    for step in range(1, 2 * STEPS + 1):
        *_, truncated, info = env.step(torch.zeros(3, 12))
        for world in truncated.nonzero().flatten().tolist():
            ended.setdefault(world, []).append((step, int(info["episode_length"][world])))
    assert ended == {0: [(12, 12), (24, 12)], 1: [(8, 8), (20, 12)], 2: [(3, 3), (15, 12)]}


def test_worlds_that_end_together_begin_apart_and_those_that_end_later_elsewhere(env):
    """A start is handed out once, until the pool is drawn anew or used up."""
    env.reset(seed=2)
    starts = set()
    before = int(env.counters["starts_reused"])
    for step in range(1, 4 * device_vector.DRAW_EVERY + 1):
        for world in range(3):
            if step % 8 == world:
                put(env, world, y=80.0)
        *_, info = env.step(torch.zeros(3, 12))
        for world in info["finished"].nonzero().flatten().tolist():
            starts.add(tuple(env.world.field("qpos")[world].tolist()))
    # Three worlds, each ended every 8 steps: six ends between two draws, of a pool of three.
    reused = int(env.counters["starts_reused"]) - before
    assert reused == 12
    assert len(starts) == 24 - reused


def test_a_seed_makes_all_that_follows_repeatable_whatever_came_before(either):
    actions = actions_for(either, 20)
    seen = []
    for seed in (7, 7, 8):
        first = either.reset(seed=seed)[0]["proprio"]
        seen.append([first, *(either.step(action)[0]["proprio"] for action in actions)])
    assert all(torch.equal(one, other) for one, other in zip(seen[0], seen[1], strict=True))
    assert not torch.equal(seen[0][0], seen[2][0])


@pytest.mark.parametrize("at", [0, 1, 7, STEPS, 17])
def test_an_environment_goes_on_from_its_state_bit_for_bit(either, at):
    """In a new environment: nothing but the state goes along."""
    other = autoreset(steps=STEPS, seed=9, task=type(either.env.task))
    actions = actions_for(either, 40)
    observation, _ = either.reset(seed=3)
    for action in actions[:at]:
        observation, *_ = either.step(action)
    restored = other.load_state_dict({name: value.clone() for name, value in either.state_dict().items()})
    assert torch.equal(restored["proprio"], observation["proprio"])
    for action in actions[at:]:
        one, two = either.step(action), other.step(action)
        assert torch.equal(one[0]["proprio"], two[0]["proprio"])
        assert all(torch.equal(a, b) for a, b in zip(one[1:4], two[1:4], strict=True))
        for figure in ("finished", "episode_return", "episode_length"):
            assert torch.equal(one[4][figure], two[4][figure])
    other.close()


def test_what_the_physics_warned_of_is_counted_on_after_a_restart(env):
    env.reset(seed=0)
    env.world.field("qvel")[0, 3] = float("nan")
    env.step(torch.zeros(3, 12))
    state = {name: value.clone() for name, value in env.state_dict().items()}
    other = autoreset(steps=STEPS)
    other.load_state_dict(state)
    assert other.world.warnings == env.world.warnings
    assert other.world.warnings["badqvel"] >= 1
    assert {name: int(count) for name, count in other.counters.items()} == {
        name: int(count) for name, count in env.counters.items()
    }
    other.close()


def test_a_reward_that_is_not_finite_is_raised_when_figures_are_read(env):
    env.reset(seed=0)
    env.judge()
    state = env.state_dict()
    env.env.task.memory["previous_x"][1] = float("nan")
    with DeviceRules("cpu"):
        _, reward, _, _, info = env.step(torch.full((3, 12), 0.3))
    assert torch.isfinite(reward).all()
    counts = {name: float(count) for name, count in env.counters.items()}
    assert counts["rewards_not_finite"] == 1
    for read in (env.judge, lambda: env.judge(counts), lambda: info["episode"]["world"]):
        with pytest.raises(RewardNotFinite, match="'forward'"):
            read()
    env.load_state_dict(state)
    env.judge()


def test_an_evaluation_gives_every_world_s_first_episode(env):
    result = evaluate(env, zero_actor(env.action_space), seed=0)
    assert result.lengths == [STEPS] * 3
    np.testing.assert_allclose(result.returns, np.sum(list(result.terms.values()), axis=0), atol=1e-4)
    assert len(result.metrics["distance"]) == 3


def test_an_environment_first_stepped_in_inference_mode_goes_on_outside_of_it(env):
    """rsl_rl collects in inference mode and plays outside of it."""
    actions = actions_for(env, 40)
    env.reset(seed=0)
    with torch.inference_mode():
        for action in actions[:20]:
            env.step(action)
    for action in actions[20:]:
        observation, *_ = env.step(action)
    env.reset(seed=0)
    for action in actions:
        again, *_ = env.step(action)
    assert torch.equal(observation["proprio"], again["proprio"])


def test_make_gives_it_by_the_device_s_name():
    made = embodied.make("flat", num_worlds=2, device="warp-cpu", seed=3)
    assert isinstance(made, device_vector.DeviceVectorEnv)
    cpu = embodied.make("flat", num_worlds=2, seed=3)
    for name in ("num_worlds", "observation_space", "action_space", "control_dt", "decimation", "episode_steps"):
        assert getattr(made, name) == getattr(cpu, name)
    assert str(made.observation_spec) == str(cpu.observation_spec)
    assert made.device == made.world.device == torch.device("cpu")
    made.close()
    cpu.close()


@pytest.mark.parametrize("device", ["gpu", "warp:0", "cuda:", "CPU", ""])
def test_make_refuses_a_device_that_is_not_known_and_names_those_that_are(device):
    with pytest.raises(UserError, match="warp-cpu"):
        embodied.make("flat", device=device)


def test_environments_from_elsewhere_stay_on_the_cpu():
    with pytest.raises(UserError, match="warp-cpu"):
        embodied.make("gymnasium:Pendulum-v1", device="warp-cpu")
