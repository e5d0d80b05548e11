"""Bundles loaded back: they act as what they were made from did, and priors can be commanded in a training."""

import json
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

import embodied
from embodied.cli.main import main
from embodied.envs import make
from embodied.envs.latent import LatentEnv
from embodied.export import load as loading
from embodied.export.check import judge
from embodied.export.deployed import BundledActor, BundledPrior
from embodied.export.errors import BundleError
from embodied.learning.evaluate import mean_actor
from embodied.runs.errors import UserError
from embodied.skills.command import HeldLatents
from embodied.testing import check_prior
from tests.export.conftest import commanding, untrained_prior


@pytest.fixture
def heading():
    env = make("heading", num_worlds=4, threads=1)
    yield env
    env.close()


def test_a_prior_from_a_bundle_keeps_what_every_prior_promises(prior_bundle, heading):
    prior = embodied.load(prior_bundle)
    assert isinstance(prior, BundledPrior)
    check_prior(prior, heading, steps=8)


def test_a_prior_from_a_bundle_is_the_one_that_was_exported(prior_bundle, heading):
    prior, original = embodied.load(str(prior_bundle)), untrained_prior()
    assert isinstance(prior, BundledPrior)
    assert (prior.robot, prior.control_dt) == (original.robot, original.control_dt)
    assert prior.latent_space == original.latent_space
    np.testing.assert_allclose(prior.action_space.low, heading.action_space.low, rtol=1e-6)
    np.testing.assert_allclose(prior.action_space.high, heading.action_space.high, rtol=1e-6)
    (told,), (terms,) = prior.observation_spec.values(), original.observation_spec.values()
    assert told == tuple(replace(term, shape=()) for term in terms)  # all but how the numbers are laid out
    seen, latent = 2.0 * torch.randn(7, 126), original.sample(7)
    actions = original.decode({"proprio": seen}, latent)[0]
    torch.testing.assert_close(prior.decode({"proprio": seen}, latent)[0], actions, atol=1e-5, rtol=0)
    said = 3.0 * torch.randn(9, 8)
    torch.testing.assert_close(prior.project(said), original.project(said))
    one, other = (each.sample(5, torch.Generator().manual_seed(1)) for each in (prior, original))
    assert torch.equal(one, other)


def test_a_policy_from_a_bundle_acts_as_the_run_does(made_run, made_bundle):
    actor, wanted = embodied.load(made_bundle), mean_actor(embodied.load(made_run))
    assert isinstance(actor, BundledActor)
    assert (actor.robot, actor.task, actor.control_dt) == ("go1", "velocity", 0.02)
    env = make("velocity", num_worlds=3, threads=1)
    read, shown = actor.observation_spec["policy"], env.observation_spec.groups["policy"]
    assert [(term.name, term.size, term.frame) for term in read] == [(t.name, t.size, t.frame) for t in shown]
    np.testing.assert_allclose(actor.action_space.high, env.action_space.high, rtol=1e-6)
    observation, _ = env.reset(seed=0)
    with torch.no_grad():
        for _ in range(20):
            action = actor(observation)
            torch.testing.assert_close(action, wanted(observation), atol=1e-5, rtol=0)
            observation, *_ = env.step(action)
    env.close()


def test_a_high_level_policy_from_a_bundle_holds_its_latents(heading_bundle, heading):
    actor, wanted = embodied.load(heading_bundle), HeldLatents(commanding(7), untrained_prior(), 8)
    assert isinstance(actor, BundledActor)
    observation, _ = heading.reset(seed=1)
    actions = []
    for _ in range(19):
        with torch.no_grad():
            actions.append((actor(observation), wanted(observation)))
        observation, *_ = heading.step(actions[-1][0])
    for one, other in actions:
        torch.testing.assert_close(one, other, atol=1e-5, rtol=0)
    actor.reset()
    observation, _ = heading.reset(seed=1)
    torch.testing.assert_close(actor(observation), actions[0][0])


def refused(capsys, *arguments):
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    assert stopped.value.code == 2
    return capsys.readouterr().err


SMALL = ("--worlds", "2", "--threads", "1", "--episodes", "1", "--ppo.rollout-steps", "4", "--checkpoint-every", "2")


