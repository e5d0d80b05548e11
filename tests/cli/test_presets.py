"""Presets: each is read by its command, and asks for nothing that the command refuses."""

import pytest

from embodied.cli.evolve import Evolve
from embodied.cli.train import Train
from embodied.learning.limits import refuse_impossible_learning
from embodied.runs.configuration import find_preset, preset_names, read_config

KINDS = {"train": Train, "evolve": Evolve}


@pytest.mark.parametrize(("command", "name"), [(command, name) for command in KINDS for name in preset_names(command)])
def test_a_preset_changes_its_command_s_defaults_and_can_be_learned(command, name):
    default = KINDS[command]()
    config = read_config(KINDS[command], find_preset(command, name), default)
    assert config != default
    refuse_impossible_learning(config)
