"""Trainings on a robot's file: the run keeps the robot, whatever becomes of the file."""

import json

import pytest

from embodied.cli.main import main
from morphologies.read import kept_robot

ROBOT = """<mujoco>
  <worldbody>
    <geom type="plane" size="5 5 1"/>
    <body name="trunk" pos="0 0 0.3">
      <freejoint/>
      <geom type="box" size="0.2 0.1 0.05" mass="{mass}"/>
      <body name="left" pos="0 0.1 0"><joint name="hip" axis="0 1 0" range="-60 60"/>
        <geom type="capsule" fromto="0 0 0 0 0.05 -0.2" size="0.03" mass="0.5"/></body>
      <body name="right" pos="0 -0.1 0"><joint name="other_hip" axis="0 1 0" range="-60 60"/>
        <geom type="capsule" fromto="0 0 0 0 -0.05 -0.2" size="0.03" mass="0.5"/></body>
    </body>
  </worldbody>
</mujoco>"""
SMALL = ("--worlds", "8", "--ppo.rollout-steps", "16", "--episodes", "2")


@pytest.fixture
def trained(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "robot.xml").write_text(ROBOT.format(mass=3.0))
    (tmp_path / "robot.yaml").write_text("action_scale: 0.4\n")
    main(["train", "--body", "robot.xml", "--steps", "512", "--out", "run", *SMALL])
    return tmp_path


def test_a_run_goes_on_with_the_robot_it_began_with_and_needs_its_file_no_more(trained, capsys):
    (trained / "robot.xml").write_text(ROBOT.format(mass=30.0))
    (trained / "robot.yaml").unlink()
    main(["train", "--body", "robot.xml", "--steps", "1024", "--out", "run", "--resume", *SMALL])
    (trained / "robot.xml").unlink()
    main(["eval", "run", "--episodes", "2", "--json", "figures.json"])
    (figures,) = json.loads((trained / "figures.json").read_text()).values()
    assert figures["body"] == "robot"
    kept = kept_robot(trained / "run" / "robot.bin")
    assert kept.description.mass == pytest.approx(4.0)
    assert kept.action_scale == 0.4


def test_a_robot_that_a_run_kept_and_that_is_damaged_is_refused(trained, capsys):
    (trained / "run" / "robot.bin").write_bytes(b"{}\nnothing")
    with pytest.raises(SystemExit) as stopped:
        main(["eval", "run", "--episodes", "2"])
    assert stopped.value.code == 2
    assert "damaged" in capsys.readouterr().err
