"""Returns of bundles: as `embodied eval` tells them, and as `export check` holds them to the framework's."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from embodied.cli.main import main
from embodied.envs import make
from embodied.export.bundle import make_bundle
from embodied.export.check import judge, returned
from embodied.export.deployed import laid_down
from embodied.export.errors import BundleError
from embodied.export.opening import open_bundle
from embodied.export.returns import bundled_return, recorded_return, returns_of
from embodied.export.run_policy import BundledPolicy
from embodied.export.skills import commanded_prior
from embodied.learning.evaluate import evaluate
from embodied.skills.command import HeldLatents
from embodied.tasks import find_task
from morphologies import find_body
from tests.export.conftest import commanding, untrained_prior
from tests.export.test_check import rewritten

TRAINING = {"steps": None, "seed": 0, "configuration": {}, "evaluation": None}


@pytest.fixture
def heading(heading_bundle, tmp_path):
    """A bundle of one's own."""
    return shutil.copytree(heading_bundle, tmp_path / "heading")


@pytest.fixture
def short(monkeypatch):
    """Episodes of 40 steps."""
    for task in ("velocity.Velocity", "heading.Heading"):
        monkeypatch.setattr(f"embodied.tasks.{task}.episode_steps", 40)


def test_a_bundle_keeps_what_the_frameworks_evaluation_finds(heading_bundle):
    told = json.loads((heading_bundle / "manifest.json").read_text())["return"]
    env = make("heading", num_worlds=told["episodes"], threads=1)
    found = evaluate(env, HeldLatents(commanding(7), untrained_prior(), 8), told["seed"])
    env.close()
    assert set(found.lengths) == {500}  # nobody fell, whose next episode would have drawn other goals for all
    assert told["mean"] == pytest.approx(np.mean(found.returns), rel=1e-3)


def test_its_own_networks_return_the_same_from_raw_readings(heading_bundle, prior_bundle):
    verdict = judge(heading_bundle)
    mean = verdict.manifest["return"]["mean"]
    assert mean > 10.0
    assert verdict.returned == pytest.approx(mean, rel=0.02)
    assert returned(open_bundle(prior_bundle)) == (None, [])
    assert "return" not in json.loads((prior_bundle / "manifest.json").read_text())


def test_returns_are_told_by_the_check_and_the_readme(heading_bundle, capsys):
    told = json.loads((heading_bundle / "manifest.json").read_text())["return"]
    main(["export", "check", str(heading_bundle)])
    assert f"(the framework's {told['mean']:.1f})" in capsys.readouterr().out
    assert f"mean return {told['mean']:.1f}" in (heading_bundle / "README.md").read_text()


def test_an_episode_counts_up_to_its_end_and_not_beyond(short):
    env = make("heading", num_worlds=3, threads=1).env
    rewards, ends = [], []
    advance = env.advance

    def watched(actions):
        now = advance(actions)
        rewards.append(now.terms.numpy().sum(axis=0))
        ends.append(now.terminated.numpy().copy())
        return now

    env.advance = watched
    kick = torch.tensor([[20.0, -20.0, 20.0] * 4, [0.0] * 12, [0.0] * 12])
    told = []

    def act(observation, step, running):
        told.append(running.copy())
        return kick * (-1.0) ** (step // 4)

    total = returns_of(env, act, seed=1)
    env.close()
    fall = int(np.array(ends)[:, 0].argmax())
    assert 0 < fall < 39
    assert total[0] == pytest.approx(sum(each[0] for each in rewards[: fall + 1]))
    assert len(rewards) == 40
    np.testing.assert_allclose(total[1:], np.sum(rewards, axis=0)[1:])
    assert [each[0] for each in told] == [True] * (fall + 1) + [False] * (39 - fall)


def test_what_is_drawn_does_not_depend_on_who_fell(short, monkeypatch):
    monkeypatch.setattr("embodied.tasks.heading.Heading.goal_steps", (5, 9))
    goals = []
    for kick in (0.0, 20.0):
        env = make("heading", num_worlds=2, threads=1).env

        def act(observation, step, running, kick=kick):
            goals.append(observation["goal"][1].clone())
            return torch.tensor([[kick, -kick, kick] * 4, [0.0] * 12])

        returns_of(env, act, seed=3)
        env.close()
    torch.testing.assert_close(torch.stack(goals[:40]), torch.stack(goals[40:]))


def test_a_return_other_than_the_frameworks_is_refused_unless_chance_makes_more_of_it(heading):
    rewritten(heading, lambda m: m["return"].update(mean=1.05 * m["return"]["mean"], chance=0.0))
    with pytest.raises(BundleError, match="the mean returns differ from the framework's by 4"):
        returned(open_bundle(heading))
    rewritten(heading, lambda m: m["return"].update(chance=0.1))
    _, (note,) = returned(open_bundle(heading))
    assert note == "the mean returns say little: chance alone makes differences of 1.0e-01"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda m: m.pop("return"), "no mean return is kept in it"),
        (lambda m: m["training"].update(task="chess"), "was trained in 'chess', which is no task here"),
        (lambda m: m["training"].update(task="location"), "reads a group goal that is made of other terms"),
        (lambda m: m["robot"].update(name="rex"), "no body goes by that name here"),
        (lambda m: m["robot"].update(name="/etc/hostname.xml"), "no body goes by that name here"),
        (lambda m: m["robot"].update(name="max"), "for another robot than the max of this framework: robot.mass"),
    ],
)
def test_where_task_or_robot_are_not_here_the_check_says_so(heading, change, why):
    rewritten(heading, change)
    found, (note,) = returned(open_bundle(heading))
    assert found is None
    assert why in note


