"""Environments from elsewhere: stepped beside Gymnasium's own, trained on, and refused where they do not fit."""

import json
import math
import os
import subprocess
import sys

import gymnasium
import imageio_ffmpeg
import numpy as np
import pytest
import torch

import embodied
from embodied.cli.main import main
from embodied.envs.foreign import ForeignEnv, is_foreign
from embodied.learning.evaluate import zero_actor
from embodied.report.foreign_film import film_foreign
from embodied.runs.errors import UserError


@pytest.fixture
def strange():
    """Registers a class under an id for the length of a test."""
    ids = []

    def register(kind, **facts):
        name = f"{kind.__name__}-v0"
        ids.append(name)
        gymnasium.register(name, entry_point=kind, **facts)
        return f"gymnasium:{name}"

    yield register
    for name in ids:
        gymnasium.registry.pop(name)


class Counter(gymnasium.Env):
    """Counts its steps; ends after four, and shows where it began."""

    observation_space = gymnasium.spaces.Dict(
        {
            "count": gymnasium.spaces.Box(0, 100, (1, 2), np.float64),
            "kind": gymnasium.spaces.Discrete(3),
        }
    )
    action_space = gymnasium.spaces.Box(-2.0, 1.0, (2, 1), np.float64)
    metadata = {"render_modes": [], "render_fps": 25}  # noqa: RUF012

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.count, self.begun = 0, float(self.np_random.integers(100))
        return self._show(), {}

    def _show(self):
        return {"count": np.array([[self.count, self.begun]]), "kind": self.count % 3}

    def render(self):
        return None

    def step(self, action):
        assert self.action_space.contains(action), action
        self.count += 1
        return self._show(), float(action.sum()), self.count == 4, False, {}


def test_groups_are_flat_rows_actions_are_clipped_and_ended_worlds_begin_anew(strange):
    env = ForeignEnv(strange(Counter), 3)
    assert env.action_space == gymnasium.spaces.Box(-2.0, 1.0, (2,), np.float32)
    assert env.observation_space["count"].shape == (2,)
    assert env.observation_space["kind"].shape == (3,)
    assert (env.control_dt, env.episode_steps) == (0.04, None)
    observation, _ = env.reset(7)
    starts = observation["count"][:, 1].clone()
    assert observation["count"].dtype == torch.float32
    assert observation["kind"].tolist() == [[1, 0, 0]] * 3
    actions = torch.tensor([[0.5, 0.25], [9.0, 9.0], [-9.0, 9.0]])
    for step in range(1, 9):
        observation, reward, terminated, truncated, info = env.step(actions)
        assert reward.tolist() == [0.75, 2.0, -1.0]
        ended = step in (4, 8)
        assert terminated.tolist() == [ended] * 3
        assert not truncated.any()
        assert torch.equal(info["terms"]["reward"], reward.double())
        final = info["final_obs"]["count"]
        assert final[:, 0].tolist() == [(step - 1) % 4 + 1] * 3
        if ended:
            episode = info["episode"]
            assert episode["world"].tolist() == [0, 1, 2]
            assert episode["return"].tolist() == [3.0, 8.0, -4.0]
            assert episode["length"].tolist() == [4, 4, 4]
            assert torch.equal(episode["terms"]["reward"], episode["return"])
            assert observation["count"][:, 0].tolist() == [0] * 3
            if step == 4:
                assert torch.equal(final[:, 1], starts)
        else:
            assert info["episode"]["world"].numel() == 0
            assert torch.equal(observation["count"], final)
    with pytest.raises(ValueError, match=r"\(3, 2\)"):
        env.step(torch.zeros(3, 1))


