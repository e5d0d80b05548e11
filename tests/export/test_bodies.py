"""Bundles of other tasks and bodies, and what cannot be one."""

import numpy as np
import pytest
import torch

from embodied.envs import make
from embodied.export.bundle import make_bundle
from embodied.export.check import judge
from embodied.export.deployable import trained_policy
from embodied.export.errors import BundleError
from embodied.export.tolerances import TOLERANCES
from embodied.learning.load import save_policy
from embodied.networks import ActorCritic, PolicyConfig, PolicyShape
from morphologies import find_body


def made(task, body, folder):
    """Files of the bundle of a policy that hardly moves."""
    env = make(task, body, 1)
    shape = PolicyShape.for_spaces(env.observation_space, env.action_space, PolicyConfig(hidden=(16,)))
    env.close()
    policy = ActorCritic(shape, torch.Generator().manual_seed(0))
    with torch.no_grad():
        policy.actor.trunk.layers[-1].weight *= 0.1
    folder.mkdir()
    save_policy(policy, folder / "policy.safetensors")
    training = {"steps": None, "seed": None, "configuration": {}, "evaluation": None}
    files, _ = make_bundle(trained_policy(folder, body, task, training), "a bundle", "CC0-1.0")
    for path, content in files.items():
        (folder / "bundle" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "bundle" / path).write_bytes(content)
    return folder / "bundle"


def test_every_instrument_of_a_position_controlled_robot_is_read_as_in_the_framework(tmp_path):
    """The DERL tasks read all there are: accelerometer, touch, limb ends, velocities."""
    verdict = judge(made("flat", find_body("go1"), tmp_path / "go1"))
    assert verdict.apart.joint_pos <= TOLERANCES["joint_pos"]
    sources = {each["name"]: each["source"] for each in verdict.manifest["readings"]}
    assert sources["accelerometer"] == "measured"
    assert sources["velocimeter"] == sources["root_linear_velocity"] == "estimated"


def test_a_motor_driven_creature_is_bundled_too(tmp_path):
    verdict = judge(made("flat", find_body("ant"), tmp_path / "ant"))
    assert verdict.replayed <= 1e-9
    assert {each["meaning"] for each in verdict.manifest["action"]["actuators"]} == {"torque"}
    torques = [each["torque_per_control"] for each in verdict.manifest["action"]["actuators"]]
    model = find_body("ant").spec().compile()
    np.testing.assert_allclose(torques, model.actuator_gear[:, 0])
    assert verdict.manifest["action"]["clip"] is None


@pytest.mark.parametrize(
    ("task", "why"), [("manipulation", r"things beside the robot \(object\)"), ("obstacle", "level")]
)
def test_tasks_with_things_or_hills_are_refused(task, why, tmp_path):
    with pytest.raises(BundleError, match=why):
        made(task, find_body("ant"), tmp_path / "ant")