def test_a_body_that_is_none_of_those_here_is_held_to_its_return_when_it_is_exported(short, tmp_path, monkeypatch):
    monkeypatch.setattr("embodied.export.record.SECONDS", 1.0)
    body = replace(find_body("go1"), name="rex", action_scale=0.2)
    given = commanded_prior(untrained_prior(), commanding(7), "heading", body, 8, TRAINING)
    laid_down(make_bundle(given, "rex", "CC0-1.0")[0], tmp_path / "rex")
    bundle = open_bundle(tmp_path / "rex")
    assert returned(bundle, body)[0] == pytest.approx(bundle.manifest["return"]["mean"], rel=0.02)
    assert "for another robot than the go1" in returned(bundle, find_body("go1"))[1][0]


def test_a_return_does_not_depend_on_when_it_is_asked_for(heading_bundle, short):
    body, task = find_body("go1"), lambda: find_task("heading")
    given = commanded_prior(untrained_prior(), commanding(7), "heading", body, 8, TRAINING)
    one, other = (recorded_return(task, body, given.actor, seed=5) for _ in range(2))
    assert one == other
    policy = BundledPolicy(heading_bundle)
    policy.steps, policy.last_action = 3, np.ones(12, dtype=np.float32)  # it was in use before
    found = bundled_return(policy, task(), body, one)
    assert found == pytest.approx(one["mean"], rel=0.02)
    assert policy.steps == 3


def evaluated(tmp_path, *arguments):
    file = tmp_path / "figures.json"
    main(["eval", *map(str, arguments), "--episodes", "3", "--json", str(file)])
    return json.loads(file.read_text())


def test_a_bundle_is_evaluated_as_its_run_is(made_run, made_bundle, tmp_path, short, capsys):
    figures = evaluated(tmp_path, made_run, made_bundle)
    run, bundle = figures[str(made_run)], figures[str(made_bundle)]
    assert (bundle["task"], bundle["body"], bundle["length"]) == (run["task"], run["body"], run["length"])
    np.testing.assert_allclose(bundle["returns"], run["returns"], rtol=1e-3)
    assert len(set(bundle["returns"])) == 3
    assert str(made_bundle) in capsys.readouterr().out


def test_a_bundles_robot_can_stand_there_and_do_nothing(heading_bundle, tmp_path, short):
    idle, acting = (
        evaluated(tmp_path, heading_bundle, *policy)[str(heading_bundle)]["returns"]
        for policy in (("--policy", "zero"), ())
    )
    assert idle != acting


def test_a_robot_that_goes_by_another_name_here_is_named_with_body(heading, tmp_path, short, capsys):
    returns = evaluated(tmp_path, heading)[str(heading)]["returns"]
    rewritten(heading, lambda m: m["robot"].update(name="rex"))
    assert refused(capsys, heading).endswith("is for 'rex', and no body goes by that name here\n")
    assert "for another robot than the max of this framework: robot.mass differs" in refused(
        capsys, heading, "--body", "max"
    )
    assert evaluated(tmp_path, heading, "--body", "go1")[str(heading)]["returns"] == returns


def refused(capsys, *arguments):
    with pytest.raises(SystemExit) as stopped:
        main(["eval", *map(str, arguments)])
    assert stopped.value.code == 2
    return capsys.readouterr().err


def test_what_cannot_be_evaluated_is_refused_with_the_reason(prior_bundle, heading, capsys):
    assert "is a skill prior: it waits for latents and was set no task" in refused(capsys, prior_bundle)
    assert "leave --task out" in refused(capsys, heading, "--task", "location")
    assert "has a task of its own" in refused(capsys, heading, "--task", "heading")
    for task, why in (
        ("tracking", "tracks motion clips, which no bundle holds"),
        ("chess", "was trained in 'chess', which is no task here; there is"),
        ("gymnasium:Ant-v5", "which is no task here"),
        ("location", "reads a group goal that is made of other terms"),
    ):
        rewritten(heading, lambda m, task=task: m["training"].update(task=task))
        assert why in refused(capsys, heading)
    (heading / "decoder.onnx").write_bytes(b"")
    assert "decoder.onnx: is not as it was written" in refused(capsys, heading)