def test_it_plays_what_gymnasium_s_own_environment_plays():
    env, twin = ForeignEnv("gymnasium:Pendulum-v1", 2), gymnasium.make("Pendulum-v1")
    observation, _ = env.reset(11)
    seed = int(np.random.SeedSequence((11, 0)).generate_state(2)[1])
    theirs, _ = twin.reset(seed=seed)
    for action in torch.rand(250, 2, 1, generator=torch.Generator().manual_seed(0)) * 4 - 2:
        np.testing.assert_array_equal(observation["observation"][1], theirs)
        observation, reward, terminated, truncated, info = env.step(action)
        theirs, expected, ended, cut, _ = twin.step(action[1].numpy())
        assert reward[1] == pytest.approx(expected)
        assert (bool(terminated[1]), bool(truncated[1])) == (ended, cut)
        if ended or cut:
            np.testing.assert_array_equal(info["final_obs"]["observation"][1], theirs)
            theirs, _ = twin.reset()
    assert env.episode_steps == 200
    assert env.control_dt == pytest.approx(0.05)


class Failing(Counter):
    def step(self, action):
        observation, reward, *rest = super().step(action)
        if self.count == 2:
            observation["count"] = np.array([[np.nan, 0.0]])
        return observation, reward, *rest


def test_a_world_that_shows_no_number_ends_as_unhealthy_with_what_it_showed_before(strange):
    env = ForeignEnv(strange(Failing), 2)
    env.reset(0)
    before, *_ = env.step(torch.ones(2, 2))
    after, reward, terminated, _, info = env.step(torch.ones(2, 2))
    assert info["unhealthy"].all()
    assert terminated.all()
    assert reward.tolist() == [0.0, 0.0]
    assert torch.equal(info["final_obs"]["count"], before["count"])
    assert torch.isfinite(after["count"]).all()
    assert info["episode"]["return"].tolist() == [2.0, 2.0]


def test_seeds_repeat_and_a_state_taken_up_begins_the_same_new_episodes(strange):
    name = strange(Counter)

    def begun(env):
        return env._latest["count"][:, 1].tolist()

    env, twin = ForeignEnv(name, 4, seed=5), ForeignEnv(name, 4)
    env.reset()
    twin.reset(5)
    first = begun(env)
    assert begun(twin) == first
    for _ in range(6):
        env.step(torch.zeros(4, 2))
    state = env.state_dict()
    taken = env.load_state_dict(state)["count"]
    assert taken[:, 0].tolist() == [0] * 4
    assert begun(env) != first
    assert torch.equal(twin.load_state_dict(state)["count"], taken)
    for _ in range(5):
        one, two = env.step(torch.zeros(4, 2))[0], twin.step(torch.zeros(4, 2))[0]
        assert torch.equal(one["count"], two["count"])


def test_dm_control_s_groups_time_and_limit_come_through():
    env = embodied.make("dm_control:walker-walk", num_worlds=2)
    assert {name: space.shape for name, space in env.observation_space.spaces.items()} == {
        "height": (1,),
        "orientations": (14,),
        "velocity": (9,),
    }
    assert env.control_dt == pytest.approx(0.025)
    assert env.episode_steps == 1000
    one, _ = env.reset(3)
    two, _ = env.reset(3)
    assert torch.equal(one["orientations"], two["orientations"])
    assert not torch.equal(one["orientations"][0], one["orientations"][1])
    same = embodied.make("gymnasium:shimmy:dm_control/walker-walk-v0")
    assert same.observation_space == env.observation_space
    env.close()
    same.close()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gymnasium:Pendulim-v1", "did you mean gymnasium:Pendulum-v1"),
        ("gymnasium:pendulum-v1", "did you mean gymnasium:Pendulum-v1"),
        ("dm_control:cartpole-balanse", "did you mean dm_control:cartpole-balance"),
        ("gymnasium:no_such_module:Thing-v0", "no_such_module"),
        ("gymnasium:CartPole-v1", r"action space Discrete\(2\)"),
        ("gymnasium:", "Malformed"),
    ],
)
def test_what_there_is_not_or_does_not_fit_is_refused_in_a_sentence(name, expected):
    with pytest.raises(UserError, match=expected):
        embodied.make(name)


def test_a_foreign_environment_has_a_body_of_its_own():
    with pytest.raises(UserError, match="body of its own"):
        embodied.make("gymnasium:Pendulum-v1", body="ant")
    assert is_foreign("gymnasium:Pendulum-v1")
    assert not is_foreign("flat")