def test_a_training_on_a_bundle_keeps_a_copy_goes_on_and_is_handed_over(prior_bundle, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("embodied.tasks.skilled.SkilledTask.episode_steps", 10)
    bundle, run, whole = tmp_path / "prior", tmp_path / "run", tmp_path / "whole"
    shutil.copytree(prior_bundle, bundle)
    command = ["train", "--task", "heading", "--prior", str(bundle), "--hold", "3", *SMALL]
    main([*command, "--steps", "48", "--out", str(whole)])
    main([*command, "--steps", "24", "--out", str(run)])
    shutil.rmtree(bundle)
    main([*command, "--steps", "48", "--out", str(run), "--resume"])
    assert (run / "metrics.jsonl").read_text() == (whole / "metrics.jsonl").read_text()
    (whole / "prior" / "manifest.json").write_text("{}")
    assert "is no manifest of a bundle" in refused(capsys, "eval", str(whole), "--episodes", "1")
    main(["eval", str(run), "--episodes", "1", "--json", str(tmp_path / "eval.json")])
    assert json.loads((tmp_path / "eval.json").read_text())
    main(["export", str(run), "--out", str(tmp_path / "bundle")])
    assert judge(tmp_path / "bundle").action <= 1e-5
    before, after = (json.loads((place / "manifest.json").read_text()) for place in (prior_bundle, tmp_path / "bundle"))
    assert after["training"]["data"] == before["training"]["data"]
    assert after["latent"] == before["latent"]
    decoder = (tmp_path / "bundle" / "decoder.onnx").read_bytes()
    assert decoder == (prior_bundle / "decoder.onnx").read_bytes()


def test_what_is_no_prior_is_not_commanded(made_bundle, prior_bundle, tmp_path, capsys, heading):
    out = ("--out", str(tmp_path / "run"))
    assert "and no skill prior" in refused(capsys, "train", "--task", "heading", "--prior", str(made_bundle), *out)
    assert "reads a group proprio" in refused(capsys, "train", "--task", "velocity", "--prior", str(prior_bundle), *out)
    other = refused(capsys, "train", "--task", "heading", "--body", "max", "--prior", str(prior_bundle), *out)
    assert "the prior is for go1, not for max" in other  # whose joints have the same names and number
    assert "at most 10,000" in refused(
        capsys, "train", "--task", "heading", "--prior", str(prior_bundle), "--hold", "1000000000", *out
    )
    assert not (tmp_path / "run").exists()
    with pytest.raises(UserError, match="style"):
        LatentEnv(heading, embodied.load(prior_bundle), style=True)


def test_a_damaged_bundle_is_named(bundle):
    (bundle / "policy.onnx").write_bytes(b"nothing")
    with pytest.raises(BundleError, match=r"policy\.onnx: is not as it was written"):
        embodied.load(bundle)


def test_an_observation_of_something_else_is_named(made_bundle):
    actor = embodied.load(made_bundle)
    with pytest.raises(BundleError, match="reads policy, which the observation does not have"):
        actor({"proprio": torch.zeros(2, 45)})
    with pytest.raises(BundleError, match=r"45 numbers, not of shape \(2, 46\)"):
        actor({"policy": torch.zeros(2, 46)})


@pytest.mark.parametrize("library", ["onnxruntime", "onnx", "jsonschema"])
def test_without_the_extra_it_is_named(made_bundle, monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(BundleError, match=rf"needs {library}: pip install 'embodied\[export\]'"):
        embodied.load(made_bundle)


def test_priors_that_ship_go_by_their_names(prior_bundle, tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "prior_folder", lambda: tmp_path)
    monkeypatch.chdir(tmp_path.parent)
    with pytest.raises(UserError, match=r"no file or folder go1-skills$"):
        embodied.load("go1-skills")
    shutil.copytree(prior_bundle, tmp_path / "go1-skills")
    (tmp_path / "notes").mkdir()
    assert loading.prior_names() == ["go1-skills"]
    assert isinstance(embodied.load("go1-skills"), BundledPrior)
    with pytest.raises(UserError, match="those that do: go1-skills"):
        embodied.load("go2-skills")
