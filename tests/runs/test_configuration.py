"""Configurations: there and back through YAML, and errors that name the field that was meant."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
import yaml

from embodied.learning.ppo import PPOConfig
from embodied.runs.configuration import differences, find_preset, from_plain, preset_names, read_config, to_plain
from embodied.runs.errors import UserError


@dataclass(frozen=True)
class Learning:
    learning_rate: float = 3e-4
    hidden: tuple[int, ...] = (64, 64)


@dataclass(frozen=True)
class Training:
    task: str = "flat"
    steps: int = 1000
    seed: int | None = None
    fast: bool = False
    out: Path = Path("runs")
    device: Literal["cpu", "cuda"] = "cpu"
    learning: Learning = field(default_factory=Learning)


CHANGED = Training("stairs", 7, 3, True, Path("/tmp/x"), "cuda", Learning(1e-5, (32, 16, 8)))


@pytest.mark.parametrize("config", [Training(), CHANGED])
def test_a_configuration_survives_yaml_unchanged(config):
    data = yaml.safe_load(yaml.safe_dump(to_plain(config)))
    assert from_plain(Training, data, "here") == config
    assert differences(data, to_plain(config)) == []


def test_the_learner_s_defaults_survive_yaml_unchanged():
    assert from_plain(PPOConfig, yaml.safe_load(yaml.safe_dump(to_plain(PPOConfig()))), "here") == PPOConfig()


def test_fields_that_are_not_named_keep_their_value(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("steps: 5\nlearning: {learning_rate: 0.5}\n")
    read = read_config(Training, file, CHANGED)
    assert read.steps == 5
    assert read.learning == Learning(0.5, (32, 16, 8))
    assert (read.task, read.seed, read.out) == ("stairs", 3, Path("/tmp/x"))
    file.write_text("")
    assert read_config(Training, file, CHANGED) == CHANGED


@pytest.mark.parametrize("text", ["3e-4", "1e-5", "3.0e-4", "0.0003", "1"])
def test_floats_are_read_however_people_write_them(tmp_path, text):
    """YAML 1.1 takes 3e-4, without a dot, for text."""
    file = tmp_path / "mine.yaml"
    file.write_text(f"learning_rate: {text}\n")
    assert read_config(Learning, file, Learning()).learning_rate == float(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("stepz: 5", r"'stepz'.*did you mean steps"),
        ("learning: {learning_rat: 0.5}", r"learning.*'learning_rat'.*did you mean learning_rate"),
        ("wings: 2", r"'wings'.*known are task, steps"),
        ("steps: many", r"steps.*int.*'many'"),
        ("steps: 1.5", r"steps.*int.*1\.5"),
        ("steps: true", r"steps.*int.*True"),
        ("steps: null", r"steps"),
        ("fast: 1", r"fast.*bool.*1"),
        ("task: 3", r"task.*str.*3"),
        ("seed: x", r"seed.*int.*'x'"),
        ("device: tpu", r"device.*cpu, cuda.*'tpu'"),
        ("learning: 3", r"learning.*named fields.*3"),
        ("learning: {learning_rate: fast}", r"learning.*learning_rate.*float.*'fast'"),
        ("learning: {hidden: 64}", r"hidden.*list.*64"),
        ("learning: {hidden: [64, wide]}", r"hidden.*int.*'wide'"),
        ("- 1\n- 2", r"named fields"),
        ("just words", r"named fields"),
        ("steps: [5", r"not YAML"),
        ("steps: !!python/object/apply:os.getcwd []", r"not YAML"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_by_name_place_and_the_close_fields(tmp_path, text, says):
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(UserError, match=says) as refused:
        read_config(Training, file, Training())
    assert str(file) in str(refused.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(UserError, match=f"{path} cannot be read"):
            read_config(Training, path, Training())
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\xff\x00")
    with pytest.raises(UserError, match=r"bytes\.yaml is not YAML"):
        read_config(Training, tmp_path / "bytes.yaml", Training())


def test_differences_name_the_path_of_each_field():
    old = {"a": 1, "b": {"c": [1, 2], "d": {"e": "x"}}, "gone": 1}
    new = {"a": 1, "b": {"c": [1, 3], "d": {"e": "y"}}, "new": 2}
    assert differences(old, new) == [
        "b.c: [1, 2] -> [1, 3]",
        "b.d.e: 'x' -> 'y'",
        "gone: 1 -> None",
        "new: None -> 2",
    ]


def test_a_preset_is_a_known_name_or_any_file():
    assert find_preset("train", "some/where/mine.yaml") == Path("some/where/mine.yaml")
    with pytest.raises(UserError, match="no preset 'nonsense' for train"):
        find_preset("train", "nonsense")
    for command in ("train", "evolve"):
        for name in preset_names(command):
            assert find_preset(command, name).is_file()
            with pytest.raises(UserError, match=f"did you mean .*{name}"):
                find_preset(command, f"{name}x")
