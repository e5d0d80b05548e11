"""A rollout against a twin environment that is played its actions by hand."""

import numpy as np
import torch
from torch.distributions import Independent, Normal

from embodied.learning.collect import collect
from tests.envs.short import short
from tests.learning.rollouts import Rollouts


@torch.no_grad()
def test_a_rollout_holds_what_happened_and_what_the_policy_thought_of_it():
    rollouts = Rollouts(steps=40)
    policy = rollouts.policy
    policy.update_normalisers(rollouts.next().observation)
    twin = short(4, 30, body="biped", seed=9)
    observation = twin.load_state_dict({n: v.clone() for n, v in rollouts.env.state_dict().items()})
    experience = rollouts.next()
    returns, lengths, terms, cut = [], [], {"forward": [], "control_cost": []}, 0
    for t in range(40):
        assert torch.equal(experience.observation["proprio"][t], observation["proprio"])
        distribution, _ = policy(observation)
        expected = Independent(Normal(distribution.mean, distribution.log_std.exp()), 1)
        np.testing.assert_allclose(
            experience.log_probs[t], expected.log_prob(experience.actions[t]), rtol=1e-4, atol=1e-4
        )
        np.testing.assert_allclose(experience.values[t], policy.value(policy.normalise(observation)), atol=1e-5)
        observation, reward, terminated, truncated, info = twin.step(experience.actions[t])
        assert torch.equal(experience.rewards[t], reward)
        assert torch.equal(experience.terminated[t], terminated)
        assert torch.equal(experience.truncated[t], truncated)
        last = policy.value(policy.normalise(info["final_obs"]))
        np.testing.assert_allclose(experience.final_values[t][truncated], last[truncated], atol=1e-5)
        cut += int(truncated.sum())
        returns += info["episode"]["return"].tolist()
        lengths += info["episode"]["length"].tolist()
        for name, kept in terms.items():
            kept += info["episode"]["terms"][name].tolist()
    assert torch.equal(experience.observation["proprio"][40], observation["proprio"])
    assert torch.equal(rollouts.position.observation["proprio"], observation["proprio"])
    np.testing.assert_allclose(experience.values[40], policy.value(policy.normalise(observation)), atol=1e-5)
    assert (rollouts.episodes.returns, rollouts.episodes.lengths, rollouts.episodes.terms) == (returns, lengths, terms)
    assert rollouts.episodes.unhealthy == 0
    assert cut
    assert experience.terminated.any()


def test_a_reused_experience_keeps_nothing_of_the_last_rollout():
    fresh, reused = Rollouts(), Rollouts()
    experience = reused.next()
    experience.final_values.fill_(1e9)  # of another rollout
    fresh.next()
    second = fresh.next()
    collect(reused.env, reused.policy, experience, reused.position, reused.generator)
    for name in ("actions", "log_probs", "values", "rewards", "terminated", "truncated"):
        assert torch.equal(getattr(experience, name), getattr(second, name))
    ended = second.truncated
    assert torch.equal(experience.final_values[ended], second.final_values[ended])


def test_collection_follows_from_its_generator_and_changes_no_weights():
    torch.manual_seed(0)
    one = Rollouts()
    before = {name: value.clone() for name, value in one.policy.state_dict().items()}
    experience = one.next()
    assert all(torch.equal(value, before[name]) for name, value in one.policy.state_dict().items())
    torch.manual_seed(1)
    state = torch.get_rng_state()
    assert torch.equal(Rollouts().next().actions, experience.actions)
    assert torch.equal(torch.get_rng_state(), state)
    assert not experience.values.requires_grad


def test_unhealthy_episodes_are_counted():
    rollouts = Rollouts()
    rollouts.env.world.field("qpos")[2, 0] = float("nan")
    experience = rollouts.next()
    assert rollouts.episodes.unhealthy == 1
    assert experience.terminated[0].tolist() == [False, False, True, False]
    assert float(experience.rewards[0, 2]) == 0.0
    assert torch.isfinite(experience.observation["proprio"]).all()
