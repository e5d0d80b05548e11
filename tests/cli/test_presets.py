"""Presets: each is read by its command, and asks for nothing that the command refuses; `embodied list` names all."""

import pytest

from embodied.cli.evolve import Evolve
from embodied.cli.main import main
from embodied.cli.pretrain_ase import PretrainASE
from embodied.cli.pretrain_imitate import Imitate
from embodied.cli.train import Train
from embodied.learning.limits import refuse_impossible_learning
from embodied.runs.configuration import find_preset, preset_folder, preset_names, read_config

KINDS = {"train": Train, "evolve": Evolve, "pretrain imitate": Imitate, "pretrain ase": PretrainASE}


@pytest.mark.parametrize(("command", "name"), [(command, name) for command in KINDS for name in preset_names(command)])
def test_a_preset_changes_its_command_s_defaults_and_can_be_learned(command, name):
    default = KINDS[command]()
    config = read_config(KINDS[command], find_preset(command, name), default)
    assert config != default
    if command != "pretrain ase":  # which learns by rules of its own
        refuse_impossible_learning(config)


@pytest.mark.parametrize("what", ["presets", "all"])
def test_every_preset_that_ships_is_listed_with_its_command(what, capsys):
    shipped = {(file.parent.name.replace("-", " "), file.stem) for file in preset_folder().glob("*/*.yaml")}
    assert {command for command, _ in shipped} == set(KINDS)
    main(["list", what])
    said = capsys.readouterr().out.splitlines()
    for command, name in shipped:
        line = [f"{command} "] if what == "presets" else [f"presets of {command} "]
        assert any(each.startswith(line[0]) and name in each.split() for each in said), (command, name)
