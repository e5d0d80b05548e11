"""``embodied doctor``: a table, a picture and a JSON file for a good robot, a sentence and status 2 for a bad one."""

import json
import os
import subprocess
import sys

import matplotlib.image
import pytest

from embodied.cli.main import main
from embodied.graphics import NoGraphics
from tests.morphologies.read.files import write_stool


def test_a_robot_that_ships_needs_no_guess(tmp_path):
    command = [sys.executable, "-m", "embodied", "doctor", "--body", "go1", "--out", "go1.png", "--json", "go1.json"]
    environment = {name: value for name, value in os.environ.items() if name != "MUJOCO_GL"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = done.stdout
    assert "12.012 kg" in said
    assert "FR_foot, FL_foot, RR_foot, RL_foot" in said
    assert "kp 35, kv 0.5" in said
    assert "35.55" in said
    assert "Nothing had to be guessed." in said
    assert "No problems found." in said
    found = json.loads((tmp_path / "go1.json").read_text())
    assert len(found["joints"]) == len(found["actuators"]) == 12
    assert found["standing"]["tilt"] < 10
    image = matplotlib.image.imread(tmp_path / "go1.png")
    assert image.shape[:2] == (480, 1280)
    assert image.std() > 0.02, "the picture is blank"


def test_guesses_and_problems_of_a_strange_robot_are_told(tmp_path, capsys):
    path = write_stool(tmp_path)
    path.write_text(path.read_text().replace('range="-60 60"', 'limited="false"').replace("0.25 -0.25", "2.9 -2.9"))
    main(["doctor", "--body", str(path), "--out", str(tmp_path / "stool.png")])
    said = capsys.readouterr().out
    for words in (
        "'seat' is the robot",
        "keyframe 'home' (pose)",
        "2 position actuators",
        "stool.yaml beside the file",
        "hinges without limits: left_hinge, right_joint",
        "no limits",
    ):
        assert words in said


def test_without_graphics_the_table_still_prints(tmp_path, capsys, monkeypatch):
    def missing(*_):
        raise NoGraphics("nothing to draw with")

    monkeypatch.setattr("embodied.cli.doctor.picture", missing)
    main(["doctor", "--body", "ant", "--out", str(tmp_path / "ant.png")])
    said = capsys.readouterr().out
    assert "torso/0" in said
    assert "No picture: nothing to draw with" in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--body"),
        (["--body", "gone"], "no body and no file called 'gone'; did you mean go1?"),
        (["--body", "{folder}/robot.urdf"], "robot.urdf: is not there"),
        (["--body", "{folder}/bad.xml"], "bad.xml: has a DOCTYPE"),
        (["--body", "go1", "--json", "{folder}"], "is a folder"),
    ],
)
def test_what_cannot_be_read_ends_with_a_sentence_and_status_2(tmp_path, capsys, arguments, words):
    (tmp_path / "bad.xml").write_text("<!DOCTYPE mujoco><mujoco/>")
    with pytest.raises(SystemExit) as ended:
        main(["doctor", *(argument.format(folder=tmp_path) for argument in arguments)])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said


def test_a_wider_asset_root_is_handed_on(tmp_path, capsys):
    trimesh = pytest.importorskip("trimesh", reason="trimesh is not installed")
    (tmp_path / "robot").mkdir()
    trimesh.creation.box(extents=(0.3, 0.3, 0.3)).export(tmp_path / "box.stl")
    path = tmp_path / "robot" / "box.xml"
    path.write_text(
        '<mujoco><asset><mesh name="m" file="../box.stl"/></asset><worldbody><body name="box"><freejoint/>'
        '<geom type="mesh" mesh="m"/></body></worldbody></mujoco>'
    )
    with pytest.raises(SystemExit):
        main(["doctor", "--body", str(path)])
    assert "--asset-root" in capsys.readouterr().err
    main(["doctor", "--body", str(path), "--asset-root", str(tmp_path), "--out", str(tmp_path / "box.png")])
    assert "27.000 kg" in capsys.readouterr().out
