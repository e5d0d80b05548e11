"""The exact bootstrap of episodes cut off by time, against looking each one up."""

import numpy as np
import pytest
import torch

from embodied.learning.ppo import PPOConfig
from embodied.learning.stacked import StackedTrainer
from embodied.learning.stacked.experience import StackedExperience
from embodied.learning.stacked.policy import StackedPolicy
from embodied.learning.stacked.time_limits import FinalObservations
from tests.learning.stacked.drift import Drift
from tests.learning.stacked.test_networks import THREE, members_of

STEPS, WORLDS = 9, 6


def rollout(limit):
    """Final observations of every step, and who was cut off in it: at every multiple of the limit and a phase."""
    generator = torch.Generator().manual_seed(0)
    final = {n: torch.randn(STEPS, WORLDS, size, generator=generator) for n, size in THREE.groups.items()}
    steps, phases = torch.arange(STEPS).unsqueeze(1), torch.arange(WORLDS).unsqueeze(0)
    return final, (steps + phases) % limit == limit - 1


@pytest.mark.parametrize(
    ("limit", "told", "places"), [(9, 9, 1), (100, 100, 1), (5, 5, 2), (3, 3, 3), (2, 2, STEPS), (4, None, STEPS)]
)
def test_values_are_those_of_the_true_last_observations(limit, told, places):
    members = members_of(THREE)
    policy = StackedPolicy(members, torch.device("cpu"))
    experience = StackedExperience(STEPS, WORLDS, policy)
    final = FinalObservations(policy, experience, told)
    assert final.places == places
    for _ in range(2):  # a second time: nothing of the first rollout may remain
        observations, truncated = rollout(limit)
        final.clear()
        for step in range(STEPS):
            experience.truncated[step] = truncated[step]
            final.write(step, truncated[step], {name: group[step] for name, group in observations.items()})
        values = final.values(policy, experience)
        for step in range(STEPS):
            for world in range(WORLDS):
                member = members[world // 2]
                seen = {name: group[step, world] for name, group in observations.items()}
                with torch.no_grad():
                    wanted = float(member.value(member.normalise(seen))) if truncated[step, world] else 0.0
                assert float(values[step, world]) == pytest.approx(wanted, abs=1e-6)
        assert not final.overfull
        assert limit == 100 or truncated.any()


def test_an_environment_that_truncates_earlier_than_it_said_is_not_trusted():
    env = Drift(4, limit=3)
    env.episode_steps = 3
    training = StackedTrainer(env, PPOConfig(rollout_steps=9), 100, [0])
    env.episode_steps = 2
    with pytest.raises(RuntimeError, match="truncated a world more often in 9 steps"):
        training.iterate()


def test_the_environment_s_real_last_observations_are_the_ones_kept():
    """Played again by hand: the bootstrap is the value of what was seen before the reset."""
    training = StackedTrainer(Drift(4), PPOConfig(rollout_steps=20), 1000, [0])
    training.iterate()
    twin = Drift(4)
    twin.load_state_dict(training.env.state_dict())
    policy = training.policy
    training.iterate()
    e = training.experience
    found = 0
    for step in range(20):
        _, _, _, truncated, info = twin.step(e.actions[step])
        with torch.no_grad():
            values = policy.value(policy.normalise(info["final_obs"]))
        wanted = torch.where(truncated, values, 0.0)
        np.testing.assert_allclose(e.final_values[step], wanted, atol=1e-5)
        found += int(truncated.sum())
    assert found
