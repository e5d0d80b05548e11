"""The ASE prior: what every prior promises, its file, and what is refused."""

import json
import struct

import pytest
import torch

import embodied
from embodied.envs import make
from embodied.envs.latent import LatentEnv
from embodied.runs.checkpoint import save_checkpoint
from embodied.runs.errors import UserError
from embodied.skills.ase.evaluation import evaluate_repertoire
from embodied.skills.ase.prior import PRIOR, load_prior, save_prior
from embodied.skills.prior import SkillPrior, StyledPrior
from embodied.testing import check_prior
from morphologies import find_body
from tests.skills.ase.small import task, trainer


@pytest.fixture(scope="module")
def trained():
    made = trainer(iterations=3)
    while not made.finished:
        made.iterate()
    yield made
    made.env.close()


def decided(prior, observation):
    return prior.decode(observation, prior.sample(6, torch.Generator().manual_seed(0)))[0]


def test_the_prior_keeps_every_promise(trained):
    env = make(task(steps=17), "go1", 4, threads=1)
    check_prior(trained.prior(), env)
    env.close()
    assert isinstance(trained.prior(), SkillPrior)
    assert isinstance(trained.prior(), StyledPrior)
    assert trained.prior().robot == "go1"


def test_a_run_gives_its_prior_and_before_its_end_its_latest_checkpoints(trained, tmp_path):
    observation = trained._standing.observation
    expected = decided(trained.prior(), observation)
    save_checkpoint(tmp_path / "checkpoints", trained.steps, *trained.state())
    assert torch.equal(decided(load_prior(tmp_path), observation), expected)
    save_prior(trained.prior(), tmp_path / PRIOR)
    for place in (tmp_path, tmp_path / PRIOR):
        prior = load_prior(place)
        assert torch.equal(decided(prior, observation), expected)
        assert prior.control_dt == trained.prior().control_dt
        assert dict(prior.observation_spec) == dict(trained.prior().observation_spec)
        window = trained.rollout.windows[0]
        assert torch.equal(prior.style_reward(window), trained.prior().style_reward(window))
        assert torch.allclose(prior.encode(window).norm(dim=-1), torch.ones(6))


def test_what_is_no_prior_is_refused_with_the_file(trained, tmp_path):
    with pytest.raises(UserError, match="holds no skill prior"):
        load_prior(tmp_path)
    with pytest.raises(UserError, match="cannot be read"):
        load_prior(tmp_path / "nowhere.safetensors")
    file = tmp_path / PRIOR
    save_prior(trained.prior(), file)
    data = file.read_bytes()
    for broken in (b"", data[:100], data[: len(data) // 2], b"x" * 300):
        file.write_bytes(broken)
        with pytest.raises(UserError, match=r"prior\.safetensors is damaged or no skill prior"):
            load_prior(file)
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    metadata, shape = header["__metadata__"], json.loads(header["__metadata__"]["shape"])
    for absurd in (json.dumps({**shape, "latent": 10**9}), json.dumps({**shape, "window": 0}), "[" * 100_000):
        text = json.dumps({**header, "__metadata__": {**metadata, "shape": absurd}}).encode()
        file.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])
        with pytest.raises(UserError, match="damaged"):
            load_prior(file)
    header["__metadata__"]["version"] = "99"
    text = json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])
    with pytest.raises(UserError, match="newer version"):
        load_prior(file)


def test_style_is_rewarded_beside_the_task_and_averaged_over_the_hold(trained):
    prior = trained.prior()
    plain, wrapped = (make("heading", "go1", 3, threads=1) for _ in range(2))
    env = LatentEnv(wrapped, prior, 4, style=True)
    (one, _), _ = plain.reset(seed=5), env.reset(seed=5)
    frames = [one["style"]] * prior.window_steps
    for number in range(2):
        latent = prior.sample(3, torch.Generator().manual_seed(number))
        _, reward, _, _, info = env.step(latent)
        style, speed = torch.zeros(3), torch.zeros(3)
        for _ in range(4):
            one, _, terminated, _, told = plain.step(prior.decode(one, latent)[0])
            assert not terminated.any()
            frames = [*frames[1:], one["style"]]
            style += 0.1 * prior.style_reward(torch.stack(frames, dim=1)) / 4
            speed += 0.9 * told["terms"]["speed"].float() / 4
        assert torch.allclose(info["terms"]["style"].float(), style, atol=1e-5)
        assert torch.allclose(info["terms"]["speed"].float(), speed, atol=1e-5)
        assert torch.allclose(reward, torch.stack(tuple(info["terms"].values())).sum(dim=0).float(), atol=1e-5)
    plain.close()
    env.close()


def test_embodied_load_gives_the_prior(trained, tmp_path):
    save_prior(trained.prior(), tmp_path / PRIOR)
    (tmp_path / "config.yaml").write_text("kind: ase\n")
    for place in (tmp_path, tmp_path / PRIOR):
        assert embodied.load(place).robot == "go1"


def test_the_evaluation_counts_what_it_says(trained, monkeypatch):
    monkeypatch.setattr("embodied.skills.ase.evaluation.SECONDS", 1.0)
    monkeypatch.setattr("embodied.skills.ase.evaluation.SWITCH", 0.1)
    figures = evaluate_repertoire(trained.prior(), task(steps=40), find_body("go1"), 3, seed=1, threads=1)
    again = evaluate_repertoire(trained.prior(), task(steps=40), find_body("go1"), 3, seed=1, threads=1)
    assert figures.summary() == again.summary()
    assert set(figures.distances) == {"trot", "stand"}
    assert figures.coverage == sum(d < 0.35 for d in figures.distances.values()) / 2
    assert figures.share_within(1e9) == 1.0
    assert -1.0 <= figures.agreement <= 1.0
    assert figures.diversity > 0.0
    assert 0.0 <= figures.transitions <= 1.0
    assert 0.0 <= figures.right_on_agent <= 1.0
    assert json.dumps(figures.summary())
