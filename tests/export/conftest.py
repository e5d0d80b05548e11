"""A bundle of a policy that was never trained: it moves all the same, and nothing here depends on how well."""

import json
import shutil
from pathlib import Path

import pytest
import torch
import yaml

from embodied.learning.load import POLICY, save_policy
from embodied.networks import ActorCritic, PolicyShape

pytest.importorskip("onnx", reason="needs the extra export")
pytest.importorskip("onnxruntime", reason="needs the extra export")

from embodied.cli.main import main
from embodied.envs import make
from embodied.export.bundle import make_bundle
from embodied.export.deployed import laid_down
from embodied.export.skills import commanded_prior
from embodied.skills.ase.config import ASEConfig
from embodied.skills.ase.policy import SkillPolicy, SkillShape
from embodied.skills.ase.prior import PRIOR, ASEPrior, Origin, save_prior
from morphologies import find_body

PROPRIO = 3 * (12 + 12 + 3 + 3 + 12)
"""Joint positions and velocities, gyro, gravity and last action of three control steps."""


def trembling(generator):
    """A policy for a Go1's velocity task that moves all joints by a tenth of a radian or so."""
    shape = PolicyShape({"policy": 45}, 12, hidden=(32, 32))
    policy = ActorCritic(shape, generator)
    policy.update_normalisers({"policy": torch.randn(500, 45, generator=generator) * 0.5 + 0.1})
    with torch.no_grad():
        policy.actor.trunk.layers[-1].weight *= 0.4  # so gently that it is not chance what becomes of the last digit
    return policy


@pytest.fixture(scope="session", autouse=True)
def few_episodes():
    """Whose returns are kept: as many as a test has time for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("embodied.export.returns.EPISODES", 4)
        patch.setattr("embodied.export.returns.FEWEST", 4)
        yield


@pytest.fixture(scope="session")
def made_run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("training") / "run"
    folder.mkdir()
    config = {"kind": "train", "task": "velocity", "body": None, "genome": None, "steps": 1000, "seed": 3}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    save_policy(trembling(torch.Generator().manual_seed(0)), folder / POLICY)
    (folder / "evaluation.json").write_text(json.dumps({"episodes": 2, "return": {"mean": 1.0}}))
    return folder


@pytest.fixture(scope="session")
def made_bundle(made_run) -> Path:
    """As the command writes it; not to be changed."""
    folder = made_run.parent / "bundle"
    main(["export", str(made_run), "--out", str(folder), "--licence", "CC0-1.0"])
    return folder


@pytest.fixture
def bundle(made_bundle, tmp_path) -> Path:
    """One of one's own."""
    return Path(shutil.copytree(made_bundle, tmp_path / "bundle"))


def untrained_prior() -> ASEPrior:
    """A Go1's skills as they are before any training, small enough to keep it standing or so."""
    env = make("heading", num_worlds=1)
    try:
        spaces = env.observation_space.spaces
        spaces = type(env.observation_space)({name: spaces[name] for name in ("proprio", "privileged", "style")})
        config, generator = ASEConfig(hidden=(48, 32), latent=8), torch.Generator().manual_seed(4)
        policy = SkillPolicy(SkillShape.for_spaces(spaces, env.action_space, config), generator)
        size = spaces["proprio"].shape[0]
        policy.normaliser("proprio").update(0.2 + 0.5 * torch.randn(300, size, generator=generator))
        with torch.no_grad():
            policy.decoder.mean.weight *= 0.1
        terms = {"proprio": env.observation_spec.groups["proprio"]}
        return ASEPrior(policy, Origin("go1", env.control_dt, terms))
    finally:
        env.close()


@pytest.fixture(scope="session")
def prior_run(tmp_path_factory) -> Path:
    """A pre-training's folder, on two of the clips that ship."""
    folder = tmp_path_factory.mktemp("pretraining") / "run"
    folder.mkdir()
    clips = Path(__file__).parents[2] / "assets" / "motions" / "go1"
    motions = [str(clips / "trot.npz"), str(clips / "stand.npz")]
    config = {"kind": "ase", "robot": "go1", "motions": motions, "steps": 5000, "seed": 1, "ase": {"longest_skill": 40}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    save_prior(untrained_prior(), folder / PRIOR)
    return folder


@pytest.fixture(scope="session")
def prior_bundle(prior_run) -> Path:
    """Not to be changed."""
    folder = prior_run.parent / "bundle"
    main(["export", str(prior_run), "--out", str(folder), "--licence", "CC0-1.0"])
    return folder


def commanding(goal: int) -> ActorCritic:
    """A high-level policy that was never trained, for a goal of so many numbers."""
    shape = PolicyShape({"proprio": PROPRIO, "goal": goal}, 8, hidden=(24, 16))
    return ActorCritic(shape, torch.Generator().manual_seed(2))


def high_level_bundle(task: str, goal: int, folder: Path) -> Path:
    """A bundle of such a policy with the prior that was never trained either."""
    training = {"steps": None, "seed": 0, "configuration": {}, "evaluation": None}
    given = commanded_prior(untrained_prior(), commanding(goal), task, find_body("go1"), 8, training)
    laid_down(make_bundle(given, task, "CC0-1.0")[0], folder)
    return folder


@pytest.fixture(scope="session")
def heading_bundle(tmp_path_factory) -> Path:
    """Not to be changed."""
    return high_level_bundle("heading", 7, tmp_path_factory.mktemp("heading") / "bundle")
