"""PPO against its objective written out with torch's own distributions and optimiser."""

import copy

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info
from torch import nn
from torch.distributions import Independent, Normal

from embodied.learning.experience import Experience
from embodied.learning.ppo import PPO, PPOConfig, TrainingDiverged
from embodied.learning.threads import linear_algebra_on
from tests.learning.rollouts import Rollouts, policy_for
from tests.learning.test_returns import advantages_by_definition


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def weights(policy):
    return torch.cat([parameter.detach().flatten() for parameter in policy.parameters()])


def whole(**changes):
    """All samples in one minibatch, so that shuffling decides nothing but the order of sums."""
    return PPOConfig(**{"minibatch": 10_000, "learning_rate": 1e-2, "kl_stop": 1e9, **changes})


def warmed(config, seed=0):
    """A PPO whose normalisers know one rollout, and the rollouts that go on from there."""
    rollouts = Rollouts(seed=seed)
    ppo = PPO(rollouts.policy, config)
    first = rollouts.next()
    assert ppo.update([first], 1.0, seeded()) == {}
    rollouts.discounted = first.discounted_return
    return ppo, rollouts


def discounted_returns(experiences, gamma):
    """Every discounted return so far, through consecutive rollouts of the same worlds."""
    seen, running = [], np.zeros(experiences[0].num_worlds)
    for e in experiences:
        ended = (e.terminated | e.truncated).numpy()
        for rewards, end in zip(e.rewards.numpy(), ended, strict=True):
            running = gamma * running + rewards
            seen.append(running)
            running = np.where(end, 0.0, running)
    return np.stack(seen)


@pytest.mark.parametrize("epochs", [1, 3])
def test_an_update_descends_the_clipped_objective_of_the_paper(epochs):
    config = whole(epochs=epochs, clip=0.1, value_clip=0.1)
    rollouts = Rollouts()
    ppo = PPO(rollouts.policy, config)
    first = rollouts.next()
    ppo.update([first], 1.0, seeded())
    rollouts.discounted = first.discounted_return
    twin = policy_for(rollouts.env, seed=5)
    twin.load_state_dict(rollouts.policy.state_dict())
    e = rollouts.next()
    metrics = ppo.update([e], 0.5, seeded())

    spread = np.sqrt(np.var(discounted_returns([first, e], 0.99)) + 1e-8)
    values = e.values.double().numpy()
    advantages = advantages_by_definition(
        np.clip(e.rewards.numpy() / spread, -10, 10),
        values,
        e.terminated.numpy(),
        e.truncated.numpy(),
        e.final_values.numpy(),
        0.99,
        0.95,
    )
    targets = torch.from_numpy(advantages + values[:-1]).float()
    advantages = torch.from_numpy((advantages - advantages.mean()) / advantages.std(ddof=1)).float()
    optimiser = torch.optim.Adam(twin.parameters(), lr=1e-2 * 0.5, eps=1e-5)
    normalised = {name: group[:-1] for name, group in twin.normalise(e.observation).items()}
    losses = []
    for _ in range(epochs):
        given = twin.distribution(normalised)
        distribution = Independent(Normal(given.mean, twin.log_std.exp()), 1)
        ratio = (distribution.log_prob(e.actions) - e.log_probs).exp()
        surrogate = torch.min(ratio * advantages, ratio.clip(0.9, 1.1) * advantages).mean()
        new = twin.value(normalised)
        old = e.values[:-1]
        near = old + (new - old).clip(-0.1, 0.1)
        value_loss = 0.5 * torch.max((new - targets) ** 2, (near - targets) ** 2).mean()
        entropy = distribution.entropy().mean()
        losses.append([float(x.detach()) for x in (-surrogate, value_loss, entropy, (ratio - 1 - ratio.log()).mean())])
        optimiser.zero_grad()
        (-surrogate + 0.5 * value_loss - 0.01 * entropy).backward()
        nn.utils.clip_grad_norm_(twin.parameters(), 0.5)
        optimiser.step()
    np.testing.assert_allclose(weights(ppo.policy), weights(twin), atol=2e-4)
    for name, values in zip(("policy_loss", "value_loss", "entropy", "kl"), np.transpose(losses), strict=True):
        assert metrics[name] == pytest.approx(values.mean(), rel=1e-3, abs=1e-4)
    assert metrics["updates"] == epochs
    assert metrics["learning_rate"] == pytest.approx(5e-3)
    assert metrics["action_std"] == pytest.approx(float(twin.log_std.detach().exp().mean()), rel=1e-3)


