from torch import nn

from embodied.bench.learners import OURS, Learners, bench_learners, rsl_rl_runner
from embodied.bench.trainers import begin_training
from embodied.envs import make
from embodied.learning.ppo import PPOConfig
from tests.bench.silence import Silent

SMALL = PPOConfig(rollout_steps=8, minibatch=16)


def test_every_learner_is_timed_on_our_environment():
    figures = bench_learners(Learners(steps=32, worlds=4, threads=1, runs=1, ppo=SMALL), Silent())
    rates = figures["steps_per_second"]
    assert len(rates) == 5
    assert all(rate > 0 for rate in rates.values())
    assert set(figures["ours_times_as_fast"]) == set(rates) - {OURS}


def test_rsl_rl_learns_with_our_network_batch_and_settings():
    ours = begin_training("flat", "ant", 4, SMALL, 1, steps=64)
    env = make("flat", "ant", 4, threads=1)
    runner = rsl_rl_runner(env, SMALL)
    theirs = runner.alg
    assert (theirs.num_mini_batches, theirs.num_learning_epochs) == (2, SMALL.epochs)
    assert (theirs.gamma, theirs.lam, theirs.clip_param) == (SMALL.gamma, SMALL.gae_lambda, SMALL.clip)
    assert theirs.optimizer.param_groups[0]["lr"] == SMALL.learning_rate
    assert theirs.schedule == "fixed"
    for model, network in ((theirs.actor, ours.policy.actor), (theirs.critic, ours.policy.critic)):
        layers = [(layer.in_features, layer.out_features) for layer in model.mlp if isinstance(layer, nn.Linear)]
        weights = [parameter for parameter in network.parameters() if parameter.dim() == 2]
        assert sorted(layers) == sorted(tuple(weight.shape[::-1]) for weight in weights)
        assert model.obs_normalization
    ours.env.close()
    env.close()
