"""Mistakes in a task of one's own are named when its environment is made, or when its reward first goes wrong."""

import pytest
import torch

from embodied.cli.main import main
from embodied.envs import make
from embodied.envs.contract import RewardNotFinite
from embodied.runs.errors import UserError
from embodied.scenes import Scene
from embodied.tasks import UnknownTask, find_task, register_task, registry
from embodied.tasks.flat import Flat
from embodied.testing import check_task


def task_with(**methods):
    return type("Mistaken", (Flat,), {"name": "mistaken", **methods})()


def wrong_memory(self, scene, world, generator):
    Flat.start(self, scene, world, generator)
    self.memory["extra"] = torch.zeros(1)


@pytest.mark.parametrize(
    ("methods", "said"),
    [
        (
            {"rewards": lambda self: {"all": self.head[:, 0].mean()}},
            r"rewards\(\).*'all' as a tensor \(\); expected \(3",
        ),
        ({"rewards": lambda self: {"all": self.head[:, :1]}}, r"tensor \(3, 1\); expected \(3,\)"),
        ({"rewards": lambda self: {"all": 1.0}}, "'all' as a float"),
        ({"rewards": lambda self: self.head[:, 0]}, "gave a Tensor; expected terms by name"),
        ({"terminated": lambda self: self.head[:, 0]}, "expected torch.bool"),
        ({"terminated": lambda self: False}, "gave a bool"),
        ({"metrics": lambda self: {"far": 3.0}}, "'far' as a float"),
        ({"start": wrong_memory}, r"memory 'extra' .* is \(1,\); expected \(3, …\)"),
        ({"episode_steps": None}, "needs episode_steps"),
        ({"scene": lambda self, bodies: Scene(self.arena, {"other": bodies["robot"]})}, "left out robot"),
        ({"scene": lambda self, bodies: None}, "gave a NoneType; expected a Scene"),
    ],
)
def test_what_cannot_be_used_is_refused_with_what_was_expected(methods, said):
    with pytest.raises(UserError, match=said):
        make(task_with(**methods), "ant", num_worlds=3)


def test_a_reward_that_is_not_finite_is_named():
    def rewards(self):
        return {"fine": self.head[:, 0] * 0, "odd": torch.log(self.head[:, 0] * 0 - self.actions[:, 0].double())}

    env = make(task_with(rewards=rewards), "ant", num_worlds=2)
    env.reset()
    env.step(torch.full((2, 12), -1.0))
    with pytest.raises(RewardNotFinite, match="'odd' of the task mistaken"):
        env.step(torch.zeros(2, 12))


def test_a_reset_that_touches_other_worlds_breaks_the_contract():
    def reset(self, mask):
        Flat.reset(self, torch.ones_like(mask))

    with pytest.raises(AssertionError, match="changed world of the others"):
        check_task(lambda: task_with(reset=reset, starts_alike=False), "ant")


@pytest.mark.parametrize("name", ["", "Point", "point-nav", "a:b", "my task", "point_"])
def test_a_name_that_is_no_word_is_not_registered(name):
    with pytest.raises(ValueError, match="words of small letters"):
        register_task(name, Flat)
    assert name not in registry._registered


def test_a_gymnasium_id_belongs_to_one_task(monkeypatch):
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    registry._registered["task_1a"] = Flat
    with pytest.raises(ValueError, match=r"embodied/Task1a-v0, which is that of 'task_1a'"):
        register_task("task1a", Flat)


def test_only_what_makes_tasks_is_taken_for_one(monkeypatch):
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    with pytest.raises(ValueError, match="register the class"):
        register_task("made_already", Flat())
    register_task("makes_numbers", lambda: 3)
    with pytest.raises(UnknownTask, match="makes a int"):
        find_task("makes_numbers")
    with pytest.raises(UnknownTask, match="make one"):
        find_task(Flat)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--task", "velocity", "--body", "walker"), "the root of walker is planar"),
        (("--task", "velocity", "--body", "go1", "--policy.actor-groups", "nosuch"), "nosuch"),
    ],
)
def test_what_cannot_be_trained_leaves_no_folder(tmp_path, capsys, arguments, said):
    pytest.importorskip("dm_control", reason="needs the extra robots")
    with pytest.raises(SystemExit) as stopped:
        main(["train", *arguments, "--worlds", "8", "--ppo.rollout-steps", "16", "--out", str(tmp_path / "run")])
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("given", [{"num_worlds": 0}, {"num_worlds": 1.5}, {"threads": 0}, {"threads": -1}])
def test_counts_are_whole_numbers_of_at_least_one(given):
    with pytest.raises(ValueError, match="whole number of at least 1"):
        make("flat", "ant", **given)