def test_the_first_rollout_only_fills_the_normalisers():
    rollouts = Rollouts()
    ppo = PPO(rollouts.policy, whole())
    before = weights(rollouts.policy)
    e = rollouts.next()
    assert ppo.update([e], 1.0, seeded()) == {}
    assert torch.equal(weights(rollouts.policy), before)
    seen = e.observation["proprio"][:-1].double().flatten(0, 1).numpy()
    normaliser = rollouts.policy.normalisers["proprio"]
    np.testing.assert_allclose(normaliser.mean, seen.mean(0), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(normaliser.variance, seen.var(0), rtol=1e-7, atol=1e-12)


def test_normalisers_learn_after_the_update_from_what_was_seen():
    ppo, rollouts = warmed(whole())
    count = float(rollouts.policy.normalisers["proprio"].count)
    e = rollouts.next()
    ppo.update([e], 1.0, seeded())
    assert float(rollouts.policy.normalisers["proprio"].count) == count + e.steps * e.num_worlds


def joined(one, other, env):
    """Two experiences as one with the worlds of both."""
    both = Experience(one.steps, one.num_worlds + other.num_worlds, env.observation_space, env.action_space)
    for name, group in both.observation.items():
        group.copy_(torch.cat((one.observation[name], other.observation[name]), dim=1))
    for name in ("actions", "log_probs", "values", "rewards", "terminated", "truncated", "final_values"):
        getattr(both, name).copy_(torch.cat((getattr(one, name), getattr(other, name)), dim=1))
    both.discounted_return.copy_(torch.cat((one.discounted_return, other.discounted_return)))
    return both


def test_two_experiences_teach_what_one_with_the_worlds_of_both_does():
    """Samples meet in other orders, so minibatches would differ: here there is one, and sums differ by rounding."""
    ppo, rollouts = warmed(whole(epochs=3))
    one, other = rollouts.next(), rollouts.next()
    both = joined(one, other, rollouts.env)
    twin = policy_for(rollouts.env, seed=5)
    single = PPO(twin, ppo.config)
    twin.load_state_dict(rollouts.policy.state_dict())
    single.load_state_dict(ppo.state_dict())
    apart = ppo.update([one, other], 1.0, seeded())
    together = single.update([both], 1.0, seeded())
    np.testing.assert_allclose(weights(rollouts.policy), weights(twin), atol=2e-4)
    assert apart.keys() == together.keys()
    for name in apart:
        assert apart[name] == pytest.approx(together[name], rel=2e-3, abs=1e-4)
    np.testing.assert_allclose(ppo.scaler.variance, single.scaler.variance, rtol=1e-9)
    for name in ("mean", "variance", "count"):
        np.testing.assert_allclose(
            getattr(rollouts.policy.normalisers["proprio"], name),
            getattr(twin.normalisers["proprio"], name),
            rtol=1e-7,
            atol=1e-12,
        )


def test_learning_stops_once_the_policy_has_moved_too_far():
    ppo, rollouts = warmed(whole(epochs=1, learning_rate=0.05))
    stopping = PPO(policy_for(rollouts.env, seed=5), whole(epochs=6, learning_rate=0.05, kl_stop=0.05))
    e = rollouts.next()
    stopping.policy.load_state_dict(rollouts.policy.state_dict())
    stopping.load_state_dict(ppo.state_dict())
    normalised = rollouts.policy.normalise(e.observation)
    ppo.update([copy.deepcopy(e)], 1.0, seeded())
    # By torch's distributions, one step has already carried the policy beyond the threshold.
    with torch.no_grad():
        now = rollouts.policy.distribution({name: group[:-1] for name, group in normalised.items()})
        log_ratio = Independent(Normal(now.mean, now.log_std.exp()), 1).log_prob(e.actions) - e.log_probs
        assert float((log_ratio.exp() - 1 - log_ratio).mean()) > 0.05
    metrics = stopping.update([e], 1.0, seeded())
    assert metrics["updates"] == 1
    assert torch.equal(weights(stopping.policy), weights(rollouts.policy))


def test_without_a_reason_to_stop_every_minibatch_of_every_epoch_is_learned_from():
    ppo, rollouts = warmed(whole(epochs=3, minibatch=40, learning_rate=1e-4))
    assert ppo.update([rollouts.next()], 1.0, seeded())["updates"] == 3 * 3  # 96 samples: 40, 40 and 16


def test_the_order_of_samples_is_the_generator_s():
    ends = []
    for global_seed, seed in ((0, 0), (1, 0), (0, 1)):
        torch.manual_seed(global_seed)
        ppo, rollouts = warmed(whole(minibatch=32))
        ppo.update([rollouts.next()], 1.0, seeded(seed))
        ends.append(weights(ppo.policy))
    assert torch.equal(ends[0], ends[1])
    assert not torch.equal(ends[0], ends[2])


def test_a_learning_rate_that_ran_out_changes_nothing():
    ppo, rollouts = warmed(whole())
    before = weights(ppo.policy)
    ppo.update([rollouts.next()], 0.0, seeded())
    assert torch.equal(weights(ppo.policy), before)


def test_the_learning_rate_ends_where_it_should():
    ppo, rollouts = warmed(whole(learning_rate=3e-3, final_learning_rate=1e-3))
    assert ppo.update([rollouts.next()], 0.25, seeded())["learning_rate"] == pytest.approx(1.5e-3)
    assert ppo.update([rollouts.next()], 0.0, seeded())["learning_rate"] == pytest.approx(1e-3)


def test_an_adaptive_learning_rate_rises_until_the_policy_moves_enough():
    settings = {"epochs": 3, "minibatch": 32, "learning_rate": 1e-4}
    ppo, rollouts = warmed(whole(kl_target=1.0, **settings))
    e = rollouts.next()
    state = ppo.state_dict()
    # The very first minibatch finds the old policy and leaves the rate; after each of the other eight it may rise.
    assert ppo.update([copy.deepcopy(e)], 0.5, seeded())["learning_rate"] == pytest.approx(1e-4 * 1.5**8, rel=1e-4)
    assert float(ppo.state_dict()["learning_rate"]) == pytest.approx(1e-4 * 1.5**8, rel=1e-4)
    ppo.load_state_dict(state)
    assert ppo.learning_rate == 1e-4
    cautious, rollouts = warmed(whole(kl_target=1e-9, **settings))
    assert cautious.update([rollouts.next()], 0.5, seeded())["learning_rate"] == pytest.approx(1e-5, rel=1e-4)


def test_a_policy_that_moved_too_far_at_once_learns_more_slowly_next_time():
    ppo, rollouts = warmed(whole(kl_target=0.01, kl_stop=0.02, minibatch=32, learning_rate=1e-2))
    rates = [ppo.update([rollouts.next()], 1.0, seeded())["learning_rate"] for _ in range(6)]
    assert max(rates[2:]) < 0.7e-2


def test_values_need_not_be_clipped():
    ends = []
    for clip in (0.2, 1e9, float("inf")):
        ppo, rollouts = warmed(whole(value_clip=clip, epochs=8, learning_rate=0.05))
        ppo.update([rollouts.next()], 1.0, seeded())
        ends.append(torch.cat([parameter.detach().flatten() for parameter in ppo.policy.critic.parameters()]))
    assert torch.equal(ends[1], ends[2])
    assert not torch.equal(ends[0], ends[1])


@pytest.mark.parametrize(
    ("spoiled", "value"),
    [
        *((name, float("nan")) for name in ("rewards", "actions", "values", "observation")),
        *((name, float("inf")) for name in ("rewards", "values")),
    ],
)
def test_losses_that_are_no_numbers_end_training(spoiled, value):
    ppo, rollouts = warmed(whole(epochs=1))
    e = rollouts.next()
    target = e.observation["proprio"] if spoiled == "observation" else getattr(e, spoiled)
    target[3, 1] = value
    with pytest.raises(TrainingDiverged):
        ppo.update([e], 1.0, seeded())


def test_a_network_that_is_no_longer_finite_ends_training():
    ppo, rollouts = warmed(whole())
    e = rollouts.next()
    with torch.no_grad():
        ppo.policy.log_std[0] = float("nan")
    with pytest.raises(TrainingDiverged, match="finite"):
        ppo.update([e], 1.0, seeded())


def test_a_restored_learner_goes_on_bit_for_bit():
    ppo, rollouts = warmed(whole(minibatch=32))
    ppo.update([rollouts.next()], 1.0, seeded())
    other = PPO(policy_for(rollouts.env, seed=5), ppo.config)
    other.policy.load_state_dict(rollouts.policy.state_dict())
    other.load_state_dict(ppo.state_dict())
    e = rollouts.next()
    metrics = ppo.update([copy.deepcopy(e)], 0.7, seeded(4))
    assert other.update([copy.deepcopy(e)], 0.7, seeded(4)) == metrics
    assert torch.equal(weights(other.policy), weights(ppo.policy))


def test_two_threads_give_the_numbers_of_one():
    config = PPOConfig(minibatch=32, epochs=2, kl_stop=1e9)
    rollouts = Rollouts()
    experiences = [rollouts.next() for _ in range(3)]
    learned = []
    for threads in (1, 2):
        policy = policy_for(rollouts.env)
        ppo = PPO(policy, config, threads)
        figures = [ppo.update([copy.deepcopy(e)], 1.0, seeded(7)) for e in experiences]
        learned.append((weights(policy), figures[1:]))
    assert torch.equal(learned[0][0], learned[1][0])
    assert learned[0][1] == learned[1][1]


def test_values_that_are_no_numbers_are_noticed_beside_the_actor_too():
    rollouts = Rollouts()
    ppo = PPO(rollouts.policy, PPOConfig(minibatch=32), threads=2)
    ppo.update([rollouts.next()], 1.0, seeded())
    experience = rollouts.next()
    experience.values.fill_(torch.nan)
    with pytest.raises(TrainingDiverged):
        ppo.update([experience], 1.0, seeded())


def test_linear_algebra_gets_its_threads_back():
    found = []
    before = torch.get_num_threads(), [pool["num_threads"] for pool in threadpool_info()]
    with linear_algebra_on(1):
        found += [torch.get_num_threads(), *(pool["num_threads"] for pool in threadpool_info() if _blas_of_numpy(pool))]
    assert set(found) == {1}
    assert (torch.get_num_threads(), [pool["num_threads"] for pool in threadpool_info()]) == before


def _blas_of_numpy(pool):
    return pool["internal_api"] == "openblas"
