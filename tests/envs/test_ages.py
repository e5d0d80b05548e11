"""Ages of first episodes: spread evenly, and with them the moments at which time limits end them."""

import pytest
import torch

from embodied.envs.ages import spread_ages
from tests.envs.short import short
from tests.learning.stacked.drift import ListedDrift

LIMIT = 10


def on_device():
    pytest.importorskip("mujoco_warp", reason="needs the extra gpu")
    from tests.envs.on_device import autoreset

    return autoreset(num_worlds=12, steps=LIMIT)


def test_episodes_end_evenly_over_time_ever_after():
    env = short(num_worlds=60, steps=LIMIT)
    env.reset(seed=0)
    spread_ages(env, torch.Generator().manual_seed(0))
    ages = env.episode_length.tolist()
    assert set(ages) == set(range(LIMIT))
    ended = [int(env.step(torch.zeros(60, 12))[3].sum()) for _ in range(3 * LIMIT)]
    assert ended[:LIMIT] == [ages.count(LIMIT - 1 - step) for step in range(LIMIT)]
    assert ended[:LIMIT] == ended[LIMIT : 2 * LIMIT] == ended[2 * LIMIT :]
    env.close()


@pytest.mark.parametrize("make", [lambda: short(num_worlds=12, steps=LIMIT), on_device])
def test_a_first_episode_is_told_as_what_it_was_and_not_as_what_it_passed_for(make):
    """Its length is that of the steps made, and its return their rewards', also where it is taken up in between."""
    env, other = make(), make()
    env.reset(seed=0)
    spread_ages(env, torch.Generator().manual_seed(0))
    left = (LIMIT - env.episode_length).tolist()
    assert len(set(left)) > 3
    returns, found = torch.zeros(12), {}
    for step in range(1, 2 * LIMIT + 1):
        if step == 4:
            other.load_state_dict(env.state_dict())
            env, other = other, env
        _, reward, _, _, info = env.step(torch.full((12, 12), 0.1))
        returns += reward
        episode = info["episode"]
        for world, length, total in zip(
            *(episode[name].tolist() for name in ("world", "length", "return")), strict=True
        ):
            found.setdefault(world, []).append((step, length))
            assert total == pytest.approx(float(returns[world]), abs=1e-4)
            returns[world] = 0.0
    for world, steps in enumerate(left):
        assert found[world][:2] == [(steps, steps), (steps + LIMIT, LIMIT)]
    env.close()
    other.close()


def test_the_same_chance_gives_the_same_ages():
    env = short(num_worlds=20)
    found = []
    for seed in (1, 1, 2):
        env.reset(seed=0)
        spread_ages(env, torch.Generator().manual_seed(seed))
        found.append(env.episode_length.tolist())
    assert found[0] == found[1] != found[2]
    env.close()


def test_without_a_known_time_limit_there_are_no_ages():
    env = ListedDrift(2, limit=None)
    with pytest.raises(ValueError, match="time limit"):
        spread_ages(env, torch.Generator())
