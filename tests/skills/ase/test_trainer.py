"""Pre-training: who learns from what, bootstrapping where skills end, and resuming bit for bit."""

import dataclasses

import pytest
import torch

from embodied.runs.checkpoint import latest_checkpoint, save_checkpoint
from embodied.skills.ase.rewards import skill_reward, style_reward
from tests.skills.ase.small import CONFIG, trainer

ITERATIONS = 5


def same(one, other):
    (tensors, facts), (others, other_facts) = one, other
    assert facts == other_facts
    assert tensors.keys() == others.keys()
    for name in tensors:
        assert torch.equal(tensors[name], others[name]), name


@pytest.fixture(scope="module")
def uninterrupted():
    whole = trainer(iterations=ITERATIONS)
    states, metrics = [whole.state()], []
    while not whole.finished:
        metrics.append(whole.iterate())
        states.append(whole.state())
    whole.env.close()
    return states, metrics


@pytest.mark.parametrize("killed_at", [0, 1, 3, ITERATIONS])
def test_training_killed_at_any_iteration_goes_on_bit_for_bit(uninterrupted, killed_at, tmp_path):
    states, metrics = uninterrupted
    tensors, facts = states[killed_at]
    save_checkpoint(tmp_path, facts["steps"], tensors, facts)
    again = trainer(iterations=ITERATIONS, env_seed=5)
    again.iterate()  # what a trainer did before must not matter
    again.load_state(*latest_checkpoint(tmp_path))
    same(again.state(), states[killed_at])
    rest = []
    while not again.finished:
        rest.append(again.iterate())
    assert rest == metrics[killed_at:]
    same(again.state(), states[-1])
    again.env.close()


def test_everything_that_learns_moves(uninterrupted):
    states, metrics = uninterrupted
    first, last = states[0][0], states[-1][0]
    moved = {name.split("/")[1].split(".")[0] for name in first if not torch.equal(first[name], last[name])}
    assert {"decoder", "critic", "discriminator", "style_normaliser", "value_normaliser", "normalisers"} <= moved
    assert "reward/style" not in metrics[0]  # the first rollout only fills the normalisers
    assert set(metrics[1]) == set(metrics[-1])


@pytest.fixture
def collected():
    made = trainer()
    made.iterate()
    made.iterate()
    yield made
    made.env.close()


def filled(made, monkeypatch, mask=None):
    """A rollout that nothing was learned from."""
    monkeypatch.setattr(made.learner, "update", lambda rollout, generator, actor: {})
    if mask is not None:
        monkeypatch.setattr("embodied.skills.ase.trainer.noisy_mask", lambda *_: mask)
    made.iterate()
    monkeypatch.undo()
    return made.rollout


def test_only_samples_with_noise_move_the_actor(collected, monkeypatch):
    mask = torch.zeros(8, 6, dtype=torch.bool)
    mask[:, :3] = True
    rollout = filled(collected, monkeypatch, mask)
    learner, policy, e = collected.learner, collected.policy, rollout.experience
    means = policy.decoder({n: e.observation[n][:-1] for n in policy.decoder.groups}, rollout.latents[:-1])
    off = (e.actions - means).abs().amax(dim=-1)
    assert bool((off[~mask] == 0).all()) or float(off[~mask].max()) < 1e-5
    assert bool((off[mask] > 1e-3).all())
    state = {name: value.clone() for name, value in policy.state_dict().items()}
    stored = learner.state_dict()

    def actor_after(change):
        policy.load_state_dict(state)
        learner.load_state_dict(stored)
        learner._reward(rollout)
        advantages = learner._advantages(rollout)
        change(advantages)
        seen = policy.normalise(dict(e.flat_observation()))
        generator = torch.Generator().manual_seed(0)
        learner._fit_actor(rollout, seen, rollout.latents[:-1].flatten(0, 1), advantages.flatten(), generator)
        return learner.optimisers["actor"].flat.clone()

    asis = actor_after(lambda advantages: None)
    assert torch.equal(asis, actor_after(lambda advantages: advantages.masked_fill_(~mask, 1e6)))
    assert not torch.equal(asis, actor_after(lambda advantages: advantages[0, 0].add_(1.0)))


def test_rewards_are_those_of_discriminator_and_encoder(collected, monkeypatch):
    rollout = filled(collected, monkeypatch)
    figures = collected.learner._reward(rollout)
    policy = collected.policy
    flat = policy.style_normaliser(rollout.windows).flatten(-2)
    with torch.no_grad():
        logit, encoded = policy.discriminator(flat)
    expected = 0.5 * style_reward(logit) + 0.5 * skill_reward(encoded, rollout.latents[:-1])
    assert torch.allclose(rollout.experience.rewards, expected)
    assert figures["reward"] == pytest.approx(float(expected.mean()), rel=1e-5)


def test_where_a_skill_ends_its_value_is_that_of_going_on_with_it(collected, monkeypatch):
    rollout = filled(collected, monkeypatch)
    e, policy = rollout.experience, collected.policy
    assert bool(rollout.resampled.any())
    assert bool((e.truncated & ~rollout.resampled).any())
    step, world = rollout.resampled.nonzero()[0].tolist()
    assert not torch.equal(rollout.latents[step, world], rollout.latents[step + 1, world])
    after = policy.normalise({name: group[step + 1, world] for name, group in e.observation.items()})
    with torch.no_grad():
        value = policy.value(after, rollout.latents[step, world])
        other = policy.value(after, rollout.latents[step + 1, world])
    assert float(e.final_values[step, world]) == pytest.approx(float(value), abs=1e-5)
    assert float(e.values[step + 1, world]) == pytest.approx(float(other), abs=1e-5)
    advantages = collected.learner._advantages(rollout)
    delta = e.rewards[step, world] + 0.99 * value - e.values[step, world]
    assert float(advantages[step, world]) == pytest.approx(float(delta), abs=1e-5)


def test_values_come_back_in_rewards_from_the_value_normaliser(collected):
    policy = collected.policy
    e, rollout = collected.rollout.experience, collected.rollout
    norm = policy.value_normaliser
    seen = policy.normalise(dict(e.observation))
    with torch.no_grad():
        raw = policy.critic(seen, rollout.latents).double()
        value = policy.value(seen, rollout.latents)
    assert torch.allclose(value.double(), raw * norm.variance.sqrt() + norm.mean, atol=1e-6)
    assert torch.allclose(norm(value[..., None])[..., 0].double(), raw, atol=1e-4)


def test_wrong_hyperparameters_are_refused_by_name():
    from embodied.runs.errors import UserError

    for field, value, said in (
        ("latent", 1, "--ase.latent must be at least 2"),
        ("hidden", (), "--ase.hidden must be sizes"),
        ("gamma", 1.5, "--ase.gamma must lie between 0 and 1"),
        ("action_std", 0.0, "--ase.action-std must be above 0"),
        ("style_reward", -1.0, "--ase.style-reward must be 0 or above"),
        ("discriminator_steps", 0, "discriminator-steps must be at least 1"),
    ):
        with pytest.raises(UserError, match=said):
            dataclasses.replace(CONFIG, **{field: value}).check()
