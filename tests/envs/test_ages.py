"""Ages of first episodes: spread evenly, and with them the moments at which time limits end them."""

import torch

from embodied.envs.ages import spread_ages
from tests.envs.short import short


def test_episodes_end_evenly_over_time_ever_after():
    env = short(num_worlds=60, steps=10)
    env.reset(seed=0)
    spread_ages(env, torch.Generator().manual_seed(0))
    ages = env.episode_length.tolist()
    assert set(ages) == set(range(10))
    ended = [int(env.step(torch.zeros(60, 12))[3].sum()) for _ in range(30)]
    assert ended[:10] == [ages.count(9 - step) for step in range(10)]
    assert ended[:10] == ended[10:20] == ended[20:]
    env.close()


def test_the_same_chance_gives_the_same_ages():
    env = short(num_worlds=20)
    found = []
    for seed in (1, 1, 2):
        env.reset(seed=0)
        spread_ages(env, torch.Generator().manual_seed(seed))
        found.append(env.episode_length.tolist())
    assert found[0] == found[1] != found[2]
    env.close()