def figures(capsys, *arguments):
    main([str(argument) for argument in arguments])
    return capsys.readouterr().out


@pytest.mark.parametrize("task", ["gymnasium:Pendulum-v1", "dm_control:cartpole-balance"])
def test_a_policy_trains_there_resumes_and_is_evaluated(task, tmp_path, capsys):
    run = tmp_path / "run"
    flags = ["--task", task, "--worlds", 4, "--episodes", 2, "--ppo.rollout-steps", 64, "--ppo.minibatch", 64]
    flags += ["--policy.hidden", 16, 16, "--checkpoint-every", 2, "--out", run, "--threads", 1]
    said = figures(capsys, "train", *flags, "--steps", 1024)
    assert task in said
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    for row in rows[1:]:
        losses = [value for name, value in row.items() if "loss" in name]
        assert losses
        assert all(math.isfinite(value) for value in losses)
    figures(capsys, "train", *flags, "--steps", 2048, "--resume")
    result = json.loads((run / "evaluation.json").read_text())
    assert result["episodes"] == 2
    assert all(math.isfinite(value) for value in result["returns"])
    said = figures(capsys, "eval", run, "--episodes", 1, "--json", tmp_path / "eval.json")
    assert task in said
    assert json.loads((tmp_path / "eval.json").read_text())[str(run)]["body"] is None
    with pytest.raises(SystemExit):
        main(["view", str(run)])
    assert f"embodied play {run} films {task}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["train", "--task", "gymnasium:Pendulum-v1", "--body", "ant"], "body of its own"),
        (["train", "--task", "dm_control:cartpole-balanse"], "dm_control:cartpole-balance"),
        (["eval", "--task", "gymnasium:CartPole-v1", "--policy", "zero"], "Discrete"),
    ],
)
def test_commands_refuse_in_a_sentence(arguments, expected, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as refused:
        main(arguments)
    assert refused.value.code == 2
    assert expected in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_ages_are_spread_where_the_time_limit_is_known_and_refused_where_it_is_not(strange, tmp_path, capsys):
    run, asked = tmp_path / "run", ["train", "--spread-ages", "True", "--out"]
    with pytest.raises(SystemExit):
        main([*asked, str(run), "--task", strange(Counter)])
    assert "leave --spread-ages out" in capsys.readouterr().err
    assert not run.exists()
    few = ["--worlds", "8", "--steps", "1200", "--episodes", "1", "--ppo.rollout-steps", "64", "--policy.hidden", "8"]
    figures(capsys, *asked, run, "--task", "gymnasium:Pendulum-v1", *few)
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert 0 < rows[0]["episodes"] < 8  # of 200 steps each, within 64
    assert rows[0]["episode/length"] < 64


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the reader leaves its pipes open
def test_play_films_it_through_its_own_renderer(tmp_path):
    # In a process of its own: drawing has to be chosen before MuJoCo is imported.
    film = tmp_path / "film.mp4"
    flags = ["--task", "dm_control:cartpole-balance", "--policy", "random", "--seconds", "0.2", "--video", str(film)]
    environment = {**os.environ, "MUJOCO_GL": "egl"}
    command = [sys.executable, "-m", "embodied", "play", *flags]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if "off-screen OpenGL" in done.stderr:
        pytest.skip("no off-screen OpenGL on this machine")
    assert done.returncode == 0, done.stderr
    frames = imageio_ffmpeg.read_frames(str(film))
    assert next(frames)["size"] == (320, 240)
    first = np.frombuffer(next(frames), np.uint8)
    assert first.std() > 10
    assert sum(1 for _ in frames) == 4


def test_an_environment_that_draws_nothing_is_told(strange, tmp_path):
    env = ForeignEnv(strange(Counter))
    with pytest.raises(UserError, match="draws no pictures"):
        film_foreign(env, zero_actor(env.action_space), tmp_path / "film.mp4", 0, 1.0)
    assert not list(tmp_path.iterdir())
