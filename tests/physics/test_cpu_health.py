"""CPU Worlds that break: each ends alone, is counted, and harms no other."""

import numpy as np
import pytest
import torch

from tests.physics.cpu_worlds import SUBSTEPS, controls, drive, same, started


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e12])
@pytest.mark.parametrize(("field", "warning"), [("qpos", "badqpos"), ("qvel", "badqvel")])
def test_a_world_that_explodes_ends_alone_and_is_counted(field, warning, value, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    world, twin = started(4, threads=2), started(4, threads=2)
    actions = controls(12, 4)
    others = [0, 1, 3]
    drive(world, actions[:5])
    drive(twin, actions[:5])
    world.field(field)[2, 9] = value
    drive(world, actions[5:6])
    drive(twin, actions[5:6])
    assert world.unhealthy.tolist() == [False, False, True, False]
    assert world.warnings == {warning: 1}
    same(world.state()[others], twin.state()[others])
    drive(world, actions[6:7])
    drive(twin, actions[6:7])
    assert not world.unhealthy.any()
    assert world.warnings == {warning: 1}
    world.reset(torch.tensor([False, False, True, False]))
    drive(world, actions[7:])
    drive(twin, actions[7:])
    same(world.state()[others], twin.state()[others])
    assert torch.isfinite(world.state()).all()
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr().err == ""


def test_worlds_that_explode_together_are_each_counted():
    world = started(4)
    world.field("qpos")[1, 0] = float("nan")
    world.field("qvel")[2, 0] = float("nan")
    world.field("qpos")[3, 0] = float("inf")
    world.step(SUBSTEPS)
    assert world.unhealthy.tolist() == [False, True, True, True]
    assert world.warnings == {"badqpos": 2, "badqvel": 1}
    world.field("qpos")[0, 0] = float("nan")
    world.step(SUBSTEPS)
    assert world.unhealthy.tolist() == [True, False, False, False]
    assert world.warnings == {"badqpos": 3, "badqvel": 1}


def test_an_acceleration_beyond_all_bounds_is_noticed_as_well():
    world, twin = started(2), started(2)
    world.field("qfrc_applied")[1, 7] = 1e30
    world.step(SUBSTEPS)
    twin.step(SUBSTEPS)
    assert world.unhealthy.tolist() == [False, True]
    assert sum(world.warnings.values()) >= 1
    same(world.state()[0], twin.state()[0])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_an_action_that_is_no_number_flags_its_world_and_harms_no_other(value, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    world, twin = started(3), started(3)
    actions = controls(6, 3)
    drive(world, actions[:2])
    drive(twin, actions[:2])
    spoiled = actions[2].clone()
    spoiled[1, 3] = value
    drive(world, spoiled[None])
    drive(twin, actions[2:3])
    expected = [False, bool(np.isnan(value)), False]  # an infinite control is clamped to its range
    assert world.unhealthy.tolist() == expected
    assert ("badctrl" in world.warnings) == expected[1]
    assert torch.isfinite(world.field("qpos")).all()
    drive(world, actions[3:])
    drive(twin, actions[3:])
    assert not world.unhealthy.any()
    same(world.state()[[0, 2]], twin.state()[[0, 2]])
    assert list(tmp_path.iterdir()) == []
