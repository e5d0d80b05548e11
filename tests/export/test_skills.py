"""Bundles of what was learned from motion clips: priors, what commands them, and tracking policies."""

import json

import numpy as np
import onnxruntime
import pytest
import torch
import yaml

from embodied.cli.main import main
from embodied.export.check import judge
from embodied.export.networks import decoder_network, high_level_network
from embodied.export.run_policy import BundledPolicy
from embodied.export.simulate import Simulation
from embodied.export.tolerances import TOLERANCES
from embodied.learning.load import POLICY, save_policy
from embodied.networks import ActorCritic, PolicyShape
from embodied.senses import Term
from embodied.skills.ase.latents import projected
from tests.export.conftest import PROPRIO, untrained_prior


@pytest.fixture(scope="module")
def prior_manifest(prior_bundle):
    return json.loads((prior_bundle / "manifest.json").read_text())


def within_tolerances(verdict):
    assert verdict.observation <= TOLERANCES["observation"]
    assert verdict.action <= TOLERANCES["action"]
    assert verdict.apart.joint_pos <= TOLERANCES["joint_pos"]
    assert verdict.apart.upright <= TOLERANCES["closed_loop"]
    assert verdict.apart.speed <= TOLERANCES["closed_loop"]
    return True


@pytest.mark.parametrize("batch", [1, 5])
def test_a_decoders_graph_gives_the_priors_actions(batch):
    prior = untrained_prior()
    session = onnxruntime.InferenceSession(decoder_network(prior).onnx)
    seen, latent = 3.0 * torch.randn(batch, prior.policy.shape.actor_groups["proprio"]), prior.sample(batch)
    (action,) = session.run(None, {"proprio": seen.numpy(), "latent": latent.numpy()})
    torch.testing.assert_close(torch.from_numpy(action), prior.decode({"proprio": seen}, latent)[0], atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [1e-9, 0.1, 1.0, 50.0])
def test_a_high_level_networks_latents_are_projected(size):
    policy = ActorCritic(PolicyShape({"goal": 3}, 8, hidden=(16,)), torch.Generator().manual_seed(0))
    with torch.no_grad():
        policy.actor.trunk.layers[-1].weight *= size
    network = high_level_network(policy, {"goal": (Term("goal", 3, "1", 1.0),)}, 5)
    seen = torch.randn(6, 3)
    (latent,) = onnxruntime.InferenceSession(network.onnx).run(None, {"goal": seen.numpy()})
    with torch.no_grad():
        expected = projected(policy({"goal": seen})[0].mean)
    torch.testing.assert_close(torch.from_numpy(latent), expected, atol=1e-5, rtol=0)
    np.testing.assert_allclose(np.linalg.norm(latent, axis=1), 1.0, atol=1e-6)


def test_a_prior_does_what_the_framework_does(prior_bundle):
    assert within_tolerances(judge(prior_bundle))


def test_a_prior_tells_its_latents_clips_and_histories(prior_manifest):
    latent = prior_manifest["latent"]
    assert (latent["size"], latent["held_steps"]) == (8, [1, 39])
    assert {each["name"] for each in prior_manifest["training"]["data"]} == {"trot", "stand"}
    assert all(each["licence"] for each in prior_manifest["training"]["data"])
    (decoder,) = prior_manifest["networks"]
    assert [each["name"] for each in decoder["inputs"]] == ["proprio", "latent"]
    terms = {term["name"]: term for term in decoder["inputs"][0]["terms"]}
    assert {term["history"] for term in terms.values()} == {3}
    assert terms["gyro"]["stop"] - terms["gyro"]["start"] == 9
    assert {each["source"] for each in prior_manifest["readings"]} == {"measured"}


def test_histories_begin_with_the_first_reading_and_show_the_oldest_first(prior_bundle, prior_manifest):
    policy = BundledPolicy(prior_bundle)
    terms = {
        term["name"]: slice(term["start"], term["stop"]) for term in prior_manifest["networks"][0]["inputs"][0]["terms"]
    }
    seen = []
    for turn in (1.0, 2.0, 3.0, 4.0):
        reading = {
            "gyro": [turn, 0, -turn],
            "orientation": [1, 0, 0, 0],
            "joint_pos": np.zeros(12),
            "joint_vel": np.zeros(12),
        }
        seen.append(policy.observe(reading)["proprio"][terms["gyro"]].reshape(3, 3)[:, 0].tolist())
    assert seen == [[1, 1, 1], [1, 1, 2], [1, 2, 3], [2, 3, 4]]


def test_other_latents_are_other_actions_and_samples_lie_on_the_sphere(prior_bundle):
    policy, generator = BundledPolicy(prior_bundle), np.random.default_rng(0)
    reading = {"gyro": np.zeros(3), "orientation": [1, 0, 0, 0], "joint_pos": np.zeros(12), "joint_vel": np.zeros(12)}
    latents = np.array([policy.sample_latent(generator) for _ in range(400)])
    np.testing.assert_allclose(np.linalg.norm(latents, axis=1), 1.0, atol=1e-6)
    assert np.abs(latents.mean(axis=0)).max() < 0.1
    actions = []
    for latent in latents[:2]:
        policy.reset()
        policy.latent = latent
        actions.append(policy.decide(policy.observe(reading)))
    assert np.abs(actions[0] - actions[1]).max() > 1e-3


def test_a_commanded_prior_does_what_the_framework_does(heading_bundle):
    assert within_tolerances(judge(heading_bundle))
    manifest = json.loads((heading_bundle / "manifest.json").read_text())
    assert [(each["name"], each["every"]) for each in manifest["networks"]] == [("high_level", 8), ("decoder", 1)]
    given = {each["name"]: each["frame"] for each in manifest["readings"] if each["source"] == "given"}
    assert given == {"goal_direction": "world", "goal_facing": "world", "goal_speed": ""}


def heading_rewards(position, orientation, before, given, period):
    """The reward of Peng et al. as `heading` states it, from what a camera would see: places, headings, the goal."""
    velocity = (position - before)[..., :2] / period
    direction, face = given["goal_direction"][..., :2], given["goal_facing"][..., :2]
    ahead = (velocity * direction).sum(-1)
    across = velocity - ahead[..., None] * direction
    off = (given["goal_speed"][..., 0] - ahead) ** 2 + 0.1 * (across**2).sum(-1)
    w, x, y, z = np.moveaxis(orientation, -1, 0)
    looks = np.stack((1 - 2 * (y * y + z * z), 2 * (x * y + w * z)), -1)
    looks /= np.linalg.norm(looks, axis=-1, keepdims=True)
    speed = np.where(ahead > 0, 0.7 * np.exp(-2.0 * off), 0.0)
    return speed + 0.3 * np.maximum((looks * face).sum(-1), 0.0)


def test_a_bundled_heading_policy_returns_what_the_frameworks_does(heading_bundle):
    with np.load(heading_bundle / "closed_loop.npz") as file:
        loop = dict(file)
    policy = BundledPolicy(heading_bundle)
    simulation, returns = Simulation(policy), []
    given = {key.split("/")[1]: values for key, values in loop.items() if key.startswith("given/")}
    starts = {key.split("/")[1]: values for key, values in loop.items() if key.startswith("start/")}
    count = 6
    assert np.abs(np.diff(given["goal_direction"][:count], axis=1)).max() > 0.1  # goals change on the way
    found = np.array(
        [
            simulation.run(
                {key: values[n] for key, values in starts.items()},
                {key: values[n] for key, values in given.items()},
                500,
            )[1]
            for n in range(count)
        ]
    )
    for went in (loop["root_pose"][:count], found):
        before = np.concatenate((starts["root_pose"][:count, None], went[:, :-1]), axis=1)
        rewards = heading_rewards(
            went[..., :3], went[..., 3:], before[..., :3], {k: v[:count] for k, v in given.items()}, 0.02
        )
        returns.append(rewards.sum(axis=1).mean())
    assert returns[0] > 10.0
    assert returns[1] == pytest.approx(returns[0], rel=0.02)


@pytest.mark.parametrize("about", ["reference", pytest.param("pose", marks=pytest.mark.slow)])
def test_a_tracking_policy_does_what_the_framework_does(prior_run, tmp_path, about):
    run = tmp_path / "run"
    run.mkdir()
    config = yaml.safe_load((prior_run / "config.yaml").read_text())
    config |= {"kind": "imitate", "tracking": {"about": about, "action_scale": 0.2}}
    (run / "config.yaml").write_text(yaml.safe_dump(config))
    generator = torch.Generator().manual_seed(6)
    policy = ActorCritic(PolicyShape({"proprio": PROPRIO, "goal": 72}, 12, hidden=(32, 16)), generator)
    with torch.no_grad():
        policy.actor.trunk.layers[-1].weight *= 0.2
    save_policy(policy, run / POLICY)
    main(["export", str(run), "--out", str(tmp_path / "bundle")])
    assert within_tolerances(judge(tmp_path / "bundle"))
    manifest = json.loads((tmp_path / "bundle" / "manifest.json").read_text())
    action = manifest["action"]
    assert action["about_reading"] == ("reference_target" if about == "reference" else None)
    assert action["actuators"][2]["scale"] == 0.2
    assert action["actuators"][2]["offset"] == pytest.approx(0.0 if about == "reference" else -1.8)
